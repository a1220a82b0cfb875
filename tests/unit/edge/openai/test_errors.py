"""Our problems in OpenAI's words."""

import json

import pytest

from kit.refusal import Refused
from services.edge.openai import errors, ids


@pytest.mark.parametrize(
    ("code", "status", "kind", "word", "param"),
    [
        ("unauthenticated", 401, "invalid_request_error", "invalid_api_key", None),
        ("unknown_model", 404, "invalid_request_error", "model_not_found", "model"),
        ("body_too_large", 413, "invalid_request_error", "request_too_large", None),
        ("provider_rate_limited", 429, "rate_limit_error", "rate_limit_exceeded", None),
        ("unavailable", 503, "server_error", "unavailable", None),
        ("something_new", 400, "invalid_request_error", "something_new", None),
    ],
)
def test_a_problem_keeps_its_message_and_gets_their_words(
    code: str, status: int, kind: str, word: str, param: str | None
) -> None:
    answer = errors.response(code, "Why.")
    assert answer.status_code == status
    assert json.loads(bytes(answer.body)) == {"error": {"message": "Why.", "type": kind, "param": param, "code": word}}


def test_clients_repeat_what_may_help_and_nothing_else() -> None:
    assert errors.response("unavailable", "Why.").headers["retry-after"] == "1"
    assert "x-should-retry" not in errors.response("unavailable", "Why.").headers
    for answer in (errors.response("idempotency_conflict", "Why."), errors.response("no_worker", "Why.", again=False)):
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("text", ["", "resp_", "msg_1", "resp_a.b", "resp_*", "chat_1", "resp_" + "x" * 60])
def test_an_id_that_is_none_is_an_unknown_one(text: str) -> None:
    with pytest.raises(Refused) as refused:
        ids.run_of(text)
    assert refused.value.problem.code == "unknown_response"


def test_ids_lead_back_to_the_run() -> None:
    assert ids.run_of(ids.response_id("chat_0123")) == "chat_0123"
    assert ids.completion_id("chat_0123") == "chatcmpl-0123"
