"""What events are made of: values without a place in the log."""

from typing import Literal

import msgspec

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the provider counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_input_tokens: int = 0
    estimated: bool = False
    """Counted by us from the texts, because the provider had no chance to say (contracts/costs.py)."""


class Timings(msgspec.Struct, frozen=True):
    """Milliseconds since the orchestrator asked for the generation."""

    queued_ms: int
    first_token_ms: int | None
    total_ms: int


class Error(msgspec.Struct, frozen=True):
    """Why something failed: a stable code for programs, a sentence for people."""

    code: str
    message: str


class LaneSource(msgspec.Struct, frozen=True):
    """The generation of an earlier run that a lane shows again."""

    run_id: str
    lane: str


class GenerationPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One generation that a run is going to have. In a blind comparison clients are told no `model`: it is empty."""

    lane: str
    model: str
    source: LaneSource | None = None
    """Set where nothing is generated: the lane is the one of an earlier run."""


class LaneEnd(msgspec.Struct, frozen=True):
    """The place in the log of a lane's last event."""

    lane: str
    sequence: int


class LaneSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one lane of a run with several ended. In a blind comparison clients are told `lane` and `outcome`."""

    lane: str
    outcome: Literal["completed", "failed", "cancelled"]
    model: str = ""
    provider: str | None = None
    finish_reason: FinishReason | None = None
    error_code: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    tokens_per_second: float | None = None
    """Output tokens from the first one on; none where that cannot be told."""
    cost_usd: str | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool that the model asks the client for; `arguments` is the JSON text the model wrote."""

    call_id: str
    name: str
    arguments: str


class StepPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step that an assistant's run is going to take, in the order in which steps are shown."""

    step: str
    name: str
    model: str
    depends_on: tuple[str, ...] = ()
    approval: bool = False
    """Somebody has to approve before it begins."""
    condition: str | None = None
    source: LaneSource | None = None
    """Set where nothing is generated: the step is one of an earlier run, shown again."""


class StepSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one step of an assistant's run ended."""

    step: str
    outcome: Literal["completed", "failed", "skipped", "cancelled"]
    generation: str | None = None
    """The lane with its answer; none where nothing was generated."""
    attempts: int = 0
    model: str | None = None
    """That answered, or was asked last."""
    reason: str | None = None
    """Why it was skipped."""
    error_code: str | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    total_ms: int | None = None
    cost_usd: str | None = None
