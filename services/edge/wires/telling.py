"""Telling a run to clients that only append, and know one text and one reasoning: the AI SDK's streams.

It turns the log's events into the few things these streams can say; a subclass has the words. Tool calls are told with
the ending of their generation: before, the model may begin again, and the client would have called them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from contracts import events
from contracts.ids import MAIN_LANE
from kit.runlog.reads import LogMessage
from services.edge.wires.lane import OTHER, Kind, Lane
from services.edge.wires.wire import OnePart

RECONNECT = "This server is stopping. The answer goes on: resume the stream."


class Telling(OnePart):
    """The state of one client's stream, and what each event adds to it."""

    whole = False
    complete = False
    resumes = False

    def __init__(self, message_id: str | None = None) -> None:
        """`message_id` replaces the answer's own: of the client's message that the answer goes on with."""
        self.lane = Lane(self)
        self.message_id = message_id
        self.started = False
        """The message has begun, as far as this client knows."""
        self.done = False
        """The run's ending is told."""
        self._tell: dict[type, Callable[[Any], bytes]] = {
            events.RunCreated: self._created,
            events.RunQueued: lambda event: self.queued(event.ahead),
            events.GenerationDelta: lambda event: self.lane.add("text", event.text),
            events.GenerationReasoning: lambda event: self.lane.add("reasoning", event.text),
            events.GenerationRestarted: self._restarted,
            events.GenerationSnapshot: self.lane.whole,
            events.GenerationCompleted: self._ended,
            events.GenerationFailed: self._ended,
            events.GenerationCancelled: self._ended,
            events.Notice: lambda event: self.notice(noticed(event)),
            events.RunCompleted: self._completed,
            events.RunFailed: lambda event: self._over(self.failed(event.error.message)),
            events.RunCancelled: lambda _: self._over(self.cancelled()),
        }

    @property
    def breaks_off(self) -> bool:
        """An AI SDK client takes any clean end for the end of the answer; a cut makes it resume, or say so."""
        return not self.done

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """What the events add."""
        return b"".join([self.frame(message) for message in messages])

    def frame(self, message: LogMessage) -> bytes:
        """What one event adds; nothing for types that are newer than this reader, and for other lanes."""
        event = events.decode(message.payload)
        tell = self._tell.get(type(event))
        if event is None or tell is None or (event.lane != MAIN_LANE and not isinstance(event, _OF_THE_RUN)):
            return b""
        return tell(event)

    def leaving(self, milliseconds: int) -> bytes:
        """A notice; what makes clients come back is the cut behind it."""
        if self.done:
            return self.ended()
        return self.notice(stopping(milliseconds))

    def _created(self, event: events.RunCreated) -> bytes:
        if self.started:
            return b""
        self.started = True
        metadata: dict[str, Any] = {"runId": event.run_id}
        if event.conversation_id:
            metadata["conversationId"] = event.conversation_id
        if event.generations:
            metadata["model"] = event.generations[0].model
        if event.omitted_messages:
            metadata["omittedMessages"] = event.omitted_messages
        return self.start(self.message_id or event.message_id or event.run_id, metadata)

    def _restarted(self, _: events.GenerationRestarted) -> bytes:
        self.lane.begin_anew()
        return b""

    def _ended(self, event: events.GenerationEnding) -> bytes:
        if self.lane.finish is not None:
            return b""
        told = self.lane.end(event)
        calls = event.tool_calls if isinstance(event, events.GenerationCompleted) else ()
        return told + self.generated(calls, metadata_of(event))

    def _completed(self, _: events.RunCompleted) -> bytes:
        return self._over(self.finished(self.lane.finish or OTHER))

    def _over(self, told: bytes) -> bytes:
        self.done = True
        return told

    # -- the words, of a subclass ---------------------------------------------------------------------------------

    def start(self, message_id: str, metadata: dict[str, Any]) -> bytes:
        """The message begins."""
        raise NotImplementedError

    def said(self, kind: Kind, text: str) -> bytes:
        """More text."""
        raise NotImplementedError

    def taken_back(self, kind: Kind) -> bytes:
        """What was said of this kind so far is replaced by what follows."""
        raise NotImplementedError

    def generated(self, calls: tuple[events.ToolCall, ...], metadata: dict[str, Any]) -> bytes:
        """The model has said all, and asks for these calls."""
        raise NotImplementedError

    def notice(self, notice: dict[str, Any]) -> bytes:
        """Something that is no part of the message."""
        raise NotImplementedError

    def queued(self, ahead: int) -> bytes:
        """So many runs are answered before."""
        raise NotImplementedError

    def finished(self, reason: str) -> bytes:
        """The run is complete."""
        raise NotImplementedError

    def failed(self, message: str) -> bytes:
        """It failed."""
        raise NotImplementedError

    def cancelled(self) -> bytes:
        """Somebody stopped it."""
        raise NotImplementedError

    def ended(self) -> bytes:
        """Nothing more comes."""
        raise NotImplementedError


_OF_THE_RUN = (
    events.RunCreated,
    events.RunQueued,
    events.RunCompleted,
    events.RunFailed,
    events.RunCancelled,
    events.Notice,
)


def arguments_of(call: events.ToolCall) -> Any:
    """The arguments of a call; the model's own text if that is not JSON."""
    try:
        return msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError:
        return call.arguments


def stopping(milliseconds: int) -> dict[str, Any]:
    """What is said by a server that stops."""
    return {"code": "reconnect", "message": RECONNECT, "delayMs": milliseconds}


def noticed(event: events.Notice) -> dict[str, Any]:
    """A notice in the SDK's style."""
    told = {"code": event.code, "message": event.message, "model": event.model, "delayMs": event.delay_ms}
    return {name: value for name, value in told.items() if value is not None}


def metadata_of(event: events.GenerationEnding) -> dict[str, Any]:
    """What is known of an answer that has ended, in the SDK's style."""
    metadata: dict[str, Any] = {"model": event.model} if event.model else {}
    if event.provider:
        metadata["provider"] = event.provider
    if event.usage is not None:
        metadata["usage"] = usage_of(event.usage)
    if event.cost_usd is not None:
        metadata["costUsd"] = event.cost_usd
    return metadata


def usage_of(usage: events.Usage) -> dict[str, int]:
    """Tokens in the SDK's style."""
    return {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
        "reasoningTokens": usage.reasoning_tokens,
        "cachedInputTokens": usage.cached_input_tokens,
    }
