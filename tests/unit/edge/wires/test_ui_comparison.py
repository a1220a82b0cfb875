"""A comparison as one UI message: every lane in its slot, whatever is cut, told in short, or begun again."""

import random
from collections.abc import Sequence

import pytest

from contracts import events
from kit.runlog.blind import LANE_ERROR, redact
from kit.runlog.reads import LogMessage
from services.edge.wires.ui_comparison import UiComparisonWire
from tests.fixtures import compare_log as log
from tests.fixtures.ui_message import Message, complete

SEED = 20261127
RUN = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab"


def told(messages: Sequence[LogMessage]) -> bytes:
    wire = UiComparisonWire()
    wire.resume(RUN)
    return wire.open("e1") + wire.frames(messages) + wire.ended()


def shown(raw: bytes) -> Message:
    message = Message()
    message.take(raw)
    return message


def blindly(messages: Sequence[LogMessage]) -> list[LogMessage]:
    return [hidden for each in messages if (hidden := redact(each)) is not None]


def resumed(message: Message, messages: Sequence[LogMessage]) -> bytes:
    """What a client with a cursor is sent, if the log is told whole, and anew where the cursor says so."""
    wire = UiComparisonWire(message.cursor)
    place = wire.resume(RUN)
    assert place is not None
    raw = wire.open("e1", "" if place.sequence else "half told")
    return raw + wire.frames([m for m in messages if m.sequence > place.sequence]) + wire.ended()


def test_every_lane_has_its_texts_and_says_how_it_did() -> None:
    message = shown(told(log.log(*log.comparison(RUN))))
    assert message.id == message.metadata["runId"] == RUN
    assert (message.valid(slot=0), message.valid(slot=1)) == ("Hello", "Grüße")
    assert message.valid("reasoning", slot=0) == f"{log.WHOSE}-thought"
    one, two = message.slots
    assert (one["lane"], one["model"], one["status"], one["finishReason"]) == (
        log.ONE,
        log.MODEL,
        "completed",
        "length",
    )
    assert (one["usage"]["inputTokens"], one["timings"]["totalMs"], one["costUsd"]) == (log.WHICH, log.WHICH, log.COST)
    assert (two["status"], two["error"]) == ("failed", {"code": log.ERROR, "message": log.ERROR})
    assert (message.finish, message.error, message.done, message.open) == ("stop", None, True, {})
    texts = message.of("text")
    assert {(part["of"]["slot"], part["of"]["lane"], part["of"]["model"]) for part in texts} == {
        (0, log.ONE, log.MODEL),
        (1, log.TWO, log.MODEL),
    }


def test_lanes_that_are_told_by_turns_do_not_break_into_pieces() -> None:
    turns = [each for letter in "abcdef" for each in (log.said(letter, log.ONE), log.said(letter.upper(), log.TWO))]
    message = shown(told(log.log(log.created(RUN), log.started(log.ONE), log.started(log.TWO), *turns)))
    assert [part["text"] for part in message.of("text")] == ["abcdef", "ABCDEF"]
    assert [slot["status"] for slot in message.slots] == ["running", "running"]
    assert not message.done


def test_before_the_vote_it_does_not_say_whose_the_lanes_are() -> None:
    raw = told(blindly(log.log(*log.comparison(RUN))))
    assert not log.tells_whose(raw)
    message = shown(raw)
    assert message.slots == [
        {"lane": log.ONE, "status": "completed", "finishReason": "stop"},
        {"lane": log.TWO, "status": "failed", "error": {"code": LANE_ERROR.code, "message": LANE_ERROR.message}},
    ]
    assert (message.valid(slot=0), message.valid(slot=1), message.metadata["blind"]) == ("Hello", "Grüße", True)


@pytest.mark.parametrize("hidden", [False, True])
def test_every_cut_is_continued_exactly(hidden: bool) -> None:
    dice = random.Random(SEED)
    messages = log.log(*log.comparison(RUN))
    if hidden:
        messages = blindly(messages)
    raw = told(messages)
    whole = shown(raw)
    for offset in [*range(1, len(raw), 7), *(dice.randrange(len(raw)) for _ in range(50))]:
        message = Message()
        message.take(complete(raw[:offset]))
        if message.cursor is None:
            continue
        message.take(resumed(message, messages))
        assert [message.valid(slot=slot) for slot in (0, 1)] == ["Hello", "Grüße"]
        assert [message.valid("reasoning", slot=slot) for slot in (0, 1)] == [
            whole.valid("reasoning", slot=slot) for slot in (0, 1)
        ]
        assert (message.slots, message.finish, message.open) == (whole.slots, "stop", {})


