"""A run as the chunks of OpenAI's chat completions: log events in, frames out.

No `id:`, no `retry:`, no blank line of its own: openai-python makes empty events of them (PROTOCOLS, section 4).
A failure is `data: {"error": …}`, which both official clients raise; `event: error` ends the Python one in silence.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.openai import errors, ids
from services.edge.openai.telling import Called, Piece, Said, Telling
from services.edge.openai.usage import completion_usage
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT, OnePart

DONE = b"data: [DONE]\n\n"

_encode = msgspec.json.encode


class ChatCompletionsWire(OnePart):
    """Tells a run to one client."""

    headers = SSE_HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = False
    breaks_off = False
    resumes = False

    def __init__(self, *, include_usage: bool = False) -> None:
        self.complete = False
        self._include_usage = include_usage
        self._telling = Telling()
        self._head = self._tail = b""
        self._calls = 0

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: there are no cursors here."""
        return b""

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """The chunks of the next events."""
        told = [events.decode(message.payload) for message in messages]
        return b"".join([self.take(event) for event in told if event is not None])

    def leaving(self, milliseconds: int) -> bytes:
        """An error: nobody can go on with this stream elsewhere."""
        return self.broken(*errors.STOPPING)

    def ended(self) -> bytes:
        """Nothing, unless the log was purged before the ending was told."""
        return b"" if self.complete else self.broken(*errors.GONE)

    def take(self, event: events.Event) -> bytes:
        """The frames of the next event; none for what this protocol has no word for."""
        if self.complete:
            return b""
        told = b"".join([self._piece(piece) for piece in self._telling.take(event)])
        if isinstance(event, events.RunCreated):
            self._begin(event)
            return self._chunk({"role": "assistant", "content": ""}) + told
        if self._telling.error is not None:
            return told + self.broken(self._telling.error.code, self._telling.error.message)
        return told if self._telling.ended is None else told + self._end()

    def broken(self, code: str, message: str) -> bytes:
        """The last frame of a stream that ends without a whole answer."""
        self.complete = True
        return _frame(errors.body(code, message))

    def _begin(self, created: events.RunCreated) -> None:
        common = {
            "id": ids.completion_id(created.run_id),
            "object": "chat.completion.chunk",
            "created": created.at // 1000,
            "model": created.generations[0].model if created.generations else "",
        }
        self._head = b"data: " + _encode(common)[:-1]
        self._tail = b',"usage":null}\n\n' if self._include_usage else b"}\n\n"

    def _piece(self, piece: Piece) -> bytes:
        if isinstance(piece, Said):
            return self._chunk({"content": piece.text})
        if isinstance(piece, Called):
            self._calls += 1
            return self._chunk({"tool_calls": [{"index": self._calls - 1, **tool_call(piece.call)}]})
        return self._chunk({"reasoning_content": f"\n\n{piece.text}" if piece.anew else piece.text})

    def _end(self) -> bytes:
        ending = self._telling.ending
        last = self._chunk({}, finish_reason(ending))
        self.complete = True
        if not self._include_usage:
            return last + DONE
        usage = completion_usage((ending.usage if ending else None) or events.Usage())
        return last + self._head + b',"choices":[],"usage":' + _encode(usage) + b"}\n\n" + DONE

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._head + b',"choices":[' + _encode(choice) + b"]" + self._tail


def finish_reason(ending: events.GenerationEnding | None) -> str:
    """Why the model stopped. One that was stopped says `stop`: the protocol has no word for it."""
    return ending.finish_reason if isinstance(ending, events.GenerationCompleted) else "stop"


def tool_call(call: events.ToolCall) -> dict[str, Any]:
    """A call as messages and chunks have it."""
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def completion(created: events.RunCreated, ending: events.GenerationEnding | None) -> dict[str, Any]:
    """The same answer as one object, for who did not ask for a stream. Without an ending it was stopped at once."""
    calls = [tool_call(call) for call in ending.tool_calls] if ending else []
    text = ending.text if ending else None
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    if ending and ending.reasoning:
        message["reasoning_content"] = ending.reasoning
    if calls:
        message["tool_calls"] = calls
    return {
        "id": ids.completion_id(created.run_id),
        "object": "chat.completion",
        "created": created.at // 1000,
        "model": created.generations[0].model if created.generations else "",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(ending)}],
        "usage": completion_usage((ending.usage if ending else None) or events.Usage()),
    }


def _frame(value: Any) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"
