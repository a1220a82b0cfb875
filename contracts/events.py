"""The events of a run's log: what a watcher sees, in the order of the log.

They are msgspec structs because deltas are the hot path. Readers ignore unknown types and unknown fields;
writers only ever add fields. `at` is the writer's clock in Unix milliseconds; for a delta it is the moment its
oldest piece came from the provider, which is what the age of a token is measured from.
"""

from typing import Literal

import msgspec

from contracts.event_base import BaseEvent
from contracts.event_parts import Error as Error
from contracts.event_parts import FinishReason as FinishReason
from contracts.event_parts import GenerationPlan as GenerationPlan
from contracts.event_parts import LaneEnd as LaneEnd
from contracts.event_parts import LaneSource as LaneSource
from contracts.event_parts import LaneSummary as LaneSummary
from contracts.event_parts import StepPlan as StepPlan
from contracts.event_parts import StepSummary as StepSummary
from contracts.event_parts import Timings as Timings
from contracts.event_parts import ToolCall as ToolCall
from contracts.event_parts import Usage as Usage
from contracts.run_events import RunCancelled as RunCancelled
from contracts.run_events import RunCompleted as RunCompleted
from contracts.run_events import RunCreated as RunCreated
from contracts.run_events import RunEnding as RunEnding
from contracts.run_events import RunFailed as RunFailed
from contracts.run_events import RunQueued as RunQueued
from contracts.step_events import ApprovalDecided as ApprovalDecided
from contracts.step_events import ApprovalRequested as ApprovalRequested
from contracts.step_events import StepCancelled as StepCancelled
from contracts.step_events import StepCompleted as StepCompleted
from contracts.step_events import StepEvent as StepEvent
from contracts.step_events import StepFailed as StepFailed
from contracts.step_events import StepRetrying as StepRetrying
from contracts.step_events import StepSkipped as StepSkipped
from contracts.step_events import StepStarted as StepStarted


class _Whole(BaseEvent, frozen=True, kw_only=True):
    attempt: int
    model: str
    text: str | None = None
    text_ref: str | None = None
    """Where the text is, when it is too long for a message."""
    reasoning: str | None = None
    reasoning_ref: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


class _Ending(_Whole, frozen=True, kw_only=True):
    usage: Usage | None = None
    timings: Timings | None = None
    cost_usd: str | None = None


class GenerationStarted(BaseEvent, frozen=True, kw_only=True, tag="generation.started"):
    """A worker began to answer."""

    attempt: int
    model: str
    provider: str


class GenerationDelta(BaseEvent, frozen=True, kw_only=True, tag="generation.delta"):
    """More text of the answer."""

    text: str


class GenerationReasoning(BaseEvent, frozen=True, kw_only=True, tag="generation.reasoning"):
    """More of the model's visible thinking."""

    text: str


class GenerationToolCall(BaseEvent, frozen=True, kw_only=True, tag="generation.tool_call"):
    """The model asks the client to call a tool; `arguments` is the JSON text the model wrote."""

    call_id: str
    name: str
    arguments: str


class GenerationResumed(BaseEvent, frozen=True, kw_only=True, tag="generation.resumed"):
    """Another worker goes on with the same text."""

    attempt: int
    mode: Literal["reattach", "prefill", "continue"]


class GenerationRestarted(BaseEvent, frozen=True, kw_only=True, tag="generation.restarted"):
    """Another worker begins again: watchers drop the lane's text."""

    attempt: int


class GenerationAttached(BaseEvent, frozen=True, kw_only=True, tag="generation.attached"):
    """The provider keeps this answer under an id of its own, by which another worker can go on with it."""

    attempt: int
    reference: str


class GenerationSnapshot(_Whole, frozen=True, kw_only=True, tag="generation.snapshot"):
    """Everything a lane has said up to `covers`: a watcher that comes late replaces the lane's text by it.

    It is stored on a subject of its own, beside the lane, and told only in a replay from the start.
    """

    provider: str
    covers: int
    """The place in the log of the last event that is in it."""


class Notice(BaseEvent, frozen=True, kw_only=True, tag="notice"):
    """Something a person who waits may want to know; nothing depends on it.

    `retrying`: the model did not answer and is asked again after `delay_ms`. `fallback`: `model` is asked instead.
    `reconnect`: this server stops, the stream goes on elsewhere; never stored, and it has no cursor.
    """

    code: str
    message: str
    model: str | None = None
    delay_ms: int | None = None


class GenerationCompleted(_Ending, frozen=True, kw_only=True, tag="generation.completed"):
    """The answer ended. It carries the whole text, or where it is when that is too long for a message."""

    provider: str
    finish_reason: FinishReason


class GenerationFailed(_Ending, frozen=True, kw_only=True, tag="generation.failed"):
    """The answer could not be finished; `text` is what there is of it."""

    error: Error
    provider: str | None = None


class GenerationCancelled(_Ending, frozen=True, kw_only=True, tag="generation.cancelled"):
    """Somebody stopped the answer; `text` is what was kept."""

    provider: str | None = None


class Reset(BaseEvent, frozen=True, kw_only=True, tag="reset"):
    """The cursor belongs to a log that no longer exists: drop everything, a replay follows. Never stored."""

    reason: str


GenerationEnding = GenerationCompleted | GenerationFailed | GenerationCancelled
Whole = GenerationEnding | GenerationSnapshot
"""What carries the whole text of a lane."""
Event = (
    RunCreated
    | RunQueued
    | RunEnding
    | GenerationStarted
    | GenerationDelta
    | GenerationReasoning
    | GenerationToolCall
    | GenerationResumed
    | GenerationRestarted
    | GenerationAttached
    | GenerationSnapshot
    | GenerationEnding
    | StepEvent
    | Notice
    | Reset
)

RUN_ENDINGS = frozenset({"run.completed", "run.failed", "run.cancelled"})
GENERATION_ENDINGS = frozenset({"generation.completed", "generation.failed", "generation.cancelled"})

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


class _Head(msgspec.Struct):
    type: str


def with_texts(event: Whole, text: str, reasoning: str) -> Whole:
    """An ending or a snapshot that carries its texts instead of references to them."""
    return msgspec.structs.replace(
        event, text=text or None, text_ref=None, reasoning=reasoning or None, reasoning_ref=None
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
