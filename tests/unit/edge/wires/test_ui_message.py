"""The UI message stream: every cut and every way of telling comes to the same message."""

import itertools
import random
from collections.abc import Sequence

import pytest

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.wires.ui_message import UiMessageWire
from tests.fixtures import run_events as run
from tests.fixtures.ui_message import Message, complete

SEED = 20261127


def told(*messages: Sequence[LogMessage], wire: UiMessageWire | None = None, epoch: str = "e1") -> bytes:
    wire = wire or UiMessageWire()
    wire.resume(run.RUN)
    raw = wire.open(epoch)
    for batch in messages:
        raw += wire.frames(batch)
    return raw + wire.ended()


def shown(raw: bytes) -> Message:
    message = Message()
    message.take(raw)
    return message


def resumed(message: Message, log: list[LogMessage]) -> bytes:
    """What a client with a cursor is sent, if the log is told whole, and anew where the cursor says so."""
    wire = UiMessageWire(last_event_id=message.cursor)
    place = wire.resume(run.RUN)
    assert place is not None
    raw = wire.open("e1", "" if place.sequence else "half told")
    return raw + wire.frames([m for m in log if m.sequence > place.sequence]) + wire.ended()


def test_an_answer_with_reasoning() -> None:
    log = run.log(
        run.created(omitted_messages=2),
        run.started(),
        run.thought("hm"),
        run.thought("m"),
        run.said("He"),
        run.said("llo"),
        run.answered("Hello", "hmm"),
        run.completed(),
    )
    message = shown(told(log))
    assert message.id == run.MESSAGE
    assert [part["type"] for part in message.parts] == ["start-step", "reasoning", "text", "finish-step"]
    assert (message.valid("reasoning"), message.valid()) == ("hmm", "Hello")
    assert (message.finish, message.done, message.open) == ("stop", True, {})
    assert message.metadata == {
        "runId": run.RUN,
        "conversationId": run.CONVERSATION,
        "omittedMessages": 2,
        "model": "sage",
        "provider": "demo",
        "usage": {
            "inputTokens": 3,
            "outputTokens": 5,
            "totalTokens": 8,
            "reasoningTokens": 2,
            "cachedInputTokens": 0,
        },
        "costUsd": "0.001",
    }


def test_told_in_short_it_is_the_same() -> None:
    log = run.log(
        run.created(), run.snapshot("Hel", "hmm"), run.said("lo"), run.answered("Hello", "hmm"), run.completed()
    )
    message = shown(told(log))
    assert (message.valid("reasoning"), message.valid(), message.finish) == ("hmm", "Hello", "stop")
    ending = shown(told(run.log(run.created(), run.answered("Hello", "hmm"), run.completed())))
    assert ending.parts == message.parts


@pytest.mark.parametrize(
    ("ending", "error", "aborted"),
    [(run.failed("no credit"), "no credit", False), (run.cancelled(), None, True)],
)
def test_what_was_said_before_a_bad_end_is_kept(ending: events.Event, error: str | None, aborted: bool) -> None:
    half = run.stopped("Hel") if aborted else run.broken("Hel")
    for log in (run.log(run.created(), run.said("Hel"), half, ending), run.log(run.created(), run.said("Hel"), ending)):
        message = shown(told(log))
        assert (message.valid(), message.error, message.aborted) == ("Hel", error, aborted)
        assert message.open == {}
        assert message.done


def test_a_tool_call_is_told_once_the_model_is_sure_of_it() -> None:
    event = events.GenerationToolCall(lane="main", at=1, call_id="call_0", name="weather", arguments="{}")
    calls = (run.called(), run.called("call_2", arguments="no json"))
    log = run.log(
        run.created(),
        event,
        run.restarted(),
        run.said("Look"),
        run.answered("Look", finish_reason="tool_calls", tool_calls=calls),
        run.completed(),
    )
    message = shown(told(log))
    assert [(call["toolCallId"], call["input"]) for call in message.of("tool-input-available")] == [
        ("call_1", {"city": "Rome"}),
        ("call_2", "no json"),
    ]
    assert message.finish == "tool-calls"


def test_calls_of_an_answer_that_was_stopped_are_not_told() -> None:
    half = events.GenerationCancelled(lane="main", at=1, attempt=1, model="sage", tool_calls=(run.called(),))
    assert not shown(told(run.log(run.created(), half, run.cancelled()))).of("tool-input-available")


def test_notices_and_the_queue_are_no_part_of_the_message() -> None:
    notice = events.Notice(lane="main", at=1, code="retrying", message="busy", delay_ms=500)
    log = run.log(events.RunQueued(lane="run", at=1, run_id=run.RUN, ahead=1), run.created(), notice)
    message = shown(told(log))
    assert message.parts == [{"type": "start-step"}]
    assert [chunk["data"] for chunk in message.transient] == [
        {"ahead": 1},
        {"code": "retrying", "message": "busy", "delayMs": 500},
    ]


