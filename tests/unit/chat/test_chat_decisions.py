"""The decisions of chat."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events
from contracts.chat import SendMessage
from contracts.message import Owner
from kit.refusal import Refused
from services.chat import checks, context, core
from services.chat.beginning import Place, check_repeated, new_run
from services.chat.context import Past, Said
from services.chat.models import MessageRow, RunRow
from services.chat.questions import fingerprint

NOW = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)


def command(**changes: Any) -> SendMessage:
    given = {"owner": Owner(tenant="t", user="u"), "conversation_id": "conv_x", "create": True, "run_id": "chat_x"}
    return SendMessage(**{**given, "content": "Hello", **changes})


def started(sent: SendMessage, **changes: Any) -> RunRow:
    place = Place(sent.conversation_id, "new", 0, "msg_q")
    turns = context.turns(Past("Be brief."), Said("msg_q", "user", sent.content))
    state = new_run(sent, sent.model or "m", place, turns, message_id="msg_x", now=NOW)
    state.fingerprint = fingerprint(sent, begins=sent.create)
    fields = {name: getattr(state, name) for name in state.__slots__ if name != "others_wait"}
    return RunRow(**{**fields, **changes})


def repeated(sent: SendMessage, earlier: RunRow) -> RunRow:
    return check_repeated(earlier, fingerprint(sent, begins=sent.create))


@pytest.mark.parametrize(
    "other",
    [
        {"content": "Another"}, {"model": "another"}, {"system": "Be long."}, {"create": False},
        {"parameters": {"max_tokens": 1}}, {"timeouts": {"total_seconds": 1}}, {"notify": "never"},
    ],
)  # fmt: skip
def test_a_key_is_for_one_message(other: dict[str, Any]) -> None:
    first = command(system="Be brief.", model="m")
    assert repeated(first, started(first)).id == "chat_x"
    with pytest.raises(Refused) as refused:
        repeated(command(**{"system": "Be brief.", "model": "m", **other}), started(first))
    assert refused.value.problem.code == "idempotency_conflict"


def test_a_key_within_a_conversation_is_for_that_conversation() -> None:
    first = command(create=False)
    assert repeated(command(create=False, run_id="chat_y", idempotency_key="k"), started(first)).id == "chat_x"
    with pytest.raises(Refused):
        repeated(command(create=False, conversation_id="conv_y"), started(first))


def test_a_request_without_a_wish_has_the_print_that_it_had_before_there_were_any() -> None:
    body = command().model_dump_json(exclude={"run_id", "idempotency_key", "conversation_id", "notify"})
    assert fingerprint(command(), begins=True) == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize(("seconds", "total_ms"), [(1.5, 1500), (0, 0), (-3, 0)])
def test_no_run_took_less_than_no_time_whatever_the_clocks_say(seconds: float, total_ms: int) -> None:
    run = started(command(notify="always"), status="completed", ended_at=NOW + timedelta(seconds=seconds))
    fact = core.ended_fact(run)
    assert (fact.total_ms, fact.notify, fact.error_code) == (total_ms, "always", None)


def test_nobody_is_told_of_a_hidden_run_whatever_its_row_says() -> None:
    for notify in (None, "always"):
        run = started(command(notify=notify), status="failed", ended_at=NOW, hidden=True, error={"code": "internal"})
        assert (core.ended_fact(run).notify, core.ended_fact(run).error_code) == ("never", "internal")


ENDINGS = [
    events.GenerationCompleted(lane="main", at=5, attempt=1, model="m", provider="p", finish_reason="stop"),
    events.GenerationFailed(lane="main", at=5, attempt=1, model="m", error=events.Error("code", "why")),
    events.GenerationCancelled(lane="main", at=5, attempt=1, model="m"),
]


@pytest.mark.parametrize("ending", ENDINGS, ids=[events.type_of(ending) for ending in ENDINGS])
def test_a_replay_from_the_tables_ends_like_the_log_did(ending: events.GenerationEnding) -> None:
    run = started(command())
    reply = core.reply_row(ending, "text", "reasoning")
    assert isinstance(reply, MessageRow)
    run.status, run.error, run.ended_at = reply.status, reply.error, NOW
    told = core.replay(run, reply)
    assert told[0] == core.created_event(run)
    assert events.type_of(told[1]) == events.type_of(ending)
    assert (told[1].text, told[1].reasoning) == ("text", "reasoning")  # type: ignore[union-attr]
    assert events.type_of(told[2]) == events.type_of(ending).replace("generation", "run")
    assert all(events.decode(events.encode(event)) == event for event in told)
    if isinstance(ending, events.GenerationFailed):
        assert told[1].error == told[2].error == ending.error  # type: ignore[union-attr]


def test_events_made_again_are_the_same() -> None:
    run = started(command(), status="completed", ended_at=NOW)
    assert core.created_event(run) == core.created_event(run)
    assert core.ended_event(run) == core.ended_event(run)


def test_a_model_is_the_one_asked_for_else_the_default_else_the_first() -> None:
    for wanted, default in itertools.product((None, "", "b"), ("", "c")):
        assert checks.choose_model(wanted, default, ("a", "b", "c")) == (wanted or default or "a")
    with pytest.raises(Refused, match="no model 'x'"):
        checks.choose_model("x", "", ("a",))
    with pytest.raises(Refused, match="No model is available"):
        checks.choose_model(None, "", ())


@pytest.mark.parametrize("mark", ["-1", "+1", " 1", "1.0", "٣", "x", "", "1" * 10])
def test_a_page_mark_is_a_position(mark: str) -> None:
    assert (checks.position_after(None), checks.position_after("7")) == (0, 7)
    with pytest.raises(Refused):
        checks.position_after(mark)
