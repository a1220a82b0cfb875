"""The data stream v1 of the Vercel AI SDK 4: a letter, a colon, JSON, a newline. It has no cursors."""

from typing import Any

import msgspec

from contracts import events
from services.edge.wires.lane import OTHER, Kind
from services.edge.wires.telling import Telling, arguments_of

_encode = msgspec.json.Encoder().encode

_PARAGRAPH = "\n\n"


class DataStreamWire(Telling):
    """Its clients keep one text for a whole message.

    A text that turns out to be another one begins in a new step, after a blank line, and a data part says from which
    character of `content` on the message is valid.
    """

    headers = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-cache, no-transform"),
        (b"x-accel-buffering", b"no"),
        (b"x-vercel-ai-data-stream", b"v1"),
    )
    heartbeat = b"\n"
    """A blank line is ignored."""

    def __init__(self, message_id: str | None = None) -> None:
        super().__init__(message_id)
        self._id = ""
        self._said = 0
        self._usage: dict[str, Any] = {}

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Everything is always told from the start."""
        return b""

    def start(self, message_id: str, metadata: dict[str, Any]) -> bytes:
        """The first step carries the message's id."""
        self._id = message_id
        return _part("f", {"messageId": message_id}) + _part("8", [metadata])

    def said(self, kind: Kind, text: str) -> bytes:
        """A delta."""
        if kind == "reasoning":
            return _part("g", text)
        self._said += _utf16(text)
        return _part("0", text)

    def taken_back(self, kind: Kind) -> bytes:
        """Said once for each kind; reasoning has no place of its own."""
        told = b""
        restarted: dict[str, Any] = {"type": "restarted", "kind": kind}
        if kind == "text":
            told = self.said("text", _PARAGRAPH)
            restarted["from"] = self._said
        told += _part("e", {"finishReason": OTHER, "isContinued": False})
        return told + _part("2", [restarted]) + _part("f", {"messageId": self._id})

    def generated(self, calls: tuple[events.ToolCall, ...], metadata: dict[str, Any]) -> bytes:
        """Calls and numbers. Usage is told at the end."""
        usage = metadata.get("usage", {})
        self._usage = {
            "usage": {
                "promptTokens": usage.get("inputTokens"),
                "completionTokens": usage.get("outputTokens"),
            }
        }
        told = b""
        for call in calls:
            arguments = arguments_of(call)
            if not isinstance(arguments, dict):  # anything else ends the stream in the client
                arguments = {"arguments": arguments}
            told += _part("9", {"toolCallId": call.call_id, "toolName": call.name, "args": arguments})
        return told + _part("8", [metadata])

    def notice(self, notice: dict[str, Any]) -> bytes:
        """In `data`."""
        return _part("2", [{"type": "notice", **notice}])

    def queued(self, ahead: int) -> bytes:
        """In `data`."""
        return _part("2", [{"type": "queued", "ahead": ahead}])

    def finished(self, reason: str) -> bytes:
        """The step and the message."""
        end = {"finishReason": reason, **self._usage}
        return _part("e", {**end, "isContinued": False}) + _part("d", end)

    def failed(self, message: str) -> bytes:
        """The client throws it."""
        return _part("3", message)

    def cancelled(self) -> bytes:
        """There is no word for it."""
        return self.finished(OTHER)

    def ended(self) -> bytes:
        """The message's end has said so."""
        return b""


def _part(code: str, value: Any) -> bytes:
    return b"%b:%b\n" % (code.encode(), _encode(value))


def _utf16(text: str) -> int:
    """The length as JavaScript counts it."""
    return len(text.encode("utf-16-le")) // 2
