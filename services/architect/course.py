"""A run while it is being changed: its rows, and what its log is going to say of the change. Values in, values out.

A transition is a function here that is given a `Course`. It changes rows and tells events; `advance` then does all that
follows at once. What follows on the bus is read off the rows afterwards (onward.py), so that it can be repeated.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts import events
from contracts.ids import RUN_LANE
from kit.orchestrate.moments import milliseconds
from kit.orchestrate.wording import without_nul
from services.architect.models import Planned, StepRow


@dataclass(slots=True)
class Course:
    """A run, its steps in the order of the plan, and the moment at which it changes."""

    planned: Planned
    now: datetime
    parallel: int
    """Steps that may be answered at the same time."""
    told: list[events.Event] = field(default_factory=list)
    changed: bool = False

    def tell(self, kind: Any, step: StepRow, **fields: Any) -> None:
        """An event about a step."""
        self.changed = True
        steps = self.planned.steps
        done = sum(other.over for other in steps)
        self.told.append(kind(**self.stamp(), step=step.step, done=done, total=len(steps), **fields))

    def stamp(self) -> dict[str, Any]:
        """The lane and the time of an event."""
        return {"lane": RUN_LANE, "at": milliseconds(self.now)}


def make_ready(course: Course, step: StepRow) -> None:
    """The order to begin it is owed."""
    step.status, step.turn = "ready", step.turn + 1
    step.sent_at = step.due_at = None
    course.changed = True


def take_up(course: Course, step: StepRow) -> None:
    """It waits no longer for a time or for a person: it becomes ready as soon as there is room for it."""
    step.status, step.due_at = "waiting", None
    course.changed = True


def ask_approval(course: Course, step: StepRow) -> None:
    """It waits for somebody's decision."""
    approval = step.approval or {}
    patience = approval.get("timeout_seconds")
    step.status, step.sent_at = "approval", course.now
    step.due_at = None if patience is None else course.now + timedelta(seconds=patience)
    expires = None if step.due_at is None else milliseconds(step.due_at)
    course.tell(events.ApprovalRequested, step, instructions=approval.get("instructions", ""), expires_at=expires)


def decide(course: Course, step: StepRow, *, approved: bool, by: str | None, comment: str) -> None:
    """Somebody approves a step that waits for it, or rejects it; nobody in time is a rejection."""
    step.decision = {"approved": approved, "by": by, "comment": comment, "decided_at": course.now.isoformat()}
    course.tell(events.ApprovalDecided, step, approved=approved, by=by, comment=comment)
    if approved:
        take_up(course, step)
    elif by is None:
        fail(course, step, events.Error("approval_timed_out", "Nobody approved this step in time."))
    else:
        fail(course, step, events.Error("approval_rejected", "This step was rejected."))


def start(course: Course, step: StepRow, lane: str, request: dict[str, Any]) -> None:
    """A model is to be asked."""
    step.status, step.attempt, step.lane, step.request = "running", step.attempt + 1, lane, request
    step.model = request["model"]
    step.started_at = step.started_at or course.now
    step.sent_at = step.stopped = step.error = None
    patience = step.definition.get("timeout_seconds")
    step.due_at = None if patience is None else course.now + timedelta(seconds=patience)
    course.tell(events.StepStarted, step, attempt=step.attempt, generation=lane, model=step.model)


def retry_later(course: Course, step: StepRow, error: events.Error, delay: float) -> None:
    """An attempt failed, and another one follows."""
    step.status, step.sent_at, step.error = "retrying", course.now, problem_of(error)
    step.due_at = course.now + timedelta(seconds=delay)
    told = {"attempt": step.attempt, "generation": step.lane, "delay_ms": round(delay * 1000), "error": error}
    course.tell(events.StepRetrying, step, **told)


def complete(course: Course, step: StepRow) -> None:
    """It has its output."""
    _end(course, step, "completed")
    course.tell(events.StepCompleted, step, attempt=step.attempt, generation=step.lane, source=source_of(step))


def fail(course: Course, step: StepRow, error: events.Error) -> None:
    """It has no whole output. With the policy `stop` the run stops."""
    _end(course, step, "failed")
    step.error = problem_of(error)
    told = {"attempt": step.attempt, "generation": step.lane, "error": error, "policy": step.on_error}
    course.tell(events.StepFailed, step, **told, source=source_of(step))
    if step.on_error == "stop":
        stop(course, "failed", events.Error("step_failed", f"The step {step.title!r} failed: {error.message}"))


def skip(course: Course, step: StepRow, reason: str) -> None:
    """It is not taken."""
    _end(course, step, "skipped")
    step.reason = reason
    course.tell(events.StepSkipped, step, reason=reason)


def cancel(course: Course, step: StepRow) -> None:
    """Somebody has stopped it. What depends on it follows its policy."""
    _end(course, step, "cancelled")
    course.tell(events.StepCancelled, step, attempt=step.attempt, generation=step.lane)
    if step.on_error == "stop":
        stop(course, "failed", events.Error("step_cancelled", f"The step {step.title!r} was stopped."))


def show_again(course: Course, step: StepRow) -> None:
    """An earlier run has taken it, and it is told as it was there."""
    if step.status == "skipped":
        course.tell(events.StepSkipped, step, reason=step.reason)
        return
    told: dict[str, Any] = {"attempt": step.attempt, "generation": step.lane, "source": source_of(step)}
    if step.status == "completed":
        course.tell(events.StepCompleted, step, **told)
    else:
        error = events.Error(**(step.error or {"code": "internal", "message": ""}))
        course.tell(events.StepFailed, step, **told, error=error, policy=step.on_error)


def stop(course: Course, status: str, error: events.Error | None = None) -> None:
    """Nothing further begins, and the run ends in this way. What came first counts."""
    run = course.planned.run
    if run.stopping is None:
        run.stopping = {"status": status, "error": None if error is None else problem_of(error)}
        course.changed = True


def _end(course: Course, step: StepRow, status: str) -> None:
    step.status, step.ended_at = status, course.now
    step.due_at, step.sent_at = None, course.now
    if not step.attempts:
        step.cost_usd = "0"
    course.changed = True


def source_of(step: StepRow) -> events.LaneSource | None:
    """Which generation of an earlier run is shown again."""
    if step.origin_run_id is None or step.origin_lane is None:
        return None
    return events.LaneSource(step.origin_run_id, step.origin_lane)


def problem_of(error: events.Error) -> dict[str, str]:
    """An error as it is stored."""
    return {"code": error.code, "message": without_nul(error.message)}
