"""The events of a run as a whole. Its orchestrator writes them, in the lane `run`."""

from contracts.event_base import BaseEvent
from contracts.event_parts import Error, GenerationPlan, LaneEnd, LaneSummary, StepPlan, StepSummary, Usage


class RunCreated(BaseEvent, frozen=True, kw_only=True, tag="run.created"):
    """The first event of every run."""

    run_id: str
    kind: str
    generations: tuple[GenerationPlan, ...]
    conversation_id: str | None = None
    message_id: str | None = None
    parent_run_id: str | None = None
    omitted_messages: int = 0
    """Earlier messages that the model's context window had no room for."""
    blind: bool = False
    """Nobody is told which model is which until its owner has voted."""
    assistant_id: str | None = None
    assistant_version: int | None = None
    name: str | None = None
    """Of the assistant, as it was when the run began."""
    steps: tuple[StepPlan, ...] = ()
    """What an assistant's run is going to do; its generations are told when they begin."""


class RunQueued(BaseEvent, frozen=True, kw_only=True, tag="run.queued"):
    """The run waits until those before it in its conversation have ended."""

    run_id: str
    ahead: int


class _RunEnding(BaseEvent, frozen=True, kw_only=True):
    run_id: str
    ends: tuple[LaneEnd, ...] = ()
    """Where each generation ended, so that a reader can tell that it has seen all of them."""
    lanes: tuple[LaneSummary, ...] = ()
    """How each did, of a run that has several."""
    steps: tuple[StepSummary, ...] = ()
    """How each step of an assistant's run did."""
    usage: Usage | None = None
    """Of an assistant's run as a whole: of every attempt that it made."""
    cost_usd: str | None = None


class RunCompleted(_RunEnding, frozen=True, kw_only=True, tag="run.completed"):
    """Every generation ended and the result is stored."""


class RunFailed(_RunEnding, frozen=True, kw_only=True, tag="run.failed"):
    """The run ended without a whole result; partial texts are stored."""

    error: Error


class RunCancelled(_RunEnding, frozen=True, kw_only=True, tag="run.cancelled"):
    """Somebody stopped the run; partial texts are stored."""


RunEnding = RunCompleted | RunFailed | RunCancelled
