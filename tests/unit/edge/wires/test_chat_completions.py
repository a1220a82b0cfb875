"""A run as chunks of a chat completion."""

import json
from typing import Any

import pytest

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.wires.chat_completions import ChatCompletionsWire
from tests.unit.edge.wires.log import (
    AT,
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
    snapshot,
    started,
    thought,
)  # fmt: skip


def told(log: list[events.Event], *, usage: bool = False) -> list[Any]:
    """What a client is told; `[DONE]` as a text."""
    raw = frames(log, usage=usage)
    blocks = raw.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks), "nothing but data lines"
    datas = [block.removeprefix("data: ") for block in blocks]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def frames(log: list[events.Event], *, usage: bool = False) -> bytes:
    wire = ChatCompletionsWire(include_usage=usage)
    messages = [LogMessage(place, event.lane.encode(), events.encode(event)) for place, event in enumerate(log, 1)]
    return wire.open("epoch") + b"".join(wire.frames([message]) for message in messages) + wire.ended()


def deltas(chunks: list[Any]) -> list[Any]:
    return [choice["delta"] for chunk in chunks if chunk != "[DONE]" for choice in chunk.get("choices", [])]


def content(chunks: list[Any]) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(chunks))


def test_a_text_is_a_role_its_pieces_a_reason_and_done() -> None:
    chunks = told([created(), started(), *said("Grüße ", "🌊\n"), *completed("Grüße 🌊\n")])
    assert chunks[-1] == "[DONE]"
    assert deltas(chunks) == [{"role": "assistant", "content": ""}, {"content": "Grüße "}, {"content": "🌊\n"}, {}]
    for chunk in chunks[:-1]:
        assert {name: chunk[name] for name in ("id", "object", "created", "model")} == {
            "id": f"chatcmpl-{SUFFIX}",
            "object": "chat.completion.chunk",
            "created": AT // 1000,
            "model": "m/one",
        }
        assert "usage" not in chunk
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, None, "stop"]


def test_usage_is_a_chunk_of_its_own_when_it_is_asked_for() -> None:
    chunks = told([created(), started(), *said("Hi"), *completed("Hi")], usage=True)
    assert [chunk["usage"] for chunk in chunks[:-2]] == [None] * 3
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


def test_thinking_and_calls_have_deltas_of_their_own() -> None:
    log = [created(), started(), *thought("Hm", "m"), *said("Look:"), called(1), called(2), *completed(
        "Look:", "tool_calls", reasoning="Hmm", tool_calls=(call(1), call(2))
    )]  # fmt: skip
    chunks = told(log)
    assert deltas(chunks)[1:3] == [{"reasoning_content": "Hm"}, {"reasoning_content": "m"}]
    calls = [delta["tool_calls"][0] for delta in deltas(chunks) if "tool_calls" in delta]
    assert [call["index"] for call in calls] == [0, 1]
    assert calls[0] == {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Köln"}'},
    }
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls"])
def test_the_reason_is_the_models(reason: str) -> None:
    assert told([created(), *said("x"), *completed("x", reason)])[-2]["choices"][0]["finish_reason"] == reason


def test_a_failure_is_an_error_frame_and_nothing_after_it() -> None:
    chunks = told([created(), started(), *said("Half a"), *failed("Half a", "provider_rate_limited")])
    assert content(chunks) == "Half a"
    assert chunks[-1] == {
        "error": {
            "message": "It is broken.",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }


def test_a_stopped_answer_ends_like_one_that_stopped() -> None:
    chunks = told([created(), started(), *said("Half a"), *cancelled("Half a")], usage=True)
    assert chunks[-3]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-2]["usage"]["total_tokens"] == 12
    assert chunks[-1] == "[DONE]"


def test_a_takeover_and_notices_do_not_show() -> None:
    plain = [created(), started(), *said("One ", "two"), *completed("One two")]
    seams = [
        created(), notice(), started(), *said("One "), notice(), started(2), resumed(), *said("two"),
        *completed("One two"),
    ]  # fmt: skip
    assert frames(seams) == frames(plain)


def test_an_answer_that_begins_again_with_the_same_words_goes_on_behind_them() -> None:
    log = [created(), *said("One ", "two ", "th"), restarted(), *said("One two", " three", " four")]
    chunks = told([*log, *completed("One two three four")])
    assert [delta.get("content") for delta in deltas(chunks)[1:]] == ["One ", "two ", "th", "ree", " four", None]
    assert chunks[-1] == "[DONE]"


@pytest.mark.parametrize("second", [said("One ", "zwei"), said("1"), [*said("One "), *completed("One ")]], ids=str)
def test_an_answer_that_begins_again_with_other_words_breaks_the_stream(second: list[events.Event]) -> None:
    chunks = told([created(), *said("One two"), restarted(), *second, *said("more")])
    assert chunks[-1]["error"]["code"] == "answer_restarted"
    assert chunks[-1]["error"]["type"] == "server_error"
    assert content(chunks) == "One two"


def test_calls_are_told_when_the_model_cannot_think_otherwise_any_more() -> None:
    log = [created(), called(1), restarted(), called(2), *completed("", "tool_calls", tool_calls=(call(2),))]
    chunks = told(log)
    assert [delta["tool_calls"][0]["id"] for delta in deltas(chunks) if "tool_calls" in delta] == ["call_2"]
    left_to_the_lane = told([created(), called(1), *completed("", "tool_calls")])
    assert any("tool_calls" in delta for delta in deltas(left_to_the_lane))


def test_other_thoughts_after_a_restart_are_another_paragraph() -> None:
    log = [created(), *thought("I might"), restarted(), *thought("I ", "must"), *said("Yes")]
    chunks = told([*log, *completed("Yes", reasoning="I must")])
    thoughts = "".join(delta.get("reasoning_content") or "" for delta in deltas(chunks))
    assert (thoughts, content(chunks)) == ("I might\n\nI must", "Yes")
    assert chunks[-1] == "[DONE]"


def test_who_joins_late_is_told_the_whole_text_in_fewer_chunks() -> None:
    whole = completed("One two three", reasoning="Hm", tool_calls=(call(1),))
    short = told([created(), *whole])
    assert deltas(short)[1:3] == [{"reasoning_content": "Hm"}, {"content": "One two three"}]
    assert "tool_calls" in deltas(short)[3]
    joined = told([created(), snapshot("One two", reasoning="Hm"), *said(" three"), called(1), *whole])
    assert content(joined) == content(short)
    assert deltas(joined)[-2] == deltas(short)[-2]


def test_a_run_that_is_deleted_while_it_is_told_is_an_error() -> None:
    assert told([created(), *said("Half")])[-1]["error"]["code"] == "unavailable"


def test_a_server_that_stops_says_so() -> None:
    wire = ChatCompletionsWire()
    wire.take(created())
    assert json.loads(wire.leaving(5).removeprefix(b"data: "))["error"]["code"] == "server_stopping"
    assert wire.ended() == b"", "nothing comes after it"
