"""The check of the order sees what is wrong: each test breaks one thing in a run that is right."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.assistants.order import Order
from tests.fixtures.events import Event

Told = list[Event]


def event(kind: str, lane: str = "run", **data: Any) -> Event:
    return Event("", kind, {"type": kind, "lane": lane, **data})


def counted(kind: str, step: str, done: int, **data: Any) -> Event:
    return event(kind, step=step, done=done, total=3, **data)


def answer(lane: str, text: str, ending: str = "generation.completed") -> Told:
    deltas = [event("generation.delta", lane, text=word) for word in text.split("|")]
    return [event("generation.started", lane), *deltas, event(ending, lane, text=text.replace("|", ""))]


def a_run() -> Told:
    """`a` needs two attempts; `b` is approved; `c` has a condition that does not hold."""
    plan = [
        {"step": "a", "name": "A", "model": "m"},
        {"step": "b", "name": "B", "model": "m", "depends_on": ["a"], "approval": True},
        {"step": "c", "name": "C", "model": "m", "depends_on": ["b"], "condition": "x"},
    ]
    outcomes = {"a": "completed", "b": "completed", "c": "skipped"}
    return [
        event("run.created", steps=plan, generations=[]),
        counted("step.started", "a", 0, attempt=1, generation="s1_1"),
        *answer("s1_1", "half", "generation.failed"),
        counted("step.retrying", "a", 0, attempt=1, generation="s1_1", delay_ms=1),
        counted("step.started", "a", 0, attempt=2, generation="s1_2"),
        *answer("s1_2", "who|le"),
        counted("step.completed", "a", 1, attempt=2, generation="s1_2"),
        counted("approval.requested", "b", 1),
        counted("approval.decided", "b", 1, approved=True),
        counted("step.started", "b", 1, attempt=1, generation="s2_1"),
        *answer("s2_1", "b"),
        counted("step.completed", "b", 2, attempt=1, generation="s2_1"),
        counted("step.skipped", "c", 3, reason="condition"),
        event("run.completed", steps=[{"step": step, "outcome": outcome} for step, outcome in outcomes.items()]),
    ]


def problems(told: Told) -> list[str]:
    order = Order()
    for each in told:
        order.take(each.type, each.data)
    return order.whole()


def swapped(one: int, other: int) -> Callable[[Told], None]:
    def change(told: Told) -> None:
        told[one], told[other] = told[other], told[one]

    return change


def without(kind: str) -> Callable[[Told], None]:
    def change(told: Told) -> None:
        del told[next(place for place, each in enumerate(told) if each.type == kind)]

    return change


def twice(kind: str) -> Callable[[Told], None]:
    def change(told: Told) -> None:
        place = next(place for place, each in enumerate(told) if each.type == kind)
        told.insert(place, told[place])

    return change


def otherwise(kind: str, **data: Any) -> Callable[[Told], None]:
    def change(told: Told) -> None:
        next(each for each in told if each.type == kind).data.update(data)

    return change


def test_a_run_that_is_right_has_no_problem() -> None:
    assert problems(a_run()) == []


def test_who_is_told_anew_after_a_reset_has_no_problem() -> None:
    assert problems([*a_run()[:9], event("reset"), *a_run()]) == []


BROKEN: dict[str, Callable[[Told], None]] = {
    "a step begins before the ending of what it depends on": swapped(11, 14),
    "a step ends before its generation": swapped(10, 11),
    "an answer before its step begins": swapped(6, 7),
    "an attempt begins before the one before was given up": without("step.retrying"),
    "nobody approved": without("approval.decided"),
    "rejected, and begun all the same": otherwise("approval.decided", approved=False),
    "asked twice": twice("approval.requested"),
    "decided twice": twice("approval.decided"),
    "a step ends twice": twice("step.completed"),
    "a generation ends twice": twice("generation.completed"),
    "a word is told twice": twice("generation.delta"),
    "a word is missing": without("generation.delta"),
    "the run ends twice": twice("run.completed"),
    "a step does not end": without("step.skipped"),
    "the run does not end": without("run.completed"),
    "the count is wrong": otherwise("step.skipped", done=2),
    "the ending tells another outcome": otherwise("run.completed", steps=[{"step": "a", "outcome": "failed"}]),
    "an unknown step": otherwise("step.skipped", step="d"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_seen(name: str) -> None:
    told = a_run()
    BROKEN[name](told)
    assert problems(told)
