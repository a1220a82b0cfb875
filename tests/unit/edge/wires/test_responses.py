"""A run as the events of a response."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from contracts import events
from contracts.completions import StartCompletion
from contracts.content import Tool, Turn
from contracts.generation import Parameters
from contracts.message import Owner
from kit.runlog.reads import LogMessage
from services.edge.openai.asked import Asked, Wishes, of_command
from services.edge.wires.responses import ResponsesWire
from tests.unit.edge.wires.log import (
    AT,
    RUN,
    SUFFIX,
    call,
    called,
    cancelled,
    completed,
    created,
    failed,
    notice,
    restarted,
    resumed,
    said,
    started,
    thought,
)  # fmt: skip


def asked(**wishes: Any) -> Asked:
    command = StartCompletion(
        owner=Owner(tenant="t", user="u"),
        run_id=RUN,
        turns=(Turn(role="system", content="Be brief."), Turn(role="user", content="Hi")),
        parameters=Parameters(max_tokens=9, tools=(Tool(name="weather"),)),
        labels={"mine": "yes", **Wishes(instructions=True, **wishes).labels()},
    )
    return of_command(command)


def told(log: Iterable[events.Event], after: int = -1, **wishes: Any) -> list[dict[str, Any]]:
    """What a client is told."""
    wire = ResponsesWire(asked(**wishes), starting_after=after)
    messages = [LogMessage(place, event.lane.encode(), events.encode(event)) for place, event in enumerate(log, 1)]
    raw = wire.open("epoch") + wire.frames(messages) + wire.ended()
    found = []
    for block in raw.decode().split("\n\n")[:-1]:
        kind, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {event['type']}"
        found.append(event)
    return found


def types(told: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told]


TEXT = [created(), started(), *said("Grüße ", "🌊"), *completed("Grüße 🌊")]
ALL = [
    created(), notice(), started(), *thought("Hm", "m"), *said("Look"), started(2), resumed(), *said(": "), called(1),
    called(2), *said("there"),
    *completed("Look: there", reasoning="Hmm", tool_calls=(call(1), call(2))),
]  # fmt: skip


def test_a_text_is_told_as_the_protocol_tells_it() -> None:
    events_ = told(TEXT)
    assert types(events_) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events_] == list(range(10))
    delta, item = events_[4], events_[8]["item"]
    assert delta == {
        "type": "response.output_text.delta", "sequence_number": 4, "item_id": f"msg_{SUFFIX}", "output_index": 0,
        "content_index": 0, "delta": "Grüße ", "logprobs": [],
    }  # fmt: skip
    assert item["content"] == [{"type": "output_text", "text": "Grüße 🌊", "annotations": [], "logprobs": []}]
    assert events_[2]["item"] == {**item, "content": [], "status": "in_progress"}
    last = events_[-1]["response"]
    assert (last["id"], last["status"], last["output"]) == (f"resp_{SUFFIX}", "completed", [item])
    assert (last["created_at"], last["completed_at"]) == (AT // 1000, (AT + 1500) // 1000)
    assert (last["instructions"], last["metadata"], last["max_output_tokens"]) == ("Be brief.", {"mine": "yes"}, 9)
    assert last["usage"]["output_tokens_details"] == {"reasoning_tokens": 2}
    assert last["usage"]["total_tokens"] == 12


def test_everything_has_its_item_and_its_place() -> None:
    events_ = told(ALL)
    assert types(events_) == [
        "created", "in_progress",
        "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta",
        "reasoning_text.done", "content_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    added = [event for event in events_ if event["type"].endswith("item.added")]
    done = [event for event in events_ if event["type"].endswith("item.done")]
    assert [event["output_index"] for event in added] == [event["output_index"] for event in done] == list(range(4))
    ids = [f"rs_{SUFFIX}", f"msg_{SUFFIX}", f"fc_{SUFFIX}", f"fc_{SUFFIX}_2"]
    assert [event["item"]["id"] for event in done] == ids
    assert events_[-1]["response"]["output"] == [event["item"] for event in done]
    assert done[2]["item"] == {
        "id": f"fc_{SUFFIX}", "type": "function_call", "call_id": "call_1", "name": "weather",
        "arguments": '{"city": "Köln"}', "status": "completed",
    }  # fmt: skip


def test_thinking_is_told_as_a_summary_to_who_asks_for_one() -> None:
    events_ = told(ALL, summary="auto")
    assert types(events_)[2:9] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done",
        "output_item.done",
    ]  # fmt: skip
    assert events_[8]["item"]["summary"] == [{"type": "summary_text", "text": "Hmm"}]
    assert events_[4]["summary_index"] == 0


@pytest.mark.parametrize("wishes", [{}, {"background": True, "summary": "auto"}])
def test_who_goes_on_behind_a_number_is_told_exactly_the_rest(wishes: dict[str, Any]) -> None:
    whole = told(ALL, **wishes)
    for number in range(len(whole)):
        rest = whole[number + 1 :] or whole[-1:]
        assert told(ALL, number, **wishes) == rest
    assert told(ALL, 10_000, **wishes) == whole[-1:]


def test_a_log_that_is_gone_is_told_in_fewer_events_with_the_same_end() -> None:
    stored = [event for event in ALL if event.lane != "main" or event is ALL[-2]]
    short, whole = told(stored), told(TEXT)
    assert types(short)[:2] == types(whole)[:2]
    said_ = [event["delta"] for event in short if event["type"] == "response.output_text.delta"]
    assert said_ == ["Look: there"]
    assert short[-1]["response"]["status"] == "completed"
    assert [event["sequence_number"] for event in short] == list(range(len(short)))


def test_in_the_background_it_is_queued_until_a_worker_begins() -> None:
    assert types(told([created()], background=True))[:2] == ["created", "queued"]
    events_ = told(TEXT, background=True)
    assert types(events_)[:4] == ["created", "queued", "in_progress", "output_item.added"]
    assert [event["response"]["status"] for event in events_[:3]] == ["queued", "queued", "in_progress"]
    assert events_[-1]["response"]["background"] is True


@pytest.mark.parametrize(
    ("reason", "told_reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_what_was_cut_short_is_incomplete(reason: str, told_reason: str) -> None:
    last = told([created(), *said("Half"), *completed("Half", reason)])[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": told_reason}
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_what_was_stopped_is_cancelled_and_keeps_its_words() -> None:
    last = told([created(), *said("Half"), *cancelled("Half")])[-1]
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "cancelled")
    assert last["response"]["output"][0]["content"][0]["text"] == "Half"


@pytest.mark.parametrize(
    ("code", "word"), [("provider_rate_limited", "rate_limit_exceeded"), ("no_worker", "server_error")]
)
def test_a_failure_is_an_event_of_the_response(code: str, word: str) -> None:
    last = told([created(), *said("Half"), *failed("Half", code)])[-1]
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": word, "message": "It is broken."}


def test_a_run_that_fails_before_it_begins_is_told_whole() -> None:
    assert types(told([created(), failed()[-1]], background=True)) == ["created", "queued", "in_progress", "failed"]


def test_an_answer_that_begins_again_goes_on_or_fails() -> None:
    same = [created(), *said("One ", "two"), restarted(), *said("One two", " three"), *completed("One two three")]
    assert told(same)[-1]["response"]["output"][0]["content"][0]["text"] == "One two three"
    other = [created(), *said("One ", "two"), restarted(), *said("Eins zwei"), *completed("Eins zwei")]
    assert types(told(other))[-4:] == ["output_text.done", "content_part.done", "output_item.done", "failed"]
    assert "began again" in told(other)[-1]["response"]["error"]["message"]


def test_other_thoughts_after_a_restart_are_another_item() -> None:
    log = [created(), *thought("I might"), restarted(), *thought("I ", "must"), *said("Yes"), *completed(
        "Yes", reasoning="I must"
    )]  # fmt: skip
    output = told(log)[-1]["response"]["output"]
    assert [item["id"] for item in output] == [f"rs_{SUFFIX}", f"rs_{SUFFIX}_2", f"msg_{SUFFIX}"]
    assert output[1]["content"][0]["text"] == "I must"


def test_a_server_that_stops_moves_no_number() -> None:
    wire = ResponsesWire(asked())
    for event in (created(), *said("Half")):
        wire.take(event)
    last = json.loads(wire.leaving(5).split(b"data: ")[1])
    assert (last["type"], last["code"], last["sequence_number"]) == ("error", "server_stopping", 4)