def test_told_in_short_it_is_the_same() -> None:
    ending = log.run_completed(RUN)
    short = [
        log.created(RUN),
        log.snapshot("Hel", 30),
        log.said("lo"),
        log.failed("Grüße"),
        log.completed("Hello"),
        ending,
    ]
    message, whole = shown(told(log.log(*short))), shown(told(log.log(*log.comparison(RUN))))
    assert [message.valid(slot=slot) for slot in (0, 1)] == [whole.valid(slot=slot) for slot in (0, 1)]
    assert message.slots == whole.slots


def test_a_client_that_is_told_anew_in_the_middle_of_a_lane_gets_the_rest_of_each() -> None:
    begun = [
        log.created(RUN),
        log.started(log.ONE),
        log.started(log.TWO),
        log.said("Hel"),
        log.completed("Tschüs", log.TWO),
    ]
    half = Message()
    half.take(told(log.log(*begun)))
    wire = UiComparisonWire(half.cursor)
    wire.resume(RUN)
    short = [
        log.created(RUN),
        log.completed("Tschüs", log.TWO),
        log.snapshot("Hell", 90),
        log.said("o"),
        log.completed("Hello"),
    ]
    anew = [each._replace(sequence=0) for each in log.log(*short)[:3]] + log.log(*short)[3:]
    raw = wire.open("e1", "the log is another one") + wire.frames(anew)
    half.take(raw)
    assert (half.valid(slot=0), half.valid(slot=1), half.of("data-restarted")) == ("Hello", "Tschüs", [])
    assert half.cursor is not None
    assert half.cursor.startswith("e1-39-")  # nothing is held back any more


def test_another_text_takes_the_first_back_in_its_own_slot_only() -> None:
    events_ = [log.created(RUN), log.said("Bye", log.ONE), log.said("Hi", log.TWO), log.restarted(log.ONE)]
    ends = [log.said("Good", log.ONE), log.completed("Good", log.ONE), log.completed("Hi", log.TWO)]
    message = shown(told(log.log(*events_, *ends, log.run_completed(RUN))))
    assert (message.valid(slot=0), message.valid(slot=1)) == ("Good", "Hi")
    (restarted,) = message.of("data-restarted")
    assert (restarted["data"]["kind"], restarted["data"]["slot"]) == ("text", 0)


@pytest.mark.parametrize(
    ("ending", "error", "aborted"), [(log.run_failed(RUN), log.ERROR, False), (log.run_cancelled(RUN), None, True)]
)
def test_a_run_that_fails_or_is_stopped_closes_every_part(ending: events.Event, error: str, aborted: bool) -> None:
    message = shown(told(log.log(log.created(RUN), log.said("Hel"), log.cancelled("Hel", log.ONE), ending)))
    assert (message.error, message.aborted, message.open, message.done) == (error, aborted, {}, True)
    assert message.slots[0]["status"] == "cancelled"


def test_a_retry_is_noticed_in_its_slot_and_a_server_that_stops_is_cut_off() -> None:
    wire = UiComparisonWire()
    wire.resume(RUN)
    raw = wire.open("e1") + wire.frames(log.log(log.created(RUN), log.noticed(log.TWO, "retrying")))
    assert wire.breaks_off
    message = shown(raw + wire.leaving(700) + wire.ended())
    assert [(notice["data"]["code"], notice["data"].get("slot")) for notice in message.transient] == [
        ("retrying", 1),
        ("reconnect", None),
    ]


@pytest.mark.parametrize(
    "text", ["", "x", "e1-18", "e1-18-abc_zz.n0n-0.0-0.0", "e1-18-abc-n0n-0.0-0.0", "e1-18-abc_1.x0n-0.0-0.0"]
)
def test_what_is_no_cursor_counts_for_nothing(text: str) -> None:
    wire = UiComparisonWire(text)
    assert wire.resume(RUN) is None
    other = UiComparisonWire("e1-18-abc_1.n0n-0.0-0.0")
    assert other.resume(RUN) is None
