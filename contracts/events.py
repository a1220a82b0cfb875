"""The events of a run's log: what a watcher sees, in the order of the log.

They are msgspec structs because deltas are the hot path. Readers ignore unknown types and unknown fields;
writers only ever add fields. `at` is the writer's clock in Unix milliseconds; for a delta it is the moment its
oldest piece came from the provider, which is what the age of a token is measured from.
"""

from typing import Literal

import msgspec

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the provider counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_input_tokens: int = 0


class Timings(msgspec.Struct, frozen=True):
    """Milliseconds since the orchestrator asked for the generation."""

    queued_ms: int
    first_token_ms: int | None
    total_ms: int


class Error(msgspec.Struct, frozen=True):
    """Why something failed: a stable code for programs, a sentence for people."""

    code: str
    message: str


class GenerationPlan(msgspec.Struct, frozen=True):
    """One generation that a run is going to have."""

    lane: str
    model: str


class LaneEnd(msgspec.Struct, frozen=True):
    """The place in the log of a lane's last event."""

    lane: str
    sequence: int


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    lane: str
    at: int


class RunCreated(_Event, frozen=True, kw_only=True, tag="run.created"):
    """The first event of every run."""

    run_id: str
    kind: str
    generations: tuple[GenerationPlan, ...]
    conversation_id: str | None = None
    message_id: str | None = None
    parent_run_id: str | None = None


class _RunEnding(_Event, frozen=True, kw_only=True):
    run_id: str
    ends: tuple[LaneEnd, ...] = ()
    """Where each generation ended, so that a reader can tell that it has seen all of them."""


class RunCompleted(_RunEnding, frozen=True, kw_only=True, tag="run.completed"):
    """Every generation ended and the result is stored."""


class RunFailed(_RunEnding, frozen=True, kw_only=True, tag="run.failed"):
    """The run ended without a whole result; partial texts are stored."""

    error: Error


class RunCancelled(_RunEnding, frozen=True, kw_only=True, tag="run.cancelled"):
    """Somebody stopped the run; partial texts are stored."""


class GenerationStarted(_Event, frozen=True, kw_only=True, tag="generation.started"):
    """A worker began to answer."""

    attempt: int
    model: str
    provider: str


class GenerationDelta(_Event, frozen=True, kw_only=True, tag="generation.delta"):
    """More text of the answer."""

    text: str


class GenerationReasoning(_Event, frozen=True, kw_only=True, tag="generation.reasoning"):
    """More of the model's visible thinking."""

    text: str


class GenerationToolCall(_Event, frozen=True, kw_only=True, tag="generation.tool_call"):
    """The model asks the client to call a tool; `arguments` is the JSON text the model wrote."""

    call_id: str
    name: str
    arguments: str


class GenerationResumed(_Event, frozen=True, kw_only=True, tag="generation.resumed"):
    """Another worker goes on with the same text."""

    attempt: int
    mode: Literal["reattach", "prefill", "continue"]


class GenerationRestarted(_Event, frozen=True, kw_only=True, tag="generation.restarted"):
    """Another worker begins again: watchers drop the lane's text."""

    attempt: int


class GenerationCompleted(_Event, frozen=True, kw_only=True, tag="generation.completed"):
    """The answer ended. It carries the whole text, or where it is when that is too long for a message."""

    attempt: int
    model: str
    provider: str
    finish_reason: FinishReason
    text: str | None = None
    text_ref: str | None = None
    reasoning: str | None = None
    reasoning_ref: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    cost_usd: str | None = None


class GenerationFailed(_Event, frozen=True, kw_only=True, tag="generation.failed"):
    """The answer could not be finished; `text` is what there is of it."""

    attempt: int
    model: str
    error: Error
    provider: str | None = None
    text: str | None = None
    text_ref: str | None = None
    reasoning: str | None = None
    reasoning_ref: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    cost_usd: str | None = None


class GenerationCancelled(_Event, frozen=True, kw_only=True, tag="generation.cancelled"):
    """Somebody stopped the answer; `text` is what was kept."""

    attempt: int
    model: str
    provider: str | None = None
    text: str | None = None
    text_ref: str | None = None
    reasoning: str | None = None
    reasoning_ref: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    cost_usd: str | None = None


class Reset(_Event, frozen=True, kw_only=True, tag="reset"):
    """The cursor belongs to a log that no longer exists: drop everything, a replay follows. Never stored."""

    reason: str


GenerationEnding = GenerationCompleted | GenerationFailed | GenerationCancelled
RunEnding = RunCompleted | RunFailed | RunCancelled
Event = (
    RunCreated
    | RunEnding
    | GenerationStarted
    | GenerationDelta
    | GenerationReasoning
    | GenerationToolCall
    | GenerationResumed
    | GenerationRestarted
    | GenerationEnding
    | Reset
)

RUN_ENDINGS = frozenset({"run.completed", "run.failed", "run.cancelled"})
GENERATION_ENDINGS = frozenset({"generation.completed", "generation.failed", "generation.cancelled"})

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


class _Head(msgspec.Struct):
    type: str


def with_texts(ending: GenerationEnding, text: str, reasoning: str) -> GenerationEnding:
    """An ending that carries its texts instead of references to them."""
    return msgspec.structs.replace(
        ending, text=text or None, text_ref=None, reasoning=reasoning or None, reasoning_ref=None
    )


def type_of(event: Event) -> str:
    """The type of an event, as it stands in its JSON."""
    return str(event.__struct_config__.tag)


_decode_head = msgspec.json.Decoder(_Head).decode

KNOWN = frozenset(t.__struct_config__.tag for t in Event.__args__)


def event_type(payload: bytes) -> str:
    """The type of an encoded event, without decoding the rest."""
    return _decode_head(payload).type


def decode(payload: bytes) -> Event | None:
    """The event in a log message; None for a type that is newer than this reader."""
    try:
        event: Event = _decode(payload)
        return event
    except msgspec.ValidationError:
        if event_type(payload) in KNOWN:
            raise
        return None
