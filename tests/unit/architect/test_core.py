"""What follows from what in a run, over random graphs: every run ends, every step once, and nothing too early."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from contracts import events
from contracts.architect import StartAssistantRun
from contracts.assistant import Approval, Definition, Step
from contracts.message import Owner
from services.architect import course as transitions
from services.architect.answers import answered
from services.architect.core import advance, created_event
from services.architect.course import Course
from services.architect.models import Planned, StepRow
from services.architect.plan import in_order, lane_of, new_run, new_step

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Owner(tenant="acme", user="ada")
PARALLEL = 3
RUN = "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
ENDS = (events.StepCompleted, events.StepFailed, events.StepSkipped, events.StepCancelled)


def step(name: str, *before: str, **fields: Any) -> Step:
    return Step(name=name, prompt="Say.", model="m", depends_on=before, **{"retries": 0, **fields})


def planned(*steps: Step) -> Planned:
    definition = Definition(steps=steps)
    command = StartAssistantRun(owner=OWNER, run_id=RUN, assistant_id="asst_1")
    run = new_run(command, definition, {}, NOW, assistant_id="asst_1", assistant_version=1, name="A")
    return Planned(run, [new_step(RUN, place, each) for place, each in enumerate(steps, start=1)])


@dataclass
class Driver:
    """Does what the bus and the models would do: `outcomes` says how each attempt at a step ends."""

    planned: Planned
    outcomes: dict[str, list[str]]
    told: list[events.Event] = field(default_factory=list)
    now: datetime = NOW
    sequence: int = 0

    def change(self, transition: Any = None) -> None:
        self.now += timedelta(seconds=1)
        course = Course(self.planned, self.now, PARALLEL)
        if not self.told:
            course.told.append(created_event(course))
        if transition is not None:
            transition(course)
        advance(course)
        self.told += course.told
        busy = sum(each.status in ("ready", "running") for each in self.planned.steps)
        assert busy <= PARALLEL

    def run(self, rng: random.Random) -> None:
        self.change()
        for _ in range(10_000):
            waiting = [
                each for each in self.planned.steps if each.status in ("ready", "running", "retrying", "approval")
            ]
            if self.planned.run.status != "running":
                return
            assert waiting, f"nothing goes on: {[(each.step, each.status) for each in self.planned.steps]}"
            self.change(partial(self.go_on, rng.choice(waiting)))
        raise AssertionError("it never ends")

    def go_on(self, each: StepRow, course: Course) -> None:
        if each.status == "ready" and each.approval is not None and each.decision is None:
            transitions.ask_approval(course, each)
        elif each.status == "ready":
            lane = lane_of(each.position, each.attempt + 1)
            transitions.start(course, each, lane, {"model": "m", "lane": lane})
        elif each.status == "approval":
            transitions.decide(course, each, approved=self.outcome(each) != "reject", by="ada", comment="")
        elif each.status == "retrying":
            transitions.take_up(course, each)
        else:
            self.sequence += 1
            answered(course, each, ending(each, self.outcome(each)), ("text", ""), self.sequence, 2.0)

    def outcome(self, each: StepRow) -> str:
        left = self.outcomes.get(each.step) or ["complete"]
        return left.pop(0) if len(left) > 1 else left[0]

    def status(self) -> dict[str, str]:
        return {each.step: each.status for each in self.planned.steps}


def ending(each: StepRow, outcome: str) -> events.GenerationEnding:
    common: dict[str, Any] = {
        "lane": each.lane,
        "at": 1,
        "attempt": 1,
        "model": "m",
        "provider": "p",
        "text": "text",
        "usage": events.Usage(1, 1),
        "cost_usd": "0.5",
    }
    if outcome == "cancel":
        return events.GenerationCancelled(**common)
    if outcome in ("complete", "approve"):
        return events.GenerationCompleted(**common, finish_reason="stop")
    code = "unknown_model" if outcome == "hopeless" else "provider_unavailable"
    return events.GenerationFailed(**common, error=events.Error(code, "It broke."))


def driven(steps: tuple[Step, ...], outcomes: dict[str, list[str]] | None = None, seed: int = 1) -> Driver:
    driver = Driver(planned(*steps), outcomes or {})
    driver.run(random.Random(seed))
    return driver


def random_graph(rng: random.Random) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number in range(rng.randint(1, 14)):
        before = rng.sample([each.name for each in steps], min(len(steps), rng.randint(0, 3)))
        policy = rng.choice(("stop", "skip", "continue", "continue"))
        approval = Approval() if rng.random() < 0.2 else None
        steps.append(step(f"n{number}", *before, on_error=policy, approval=approval, retries=rng.randint(0, 2)))
    rng.shuffle(steps)
    return tuple(steps)


@pytest.mark.parametrize("seed", range(150))
def test_every_run_ends_and_every_step_once_and_after_what_it_depends_on(seed: int) -> None:
    rng = random.Random(seed)
    steps = random_graph(rng)
    outcomes = {
        each.name: rng.choices(("complete", "fail", "hopeless", "cancel", "reject"), (8, 2, 1, 1, 1), k=3)
        for each in steps
    }
    driver = driven(steps, outcomes, seed)
    ended: list[str] = []
    before = {each.name: set(each.depends_on or ()) for each in steps}
    for event in driver.told[1:-1]:
        assert isinstance(event, events.StepEvent)
        assert event.step not in ended, "nothing is told of a step that has ended"
        if isinstance(event, (events.StepStarted, events.ApprovalRequested)):
            assert before[event.step] <= set(ended)
        if isinstance(event, ENDS):
            ended.append(event.step)
        assert (event.done, event.total) == (len(ended), len(steps))
    assert sorted(ended) == sorted(before)
    assert isinstance(driver.told[0], events.RunCreated)
    assert isinstance(driver.told[-1], events.RunEnding)
    assert [summary.step for summary in driver.told[-1].steps] == [each.name for each in steps]
    attempts = [attempt["lane"] for each in driver.planned.steps for attempt in each.attempts]
    assert [end.lane for end in driver.told[-1].ends] == attempts
    assert len(set(attempts)) == len(attempts)


def test_what_a_failed_step_means_for_the_others_is_its_policy() -> None:
    def graph(policy: str) -> tuple[Step, ...]:
        return (step("a", on_error=policy), step("b", "a"), step("c"), step("d", "c"))

    stopped = driven(graph("stop"), {"a": ["fail"], "c": ["cancel"]})
    assert stopped.status()["b"] == "skipped"
    assert (stopped.planned.run.status, stopped.planned.run.error["code"]) == ("failed", "step_failed")
    skipped = driven(graph("skip"), {"a": ["fail"]})
    assert skipped.status() == {"a": "failed", "b": "skipped", "c": "completed", "d": "completed"}
    assert skipped.planned.run.status == "completed"
    assert skipped.planned.step("b").reason == "dependency_failed"
    assert driven(graph("continue"), {"a": ["fail"]}).status()["b"] == "completed"


def test_a_step_is_tried_again_as_often_as_it_says_unless_that_is_hopeless() -> None:
    steps = (step("a", retries=2),)
    assert driven(steps, {"a": ["fail", "fail", "complete"]}).planned.run.status == "completed"
    failed = driven(steps, {"a": ["fail"]})
    assert (failed.planned.steps[0].attempt, failed.planned.run.status) == (3, "failed")
    assert failed.planned.run.cost_usd == "1.5", "all attempts are paid for"
    assert driven(steps, {"a": ["hopeless"]}).planned.steps[0].attempt == 1


def test_what_is_skipped_is_skipped_on_unless_something_else_leads_there() -> None:
    driver = Driver(planned(step("a"), step("b"), step("c", "a"), step("d", "c"), step("e", "c", "b")), {})

    def skip_a(course: Course) -> None:
        transitions.skip(course, course.planned.steps[0], "condition")

    driver.change()
    driver.change(skip_a)
    driver.run(random.Random(1))
    assert driver.status() == {"a": "skipped", "b": "completed", "c": "skipped", "d": "skipped", "e": "completed"}
    assert driver.planned.step("d").reason == "dependencies_skipped"


def test_a_last_step_that_was_not_wanted_fails_no_run() -> None:
    def after(condition_of: str, *steps: Step) -> str:
        driver = Driver(planned(*steps), {"b": ["fail"]})
        driver.change()
        while (skipped := driver.planned.step(condition_of)) is not None and skipped.status != "ready":
            going = next(each for each in driver.planned.steps if each.status in ("ready", "running"))
            driver.change(partial(driver.go_on, going))
        driver.change(lambda course: transitions.skip(course, skipped, "condition"))
        driver.run(random.Random(1))
        return str(driver.planned.run.status)

    assert after("c", step("a"), step("c", "a")) == "completed"
    assert after("c", step("c")) == "completed"
    assert after("c", step("a"), step("b", "a", on_error="skip"), step("c", "a"), step("d", "b", "c")) == "failed"


def test_a_stopped_run_begins_nothing_and_ends_when_what_runs_has_ended() -> None:
    driver = Driver(planned(step("a"), step("b", "a"), step("c")), {})
    driver.change()
    driver.change(partial(driver.go_on, driver.planned.steps[0]))
    driver.change(lambda course: transitions.stop(course, "cancelled"))
    assert driver.planned.run.status == "running"
    assert driver.status() == {"a": "running", "b": "skipped", "c": "skipped"}
    driver.outcomes["a"] = ["cancel"]
    driver.run(random.Random(1))
    assert (driver.planned.run.status, driver.planned.run.error) == ("cancelled", None)


def test_a_step_that_was_to_be_tried_again_stays_failed_when_the_run_stops() -> None:
    driver = Driver(planned(step("a", retries=1)), {"a": ["fail"]})
    driver.change()
    for _ in range(2):
        driver.change(partial(driver.go_on, driver.planned.steps[0]))
    assert driver.status() == {"a": "retrying"}
    driver.change(lambda course: transitions.stop(course, "cancelled"))
    assert driver.status() == {"a": "failed"}
    assert driver.planned.run.status == "cancelled"


def test_an_order_exists_whatever_the_order_of_the_list() -> None:
    rows = planned(step("c", "b"), step("a"), step("b", "a")).steps
    assert [row.step for row in in_order(rows)] == ["a", "b", "c"]
