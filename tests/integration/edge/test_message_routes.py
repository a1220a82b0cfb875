"""Messages over HTTP: what a run says of being told."""

from typing import Any

import pytest

from contracts.chat import RunStarted
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

MESSAGES = "/v1/conversations/conv_1/messages"


def started(body: dict[str, Any]) -> RunStarted:
    return RunStarted(run_id=body["run_id"], conversation_id="conv_1", message_id="msg_1")


@pytest.mark.parametrize("policy", ["always", "when_away", "never", None])
async def test_a_run_says_whether_its_owner_is_told_of_its_end(edge: OwnEdge, policy: str | None) -> None:
    edge.answers["chat.send_message"] = edge.answers["chat.regenerate"] = started
    for path, body in ((MESSAGES, {"content": "Hello"}), (f"{MESSAGES}/msg_1/regenerate", {})):
        response = await edge.http.post(path, json=body if policy is None else {**body, "notify": policy})
        assert response.status_code == 202, response.text
        assert edge.asked[-1][1].get("notify") == policy


@pytest.mark.parametrize("wrong", ["sometimes", "", 1, ["always"], {}])
async def test_what_is_no_policy_is_refused(edge: OwnEdge, wrong: Any) -> None:
    for path, body in ((MESSAGES, {"content": "Hello"}), (f"{MESSAGES}/msg_1/regenerate", {})):
        assert_problem(await edge.http.post(path, json={**body, "notify": wrong}), 422, "invalid_request")
    assert edge.asked == []
