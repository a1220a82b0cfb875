"""The decisions of compare: how runs end, and what is told of them."""

from typing import Any

import pytest

from contracts import events
from contracts.content import Turn
from services.compare import core
from services.compare.hiding import hidden_events
from services.compare.shown import comparison, run_of
from tests.unit.compare.rows import NOW, begun, end, ending

C, F, X = events.GenerationCompleted, events.GenerationFailed, events.GenerationCancelled


@pytest.mark.parametrize(
    ("kinds", "stopped", "status"),
    [
        ((C, C), False, "completed"),
        ((C, F), False, "completed"),
        ((C, X), True, "completed"),
        ((F, F), False, "failed"),
        ((F, X), False, "failed"),
        ((F, X), True, "cancelled"),
        ((F, F), True, "cancelled"),
        ((X, X), False, "cancelled"),
    ],
)
def test_one_answer_is_enough_and_without_any_it_matters_whether_somebody_stopped_it(
    kinds: tuple[type, ...], stopped: bool, status: str
) -> None:
    compared = end(begun(), *kinds)
    result = core.result_of(compared.lanes, stopped=stopped)
    assert result is not None
    assert result.status == status
    assert (result.error == core.ALL_FAILED) == (status == "failed")


def test_a_run_goes_on_while_one_of_its_lanes_does() -> None:
    compared = begun()
    core.end_lane(compared.lanes[0], ending(compared.lanes[0]), "all", "")
    assert core.result_of(compared.lanes, stopped=True) is None
    core.end_at_once(compared)
    assert (compared.run.status, compared.run.ended_at) == ("running", None)


@pytest.mark.parametrize(
    ("usage", "timings", "speed"),
    [
        (events.Usage(1, 50), events.Timings(0, 200, 1200), 50.0),
        (events.Usage(1, 10), events.Timings(0, 0, 3000), 3.33),
        (events.Usage(1, 50), events.Timings(0, None, 1200), None),
        (events.Usage(1, 50), events.Timings(0, 1200, 1200), None),
        (events.Usage(1, 0), events.Timings(0, 200, 1200), None),
        (None, events.Timings(0, 200, 1200), None),
        (events.Usage(1, 50), None, None),
    ],
)
def test_speed_is_told_where_it_can_be_told(
    usage: events.Usage | None, timings: events.Timings | None, speed: float | None
) -> None:
    assert core.tokens_per_second(usage, timings) == speed


@pytest.mark.parametrize("kind", [C, F, X])
def test_an_ending_is_the_same_after_it_was_stored(kind: type) -> None:
    lane = begun().lanes[0]
    written = ending(lane, kind)
    core.end_lane(lane, written, "by m1", "hm")
    assert core.ending_of(lane) == written


def test_what_cannot_be_stored_is_dropped_from_a_text() -> None:
    lane = begun().lanes[0]
    core.end_lane(lane, ending(lane, F, error=events.Error("x", "a\x00b")), "a\x00b", "\x00")
    assert (lane.text, lane.reasoning, lane.error) == ("ab", None, {"code": "x", "message": "ab"})


def test_a_replay_is_the_beginning_each_ending_and_the_ending_of_all() -> None:
    created, first, second, ended = core.replay(end(begun(), C, F))
    assert isinstance(created, events.RunCreated)
    assert [(plan.lane, plan.model) for plan in created.generations] == [("lane_0", "m1"), ("lane_1", "m2")]
    assert (first.lane, second.lane) == ("lane_0", "lane_1")
    assert isinstance(ended, events.RunCompleted)
    assert [(lane.lane, lane.outcome, lane.error_code) for lane in ended.lanes] == [
        ("lane_0", "completed", None),
        ("lane_1", "failed", "provider_unavailable"),
    ]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Hello  there", "Hello there"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("", ""),
    ],
)
def test_the_title_is_the_beginning_of_the_question(question: str, title: str) -> None:
    turns = (Turn(role="user", content="Earlier"), Turn(role="assistant", content="Yes?"))
    assert core.title_from((*turns, Turn(role="user", content=question))) == title


SECRETS = ("m1", "m2", "of-", '"p"', "hm", "0.25", "usage", "timings", "provider_unavailable", "length", "tokens")


def told(values: list[Any]) -> str:
    return " ".join(events.encode(event).decode() for event in values)


@pytest.mark.parametrize("kinds", [(C, F), (F, F), (X, C), (X, X)])
def test_a_hidden_replay_says_nothing_of_the_models(kinds: tuple[type, ...]) -> None:
    compared = end(begun(run_id="cmp_1_blind"), *kinds)
    for lane in compared.lanes:
        lane.text = "the text"
    whole, hidden = told(core.replay(compared)), told(hidden_events(core.replay(compared)))
    assert [secret for secret in SECRETS if secret in hidden] == []
    assert all(secret in whole for secret in ("m1", "m2", "0.25")), "the secrets are those that it would tell"
    assert hidden.count("the text") == 2
    assert "lane_0" in hidden


def test_an_event_that_is_new_to_a_replay_says_nothing_by_mistake() -> None:
    started = events.GenerationStarted(lane="l", at=1, attempt=1, model="m1", provider="p")
    thought = events.GenerationReasoning(lane="l", at=1, text="hm")
    hidden = hidden_events([started, thought])
    assert [events.type_of(event) for event in hidden] == ["generation.started"]
    assert [secret for secret in SECRETS if secret in told(list(hidden))] == []


def test_a_hidden_comparison_says_nothing_of_the_models() -> None:
    compared = end(begun(run_id="cmp_1_blind"), C, F)
    for lane in compared.lanes:
        lane.text, lane.origin_run_id, lane.origin_lane = "the text", "cmp_0", "lane_7"
    for shown in (comparison(compared, {}), run_of(compared)):
        body = shown.model_dump_json(exclude_none=True)
        assert [secret for secret in (*SECRETS, "cmp_0") if secret in body] == []
    body = comparison(compared._replace(run=begun().run), {}).model_dump_json(exclude_none=True)
    assert all(secret in body for secret in ("m1", "hm", "0.25", "provider_unavailable", "cmp_0"))


def test_a_run_has_no_single_text() -> None:
    run = run_of(end(begun(), C, C))
    assert (run.model, run.text, run.kind, run.created_at) == ("m1, m2", None, "compare", NOW)
