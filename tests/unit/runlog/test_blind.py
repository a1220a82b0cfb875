"""What is told of a blind comparison: every type of event, with something to hide in each of its fields."""

from typing import Any

import pytest

from contracts import events
from kit.runlog.blind import redact, redacted
from kit.runlog.reads import LogMessage
from tests.fixtures import compare_log as log

RUN = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab_blind"
ALL: list[events.Event] = [
    *log.comparison(RUN),
    log.snapshot("Hel", covers=18),
    log.cancelled("Grü"),
    log.run_failed(RUN),
    log.run_cancelled(RUN),
    events.RunQueued(lane="run", at=1, run_id=RUN, ahead=2),
    events.Reset(lane="run", at=log.WHICH, reason=log.WHOSE),
]


def test_every_type_of_event_is_looked_at() -> None:
    never_in_a_comparison = set(events.StepEvent.__args__)
    assert {type(event) for event in ALL} == set(events.Event.__args__) - never_in_a_comparison


@pytest.mark.parametrize("event", ALL, ids=events.type_of)
def test_nothing_says_whose_an_answer_is(event: events.Event) -> None:
    assert log.tells_whose(events.encode(event)) or events.type_of(event) in ("run.queued",)
    told = redacted(event)
    if told is not None:
        assert not log.tells_whose(events.encode(told))
        assert events.type_of(told) == events.type_of(event)
        assert told.lane == event.lane
        assert redacted(told) == told


def test_what_is_nobodys_business_is_not_told_at_all() -> None:
    silent = {events.type_of(event) for event in ALL if redacted(event) is None}
    assert silent == {"generation.reasoning", "generation.tool_call", "generation.attached", "reset"}


def test_the_words_the_lanes_and_how_each_ended_stay() -> None:
    told = [message for event in log.log(*log.comparison(RUN)) if (message := redact(event)) is not None]
    texts: dict[str, str] = {}
    endings: dict[str, Any] = {}
    for message in told:
        event = events.decode(message.payload)
        if isinstance(event, events.GenerationDelta):
            texts[event.lane] = texts.get(event.lane, "") + event.text
        elif isinstance(event, events.GenerationRestarted):
            texts[event.lane] = ""
        elif isinstance(event, events.GenerationCompleted | events.GenerationFailed):
            endings[event.lane] = event
    assert texts == {log.ONE: "Hello", log.TWO: "Grüße"} == {lane: event.text for lane, event in endings.items()}
    assert (endings[log.ONE].finish_reason, endings[log.TWO].error.code) == ("stop", "lane_failed")
    last = events.decode(told[-1].payload)
    assert isinstance(last, events.RunCompleted)
    assert last.lanes == (events.LaneSummary(log.ONE, "completed"), events.LaneSummary(log.TWO, "failed"))


def test_a_reused_lane_says_where_it_comes_from_and_a_run_that_failed_why_in_general() -> None:
    source = events.LaneSource("cmp_parent_blind", "lane_before")
    plan = events.GenerationPlan(log.ONE, log.MODEL, source)
    created = events.RunCreated(
        lane="run", at=1, run_id=RUN, kind="compare", generations=(plan,), parent_run_id="cmp_p"
    )
    told = redacted(created)
    assert isinstance(told, events.RunCreated)
    assert (told.generations, told.parent_run_id) == ((events.GenerationPlan(log.ONE, "", source),), "cmp_p")
    for code, shown in (("all_lanes_failed", "all_lanes_failed"), (log.ERROR, "comparison_failed")):
        failed = redacted(log.run_failed(RUN, code))
        assert isinstance(failed, events.RunFailed)
        assert failed.error.code == shown


def test_the_place_of_an_event_stays_and_one_of_tomorrow_is_not_told() -> None:
    message = log.log(log.said("Hello"))[0]
    told = redact(message)
    assert told is not None
    assert (told.sequence, told.lane) == (message.sequence, message.lane)
    assert redact(LogMessage(1, b"x", b'{"type":"generation.of_tomorrow","lane":"x","at":1,"model":"m"}')) is None


def test_a_long_text_keeps_its_reference_and_a_long_thought_does_not() -> None:
    told = redacted(log.completed("", text_ref="run.lane.1.text", reasoning_ref=f"{log.WHOSE}-thought"))
    assert isinstance(told, events.GenerationCompleted)
    assert (told.text_ref, told.reasoning_ref) == ("run.lane.1.text", None)
