"""What follows from what: which steps begin, which are skipped, when a run ends. Values in, values out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from contracts import events
from contracts.step_events import SkipReason
from services.architect import course as transitions
from services.architect.course import Course
from services.architect.models import StepRow

KIND = "architect"
NO_OUTPUT = events.Error("no_output", "None of the last steps has completed.")
PENDING = frozenset({"waiting", "approval", "ready", "retrying"})
_BUSY = frozenset({"ready", "running"})


def advance(course: Course) -> None:
    """Do everything that follows at once from how the steps are now, and end the run if nothing is left."""
    if course.planned.run.status != "running":
        return
    while _one_more(course):
        pass
    if all(step.over for step in course.planned.steps):
        _end_run(course)


def _one_more(course: Course) -> bool:
    run, steps = course.planned
    if run.stopping is not None:
        step = next((step for step in steps if step.status in PENDING), None)
        if step is not None:
            _give_up(course, step)
        return step is not None
    by_name = {step.step: step for step in steps}
    room = course.parallel - sum(step.status in _BUSY for step in steps)
    for step in steps:
        before = [by_name[name] for name in step.depends_on]
        if step.status != "waiting" or not all(other.over for other in before):
            continue
        reason = skip_reason(before)
        if reason is not None:
            transitions.skip(course, step, reason)
            return True
        if room > 0:
            transitions.make_ready(course, step)
            return True
    return False


def _give_up(course: Course, step: StepRow) -> None:
    """The run stops: what has not begun is skipped, and what was to be tried again stays failed."""
    if step.attempts and step.error is not None:
        transitions.fail(course, step, events.Error(**step.error))
    else:
        transitions.skip(course, step, "run_stopped")


def skip_reason(before: Sequence[StepRow]) -> SkipReason | None:
    """Why a step is skipped whose dependencies have all ended so; None if it is taken."""
    for step in before:
        if step.status in ("failed", "cancelled") and step.on_error != "continue":
            return "dependency_failed"
        if step.status == "skipped" and step.reason in ("dependency_failed", "run_stopped"):
            return "dependency_failed"
    if before and all(step.status == "skipped" for step in before):
        return "dependencies_skipped"
    return None


def _end_run(course: Course) -> None:
    run, steps = course.planned
    status, error = _result(course)
    run.status, run.ended_at, run.due_at = status, course.now, None
    run.error = None if error is None else transitions.problem_of(error)
    usage, run.cost_usd = total_usage(steps), total_cost(step.cost_usd for step in steps if not step.own)
    run.usage = {name: getattr(usage, name) for name in usage.__struct_fields__}
    course.told.append(ended_event(course, usage, error))
    course.changed = True


def _result(course: Course) -> tuple[str, events.Error | None]:
    run, steps = course.planned
    if run.stopping is not None:
        told = run.stopping["error"]
        return run.stopping["status"], None if told is None else events.Error(**told)
    ends = last_steps(steps)
    if not ends or any(step.status == "completed" for step in ends):
        return "completed", None
    return "failed", NO_OUTPUT


def last_steps(steps: Sequence[StepRow]) -> list[StepRow]:
    """The steps whose outputs are the run's: no other that was wanted depends on them.

    One that its condition has ruled out is not wanted, and neither is what depends on such steps alone.
    """
    wanted = [step for step in steps if step.reason not in ("condition", "dependencies_skipped")]
    needed = {name for step in wanted for name in step.depends_on}
    return [step for step in wanted if step.step not in needed]


def created_event(course: Course) -> events.RunCreated:
    """The first event of a run: its plan."""
    run, steps = course.planned
    return events.RunCreated(
        **course.stamp(),
        run_id=run.id,
        kind=KIND,
        generations=(),
        parent_run_id=run.parent_run_id,
        assistant_id=run.assistant_id,
        assistant_version=run.assistant_version,
        name=run.name,
        steps=tuple(_plan(step) for step in steps),
    )


def _plan(step: StepRow) -> events.StepPlan:
    return events.StepPlan(
        step=step.step,
        name=step.title,
        model=step.model,
        depends_on=tuple(step.depends_on),
        approval=step.approval is not None,
        condition=step.definition.get("condition"),
        source=transitions.source_of(step),
    )


def ended_event(course: Course, usage: events.Usage, error: events.Error | None) -> events.RunEnding:
    """The last event of a run."""
    run, steps = course.planned
    common: dict[str, Any] = {
        **course.stamp(),
        "run_id": run.id,
        "ends": tuple(
            events.LaneEnd(attempt["lane"], attempt["sequence"]) for step in steps for attempt in step.attempts
        ),
        "steps": tuple(map(summary, steps)),
        "usage": usage,
        "cost_usd": run.cost_usd,
    }
    if run.status == "completed":
        return events.RunCompleted(**common)
    if run.status == "cancelled":
        return events.RunCancelled(**common)
    return events.RunFailed(**common, error=error or events.Error("internal", "Something went wrong on our side."))


def summary(step: StepRow) -> events.StepSummary:
    """How a step did that has ended."""
    outcome: Any = step.status
    reason: Any = step.finish_reason
    asked = bool(step.attempts)
    return events.StepSummary(
        step=step.step,
        outcome=outcome,
        generation=step.lane,
        attempts=step.attempt,
        model=step.model if asked else None,
        reason=step.reason,
        error_code=step.error["code"] if step.error else None,
        finish_reason=reason,
        usage=None if step.usage is None else events.Usage(**step.usage),
        total_ms=step.total_ms,
        cost_usd=step.cost_usd,
    )


def total_usage(steps: Sequence[StepRow]) -> events.Usage:
    """The tokens of every attempt that these steps of a run have made themselves."""
    found = [attempt["usage"] for step in steps if not step.own for attempt in step.attempts if attempt.get("usage")]
    return events.Usage(
        **{
            name: sum(usage[name] for usage in found)
            for name in ("input_tokens", "output_tokens", "reasoning_tokens", "cached_input_tokens")
        },
        estimated=any(usage["estimated"] for usage in found),
    )


def total_cost(costs: Any) -> str | None:
    """A sum of costs; None if one of them is not known."""
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += Decimal(cost)
    return format(total, "f")
