"""An assistant's run as one UI message: every step in its part, whatever is cut, told in short, or told anew."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.wires.ui_assistant import UiAssistantWire
from tests.fixtures import assistant_log as log
from tests.fixtures.compare_log import log as stored
from tests.fixtures.ui_message import Message, complete

SEED = 20261127
RUN = "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
STATUSES = ["completed", "completed", "completed", "skipped", "failed", "completed"]


def told(messages: Sequence[LogMessage], epoch: str = "e1") -> bytes:
    wire = UiAssistantWire()
    wire.resume(RUN)
    return wire.open(epoch) + wire.frames(messages) + wire.ended()


def shown(raw: bytes) -> Message:
    message = Message()
    message.take(raw)
    return message


def steps(message: Message) -> dict[str, dict[str, Any]]:
    """How each step does."""
    return {part["data"]["step"]: part["data"] for part in message.of("data-step")}


def output(message: Message, step: str) -> str:
    """As docs/architect.md has it: what was said in the lane of the newest attempt, and not taken back."""
    return valid(message, steps(message)[step].get("lane"))


def valid(message: Message, lane: str | None, kind: str = "text") -> str:
    text = ""
    for part in message.parts:
        if (part.get("of") or part.get("data") or {}).get("lane") != lane:
            continue
        if part["type"] == "data-restarted" and part["data"]["kind"] == kind:
            text = ""
        elif part["type"] == kind:
            text += part["text"]
    return text


def outputs(message: Message) -> dict[str, str]:
    return {step: output(message, step) for step in log.OUTPUTS}


def resumed(message: Message, messages: Sequence[LogMessage], epoch: str = "e1") -> bytes:
    """What a client with a cursor is sent, if the log is told whole, and anew where the cursor says so."""
    wire = UiAssistantWire(message.cursor)
    place = wire.resume(RUN)
    assert place is not None
    after = place.sequence if place.epoch == epoch else 0
    raw = wire.open(epoch, "" if after else "told anew")
    return raw + wire.frames([m for m in messages if m.sequence > after]) + wire.ended()


def test_every_step_says_how_it_did_and_has_its_text() -> None:
    message = shown(told(stored(*log.run(RUN))))
    assert message.id == message.metadata["runId"] == RUN
    assert (message.metadata["assistantId"], message.metadata["assistantVersion"]) == ("asst_1", 2)
    assert [(step["step"], step["name"]) for step in message.metadata["steps"]] == [
        (name, name.title()) for name in log.NAMES
    ]
    found = steps(message)
    assert ([*found], [step["status"] for step in found.values()]) == ([*log.NAMES], STATUSES)
    assert [step["done"] for step in found.values()] == [1, 2, 3, 4, 5, 6]
    assert outputs(message) == log.OUTPUTS
    assert found[log.RIGHT] == {
        "step": log.RIGHT,
        "status": "completed",
        "done": 3,
        "total": 6,
        "attempt": 2,
        "lane": "s3_2",
    }
    assert found[log.CHECK]["reason"] == "condition"
    assert (found[log.LETTER]["error"]["code"], found[log.LETTER]["policy"]) == (log.ERROR.code, "continue")
    assert valid(message, "s1_1", "reasoning") == "Hm. "
    bills = [part["data"] for part in message.of("data-usage")]
    assert [bill["lane"] for bill in bills] == ["s1_1", "s3_1", "s2_1", "s3_2", "s5_1", "s6_1"]
    assert (bills[0]["usage"]["inputTokens"], bills[0]["costUsd"], bills[0]["finishReason"]) == (12, "0.5", "stop")
    assert (message.metadata["usage"]["totalTokens"], message.metadata["costUsd"]) == (15, "1.5")
    assert (message.finish, message.error, message.done, message.open) == ("stop", None, True, {})


def test_a_chain_is_one_step_of_the_sdk_after_another_and_those_side_by_side_share_one() -> None:
    raw = told(stored(*log.run(RUN)))
    message = shown(raw)
    assert message.steps == (4, 4)  # draft; left and right; letter; last
    kinds = [line.split('"')[3] for line in raw.decode().split("\n") if line.startswith("data: {")]
    first = kinds.index("start-step")
    assert kinds[first : kinds.index("finish-step") + 1] == [
        "start-step",
        "data-step",
        *("reasoning-start", "reasoning-delta", "reasoning-end"),
        *("text-start", "text-delta", "text-delta", "text-end"),
        "data-usage",
        "data-step",
        "finish-step",
    ]


def test_what_a_failed_attempt_said_does_not_stay() -> None:
    told_so_far = log.run(RUN)
    at = next(number for number, event in enumerate(told_so_far) if isinstance(event, events.StepRetrying))
    message = shown(told(stored(*told_so_far[: at + 1])))
    assert steps(message)[log.RIGHT]["status"] == "retrying"
    assert steps(message)[log.RIGHT]["error"]["message"] == log.ERROR.message
    assert valid(message, "s3_1") == ""
    assert "Quite wro" in [
        part["text"] for part in message.of("text")
    ]  # the client has it, and is told that it is void
    whole = shown(told(stored(*told_so_far)))
    assert (valid(whole, "s3_1"), valid(whole, "s3_2")) == ("", "Right, at last")


def test_steps_side_by_side_are_not_told_in_pieces() -> None:
    turns = [each for letter in "abcdef" for each in (log.said("s1_1", letter), log.said("s2_1", letter.upper()))]
    raw = told(stored(log.created(RUN), log.begun(log.DRAFT, "s1_1"), log.begun(log.LEFT, "s2_1"), *turns))
    message = shown(raw)
    assert [part["text"] for part in message.of("text")] == ["abcdef", "ABCDEF"]
    assert (message.steps, message.done) == ((1, 0), False)


def test_an_approval_is_asked_for_and_decided() -> None:
    waits = [log.created(RUN), log.asked(log.LETTER, done=0)]
    step = steps(shown(told(stored(*waits))))[log.LETTER]
    assert (step["status"], step["instructions"], step["expiresAt"]) == ("approval", "Is it polite?", 9000)
    for approved, status in ((True, "ready"), (False, "rejected")):
        step = steps(shown(told(stored(*waits, log.decided(log.LETTER, approved)))))[log.LETTER]
        assert (step["status"], step["by"], step["comment"]) == (status, "ada", "It is.")
    rejected = [*waits, log.decided(log.LETTER, approved=False), log.broken(log.LETTER, None, attempt=0)]
    message = shown(told(stored(*rejected)))
    assert steps(message)[log.LETTER]["status"] == "failed"
    assert message.steps == (0, 0)


def test_a_step_of_an_earlier_run_is_shown_without_having_begun() -> None:
    source = events.LaneSource("arc_0", "s1_2")
    forked = [
        log.created(RUN, parent_run_id="arc_0"),
        log.completed("s1_1", "Hello"),
        log.done(log.DRAFT, "s1_1", source=source),
        log.begun(log.LEFT, "s2_1"),
    ]
    message = shown(told(stored(*forked)))
    assert (output(message, log.DRAFT), message.metadata["parentRunId"]) == ("Hello", "arc_0")
    assert steps(message)[log.DRAFT]["source"] == {"runId": "arc_0", "lane": "s1_2"}
    assert message.steps == (2, 1)


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_run_that_ends_otherwise(ending: str) -> None:
    begun = [log.created(RUN), log.begun(log.DRAFT, "s1_1"), log.said("s1_1", "Hel")]
    last = log.run_failed(RUN) if ending == "failed" else log.run_cancelled(RUN)
    message = shown(told(stored(*begun, log.cancelled("s1_1", "Hel"), log.stopped(log.DRAFT, "s1_1"), last)))
    assert (message.aborted, message.error) == (
        ending == "cancelled",
        log.ERROR.message if ending == "failed" else None,
    )
    assert (steps(message)[log.DRAFT]["status"], output(message, log.DRAFT)) == ("cancelled", "Hel")
    assert (message.done, message.open, message.steps) == (True, {}, (1, 1))
    sudden = shown(told(stored(*begun, last)))
    assert (sudden.open, sudden.steps, sudden.done) == ({}, (1, 1), True)


def test_every_cut_is_continued_exactly() -> None:
    dice = random.Random(SEED)
    messages = stored(*log.run(RUN))
    raw = told(messages)
    whole = shown(raw)
    cuts = 0
    for offset in [*range(1, len(raw), 11), *(dice.randrange(len(raw)) for _ in range(50))]:
        message = Message()
        message.take(complete(raw[:offset]))
        if message.cursor is None:
            continue
        cuts += 1
        message.take(resumed(message, messages))
        assert message.parts == whole.parts
        assert (message.metadata, message.finish, message.open) == (whole.metadata, "stop", {})
        assert message.steps == (4, 4)
    assert cuts > 100


def test_every_cut_is_told_anew_from_another_log() -> None:
    messages = stored(*log.run(RUN))
    raw = told(messages)
    whole = shown(raw)
    for offset in range(1, len(raw), 37):
        message = Message()
        message.take(complete(raw[:offset]))
        if message.cursor is None:
            continue
        message.take(resumed(message, messages, epoch="e2"))
        assert (outputs(message), steps(message)) == (log.OUTPUTS, steps(whole))
        assert (message.metadata, message.finish, message.open) == (whole.metadata, "stop", {})
        assert message.steps == (4, 4)


def in_short(events_: Sequence[events.Event]) -> list[events.Event]:
    """As kit/runlog/replay.py tells it: of a lane that has ended only the ending, at its place."""
    ended = {event.lane for event in events_ if isinstance(event, events.GenerationEnding)}
    return [
        event
        for event in events_
        if event.lane == "run" or event.lane not in ended or isinstance(event, events.GenerationEnding)
    ]


def test_told_in_short_it_is_the_same() -> None:
    message, whole = shown(told(stored(*in_short(log.run(RUN))))), shown(told(stored(*log.run(RUN))))
    assert outputs(message) == log.OUTPUTS
    assert (steps(message), message.of("data-usage")) == (steps(whole), whole.of("data-usage"))
    assert message.steps == (4, 4)


@pytest.mark.parametrize("whole_run", [False, True])
def test_a_client_that_is_told_anew_in_the_middle_of_a_step_gets_the_rest(whole_run: bool) -> None:
    """The second replay is cut as well: until every lane is told its cursor is 0."""
    run = log.run(RUN)
    for begun in range(2, len(run)):
        half = shown(told(stored(*run[:begun])))
        assert half.cursor is not None
        anew = stored(*(run if whole_run else in_short(run)))
        place, _, state = half.cursor.partition("-")
        _, _, state = state.partition("-")
        wire = UiAssistantWire(f"{place}-0-{state}")
        wire.resume(RUN)
        half.take(wire.open("e1", "half told") + wire.frames([each._replace(sequence=0) for each in anew[:-1]]))
        half.take(wire.frames(anew[-1:]) + wire.ended())
        assert (outputs(half), steps(half)) == (log.OUTPUTS, steps(shown(told(anew)))), begun
        assert (half.finish, half.open, half.steps) == ("stop", {}, (4, 4)), begun


def test_its_cursor_stays_short_however_many_attempts_are_over() -> None:
    names = [f"step{number}" for number in range(1, 51)]
    events_: list[events.Event] = [log.created(RUN, *log.plan(*names))]
    for number, name in enumerate(names, start=1):
        for attempt in (1, 2, 3):
            lane = log.lane(number, attempt)
            events_ += [log.begun(name, lane, attempt), log.said(lane, "word"), log.completed(lane, "word")]
            events_ += [log.retrying(name, lane, attempt) if attempt < 3 else log.done(name, lane, attempt)]
    message = shown(told(stored(*events_)))
    assert message.cursor is not None
    assert len(message.cursor) < 120
    assert all(output(message, name) == "word" for name in names)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        "e1-5",
        "e1-5-abc",
        "e1-5-abc_x.1",
        "e1-5-abc_1.A",
        "e1-5-abc_1.1_1.1",
        "e1-5-abc_1.1_0.1.n0n-0.0-0.0",
    ],
)
def test_a_cursor_that_is_none_of_ours_is_told_everything(sent: str) -> None:
    wire = UiAssistantWire(sent)
    assert wire.resume(RUN) is None
    message = shown(wire.open("e1") + wire.frames(stored(*log.run(RUN))) + wire.ended())
    assert (message.id, outputs(message)) == (RUN, log.OUTPUTS)


def test_a_cursor_of_another_run_is_told_everything() -> None:
    message = shown(told(stored(*log.run(RUN)[:6])))
    assert UiAssistantWire(message.cursor).resume("arc_other") is None


def test_lanes_and_types_that_it_does_not_know_are_left_out() -> None:
    known = stored(log.created(RUN), log.begun(log.DRAFT, "s1_1"), log.said("s1_1", "Hi"))
    more = [
        LogMessage(100, b"main", events.encode(log.said("main", "x"))),
        LogMessage(101, b"run", b'{"type":"step.polished","lane":"run","at":1}'),
    ]
    assert told([*known, *more]) == told(known)


def test_who_is_sent_away_is_cut_and_not_ended() -> None:
    wire = UiAssistantWire()
    wire.resume(RUN)
    wire.frames(stored(log.created(RUN)))
    assert wire.breaks_off
    assert b"data-notice" in wire.leaving(5)
    assert wire.ended() == b""
