"""The events of an assistant's run about its steps. Its orchestrator writes them, in the lane `run`.

`done` of `total` steps have ended when the event happens. A step's answer is a generation, in the lane that
`generation` names; each attempt has a lane of its own. A step ends with exactly one of `step.completed`, `step.failed`,
`step.skipped` and `step.cancelled`, after the ending of its generation, and before anything that depends on it begins.
"""

from typing import Literal

from contracts.event_base import BaseEvent
from contracts.event_parts import Error, LaneSource

SkipReason = Literal["condition", "dependency_failed", "dependencies_skipped", "run_stopped"]


class _StepEvent(BaseEvent, frozen=True, kw_only=True):
    step: str
    done: int
    total: int


class StepStarted(_StepEvent, frozen=True, kw_only=True, tag="step.started"):
    """A model is asked; its answer comes in the lane `generation`."""

    attempt: int
    generation: str
    model: str


class StepRetrying(_StepEvent, frozen=True, kw_only=True, tag="step.retrying"):
    """An attempt failed. The next one begins after `delay_ms`; what this one said does not count."""

    attempt: int
    generation: str
    delay_ms: int
    error: Error


class StepCompleted(_StepEvent, frozen=True, kw_only=True, tag="step.completed"):
    """The step has its output: the text of its generation."""

    attempt: int
    generation: str
    source: LaneSource | None = None
    """Set if an earlier run generated it."""


class StepFailed(_StepEvent, frozen=True, kw_only=True, tag="step.failed"):
    """The step has no whole output. `policy` says what becomes of the others."""

    attempt: int
    error: Error
    policy: Literal["stop", "skip", "continue"]
    generation: str | None = None
    source: LaneSource | None = None


class StepSkipped(_StepEvent, frozen=True, kw_only=True, tag="step.skipped"):
    """The step is not taken. Its output is empty."""

    reason: SkipReason


class StepCancelled(_StepEvent, frozen=True, kw_only=True, tag="step.cancelled"):
    """Somebody stopped the step; what its generation said is kept."""

    attempt: int = 0
    generation: str | None = None


class ApprovalRequested(_StepEvent, frozen=True, kw_only=True, tag="approval.requested"):
    """The step waits until somebody approves it, for as long as that takes unless `expires_at` (Unix ms) is set."""

    instructions: str = ""
    expires_at: int | None = None


class ApprovalDecided(_StepEvent, frozen=True, kw_only=True, tag="approval.decided"):
    """Somebody approved the step, or rejected it; nobody did in time: then it is rejected without a `by`."""

    approved: bool
    by: str | None = None
    comment: str = ""


StepEvent = (
    StepStarted
    | StepRetrying
    | StepCompleted
    | StepFailed
    | StepSkipped
    | StepCancelled
    | ApprovalRequested
    | ApprovalDecided
)