def test_words_said_again_are_not_shown_again() -> None:
    log = run.log(run.created(), run.said("One two"), run.restarted(), run.said("One t"), run.said("wo three"))
    assert [part.get("text") for part in shown(told(log)).of("text")] == ["One two three"]


@pytest.mark.parametrize("anew", ["Two", "One t", "One tXo three", ""])
def test_other_words_begin_a_new_part_behind_a_mark(anew: str) -> None:
    log = run.log(
        run.created(), run.said("One two"), run.restarted(), run.said(anew), run.answered(anew), run.completed()
    )
    message = shown(told(log))
    assert [part["type"] for part in message.parts][1:3] == ["text", "data-restarted"]
    assert message.valid() == anew


def test_other_words_are_known_by_their_beginning() -> None:
    long = "word " * 500
    message = shown(told(run.log(run.created(), run.said(long), run.restarted(), run.said("other"))))
    assert message.valid() == "other"


def test_a_server_that_stops_says_so_and_cuts() -> None:
    wire = UiMessageWire()
    raw = told(run.log(run.created(), run.said("He")), wire=wire) + wire.leaving(100)
    assert shown(raw).transient[0]["data"]["code"] == "reconnect"
    assert wire.breaks_off
    assert wire.ended() == b""
    wire.frames(run.log(run.answered("He"), run.completed()))
    assert not wire.breaks_off
    assert wire.leaving(100) == wire.ended() == b"data: [DONE]\n\n"


def test_a_cursor_of_another_run_counts_for_nothing() -> None:
    cursor = shown(told(run.log(run.created(), run.said("He")))).cursor
    wire = UiMessageWire(last_event_id=cursor)
    assert wire.resume("chat_2") is None
    assert b'"start"' in wire.frames(run.log(run.created()))
    for text in ("", "e1-5", "e1-5-1-t1n-1.1", "\u0661" * 9, f"{cursor}-", f"{'9' * 100}-1-1-t1n-1.1-1.1"):
        assert UiMessageWire(last_event_id=text).resume(run.RUN) is None


def test_text_that_looks_like_a_frame_is_text() -> None:
    text = 'data: {"type":"finish"}\n\nid: 1\n\n data: [DONE]\n\n\u2028 🌊'
    assert shown(told(run.log(run.created(), run.said(text)))).valid() == text


def random_log(random_: random.Random) -> tuple[list[LogMessage], str, str]:
    """A run with attempts that repeat each other for a while, and what it says in the end."""
    told_: list[events.Event] = [run.created(), run.started()]
    words = [f"{random_.choice('abc')}{'ü🌊x'[number % 3]} " for number in range(12)]
    text = reasoning = ""
    for attempt in range(random_.choice([1, 1, 2, 3])):
        if attempt:
            told_.append(run.restarted(attempt + 1))
            if random_.random() < 0.5:
                words[random_.randrange(12)] = "other "
        text = reasoning = ""
        for word in words[: random_.randrange(12)]:
            if random_.random() < 0.3:
                reasoning += word
                told_.append(run.thought(word))
            else:
                text += word
                told_.append(run.said(word))
    told_ += [run.answered(text, reasoning, tool_calls=(run.called(),)), run.completed()]
    return run.log(*told_), text, reasoning


def test_from_any_cursor_the_rest_is_exactly_the_rest() -> None:
    random_ = random.Random(SEED)
    cuts = 0
    for _ in range(150):
        log, text, reasoning = random_log(random_)
        batches = [list(batch) for _, batch in itertools.groupby(log, lambda _: random_.random() < 0.5)]
        raw = told(*batches)
        expected = shown(raw)
        assert (expected.valid(), expected.valid("reasoning")) == (text, reasoning)
        for offset in random_.sample(range(len(raw)), 20):
            message = Message()
            message.take(complete(raw[:offset]))
            if message.cursor is None:
                continue
            cuts += 1
            message.take(resumed(message, log))
            assert (message.valid(), message.valid("reasoning")) == (text, reasoning)
            assert len(message.of("tool-input-available")) == 1
            assert (message.finish, message.open, message.metadata) == ("stop", {}, expected.metadata)
    assert cuts > 1000


def test_from_any_cursor_the_rest_may_be_told_in_short() -> None:
    """The log was purged meanwhile, or the cursor is one of a replay that broke off."""
    random_ = random.Random(SEED)
    for _ in range(100):
        log, text, reasoning = random_log(random_)
        short = run.in_short([log[0], *log[-2:]])
        raw = told(log)
        for offset in random_.sample(range(len(raw)), 10):
            message = Message()
            message.take(complete(raw[:offset]))
            wire = UiMessageWire(last_event_id=message.cursor)
            wire.resume(run.RUN)
            message.take(wire.open("stored", "gone") + wire.frames(short) + wire.ended())
            assert (message.valid(), message.valid("reasoning"), message.finish) == (text, reasoning, "stop")
            assert message.open == {}
