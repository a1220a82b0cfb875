"""The decisions of a generation."""

import pytest

from contracts import events
from contracts.generation import Timeouts
from kit.settings import InferenceSettings
from services.inference import core, pickup

MAX_ATTEMPTS = 3


def started(attempt: int) -> events.GenerationStarted:
    return events.GenerationStarted(lane="main", at=0, attempt=attempt, model="m", provider="p")


TEXT = events.GenerationDelta(lane="main", at=0, text="x")
REASONING = events.GenerationReasoning(lane="main", at=0, text="x")
COMPLETED = events.GenerationCompleted(lane="main", at=0, attempt=1, model="m", provider="p", finish_reason="stop")
FAILED = events.GenerationFailed(lane="main", at=0, attempt=1, model="m", error=events.Error("code", "why"))
CANCELLED = events.GenerationCancelled(lane="main", at=0, attempt=0, model="m")


@pytest.mark.parametrize(
    ("lane", "decision"),
    [
        ([], pickup.Begin(1, 0)),
        ([started(1)], pickup.Begin(2, 1)),
        ([started(1), TEXT], pickup.Begin(2, 2)),
        ([started(1), TEXT, started(2), started(3)], pickup.Begin(4, 4)),
        ([started(1), started(2), started(3)], pickup.GiveUp(attempts=3)),
        ([started(1), TEXT, started(2), started(3), started(4)], pickup.GiveUp(attempts=4)),
        ([started(1), started(2), started(3), REASONING], pickup.Begin(4, 4)),
        ([started(1), None], pickup.Begin(2, 2)),
        *(([started(1), TEXT, ending], pickup.Ended(3, ending)) for ending in (COMPLETED, FAILED, CANCELLED)),
        ([CANCELLED], pickup.Ended(1, CANCELLED)),
    ],
)
def test_what_a_lane_says_decides_what_a_worker_does(lane: list[events.Event | None], decision: object) -> None:
    made = pickup.on_pickup(list(enumerate(lane, start=1)), MAX_ATTEMPTS)
    if isinstance(decision, pickup.Begin):
        assert isinstance(made, pickup.Begin)
        assert (made.attempt, made.last) == (decision.attempt, decision.last)
    else:
        assert made == decision


def test_a_deploy_every_day_is_no_poison() -> None:
    lane: list[events.Event] = []
    for attempt in range(1, 100):
        lane += [started(attempt), TEXT]
    assert isinstance(pickup.on_pickup(list(enumerate(lane, start=1)), MAX_ATTEMPTS), pickup.Begin)


def test_three_limits_are_three_limits() -> None:
    limits = core.Limits(first_token=10, silence=5, total=100)
    for last_chunk, moment, code in [
        (None, 10, "first_token_timeout"),
        (0.0, 5, "silence_timeout"),
        (90.0, 95, "silence_timeout"),
        (98.0, 100, "total_timeout"),
    ]:
        at, error = limits.deadline(0.0, 0.0, last_chunk)
        assert (at, error.code) == (moment, code)
    assert core.Limits(first_token=10, silence=5, total=None).deadline(0.0, 0.0, 1e6)[0] == 1e6 + 5
    assert core.Limits(first_token=10, silence=5, total=3).deadline(0.0, 0.0, None)[1].code == "total_timeout"


def test_the_requests_limits_come_before_the_models_and_those_before_the_workers() -> None:
    worker = InferenceSettings(first_token_timeout_seconds=1, silence_timeout_seconds=2, total_timeout_seconds=3)
    model = Timeouts(first_token_seconds=10, silence_seconds=20)
    request = Timeouts(first_token_seconds=100)
    assert core.limits(Timeouts(), Timeouts(), worker) == core.Limits(1, 2, 3)
    assert core.limits(Timeouts(), model, worker) == core.Limits(10, 20, 3)
    assert core.limits(request, model, worker) == core.Limits(100, 20, 3)
