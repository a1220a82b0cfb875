"""The data stream of AI SDK 4."""

import json
from typing import Any

from contracts import events
from services.edge.wires.data_stream import DataStreamWire
from tests.fixtures import run_events as run


def told(*log: events.Event) -> list[tuple[str, Any]]:
    wire = DataStreamWire()
    raw = wire.open("e1") + wire.heartbeat + wire.frames(run.log(*log)) + wire.ended()
    return [(line[0], json.loads(line[2:])) for line in raw.decode().split("\n") if line]


def text(parts: list[tuple[str, Any]], code: str = "0") -> str:
    return "".join(value for found, value in parts if found == code)


def test_an_answer_with_reasoning() -> None:
    parts = told(
        run.created(), run.thought("hm"), run.said("He"), run.said("llo"), run.answered("Hello", "hm"), run.completed()
    )
    assert [code for code, _ in parts] == ["f", "8", "g", "0", "0", "8", "e", "d"]
    assert parts[0][1] == {"messageId": run.MESSAGE}
    assert (text(parts), text(parts, "g")) == ("Hello", "hm")
    assert parts[-1][1] == {"finishReason": "stop", "usage": {"promptTokens": 3, "completionTokens": 5}}


def test_told_in_short_it_says_the_same() -> None:
    parts = told(run.created(), run.snapshot("Hel", "h"), run.said("lo"), run.answered("Hello", "hm"), run.completed())
    assert (text(parts), text(parts, "g")) == ("Hello", "hm")


def test_arguments_that_are_no_object_are_wrapped() -> None:
    calls = (run.called(), run.called("call_2", arguments="no json"))
    parts = told(run.created(), run.answered("", finish_reason="tool_calls", tool_calls=calls), run.completed())
    assert [value["args"] for code, value in parts if code == "9"] == [{"city": "Rome"}, {"arguments": "no json"}]
    assert parts[-1][1]["finishReason"] == "tool-calls"


def test_a_failure_is_thrown_and_a_stop_is_an_end() -> None:
    assert told(run.created(), run.said("He"), run.broken("He"), run.failed("no credit"))[-1] == ("3", "no credit")
    stopped = told(run.created(), run.said("He"), run.stopped("He"), run.cancelled())
    assert (text(stopped), stopped[-1]) == (
        "He",
        ("d", {"finishReason": "other", "usage": {"promptTokens": None, "completionTokens": None}}),
    )


def test_other_words_begin_where_a_data_part_says() -> None:
    parts = told(
        run.created(), run.said("One 🌊"), run.restarted(), run.said("Two"), run.answered("Two"), run.completed()
    )
    (mark,) = [value[0] for code, value in parts if code == "2"]
    assert mark["type"] == "restarted"
    as_javascript_has_it = text(parts).encode("utf-16-le")
    assert as_javascript_has_it[2 * mark["from"] :].decode("utf-16-le") == "Two"


def test_notices_are_data() -> None:
    notice = events.Notice(lane="main", at=1, code="retrying", message="busy")
    assert told(run.created(), notice)[-1] == ("2", [{"type": "notice", "code": "retrying", "message": "busy"}])
    wire = DataStreamWire()
    assert wire.leaving(10).startswith(b'2:[{"type":"notice","code":"reconnect"')
    assert wire.breaks_off
