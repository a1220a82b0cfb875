"""The UI message stream v1 of the Vercel AI SDK, versions 5 to 7.

Only the keys that every one of their patch releases accepts: an unknown one ends the stream in some. So the cursor is
the SSE `id:`, and stands on the last frame of an event, or a cut between two would lose the second. A client that
resumes by it takes an event's frames when the last one has come (examples/browser/ai-sdk.js does).
"""

from typing import Any

import msgspec

from contracts import events
from kit.runlog.cursor import Cursor
from kit.runlog.reads import LogMessage
from services.edge.wires.telling import Kind, Telling, arguments_of
from services.edge.wires.ui_cursor import UiCursor, parse_ui_cursor, tag_of
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT

_encode = msgspec.json.Encoder().encode


class UiMessageWire(Telling):
    """One text part and one reasoning part at a time; the next begins where the model changes over.

    A text that turns out to be another one is followed by a `data-restarted` part that says which kind of part
    before it is void, and by a new part.
    """

    headers = (*SSE_HEADERS, (b"x-vercel-ai-ui-message-stream", b"v1"))
    heartbeat = SSE_HEARTBEAT

    def __init__(self, message_id: str | None = None, last_event_id: str | None = None) -> None:
        """`last_event_id` is what the client sent; it counts for the run it belongs to."""
        super().__init__(message_id)
        self._sent = parse_ui_cursor(last_event_id) if last_event_id else None
        self._epoch = self._tag = ""
        self._open: Kind | None = None
        self._parts = 0

    def resume(self, run_id: str) -> Cursor | None:
        """The place in the log that the client's cursor names, if that is of this run: then it has the rest."""
        self._tag = tag_of(run_id)
        cursor = self._sent
        if cursor is None or cursor.tag != self._tag:
            return None
        self._open, self._parts, self.finish, self.started = cursor.open, cursor.parts, cursor.finish, True
        self.text.length, self.text.checksum = cursor.text
        self.reasoning.length, self.reasoning.checksum = cursor.reasoning
        return cursor.place

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: what a client has of a run that is told anew is not told again."""
        self._epoch = epoch
        if reset:
            self.text.begin_anew()
            self.reasoning.begin_anew()
        return b""

    def frame(self, message: LogMessage) -> bytes:
        """The frames of one event, the last one with the cursor."""
        told = super().frame(message)
        if not told or not self.started:
            return told
        last = told.rfind(b"\n\n", 0, -2) + 2 if told.count(b"\n\n") > 1 else 0
        cursor = UiCursor(
            # words that are held back are in no cursor: who comes back is told everything anew, and given the rest
            place=Cursor(self._epoch, 0 if self.held else message.sequence),
            tag=self._tag,
            open=self._open,
            parts=self._parts,
            finish=self.finish,
            text=(self.text.length, self.text.checksum),
            reasoning=(self.reasoning.length, self.reasoning.checksum),
        )
        return b"%bid: %b\n%b" % (told[:last], str(cursor).encode(), told[last:])

    def start(self, message_id: str, metadata: dict[str, Any]) -> bytes:
        """The message, and its only step."""
        start = {"type": "start", "messageId": message_id, "messageMetadata": metadata}
        return _frame(start) + _frame({"type": "start-step"})

    def said(self, kind: Kind, text: str) -> bytes:
        """A delta, in a part that may have to begin first."""
        opening = b""
        if self._open != kind:
            opening = self._close()
            self._open, self._parts = kind, self._parts + 1
            opening += _frame({"type": f"{kind}-start", "id": self._id})
        return opening + _frame({"type": f"{kind}-delta", "id": self._id, "delta": text})

    def taken_back(self, kind: Kind) -> bytes:
        """A data part that stays in the message."""
        return self._close() + _frame({"type": "data-restarted", "data": {"kind": kind}})

    def generated(self, calls: tuple[events.ToolCall, ...], metadata: dict[str, Any]) -> bytes:
        """Calls, numbers, and the end of the step."""
        told = self._close()
        for call in calls:
            told += _frame(
                {
                    "type": "tool-input-available",
                    "toolCallId": call.call_id,
                    "toolName": call.name,
                    "input": arguments_of(call),
                }
            )
        return (
            told + _frame({"type": "message-metadata", "messageMetadata": metadata}) + _frame({"type": "finish-step"})
        )

    def notice(self, notice: dict[str, Any]) -> bytes:
        """For `onData` only."""
        return _frame({"type": "data-notice", "data": notice, "transient": True})

    def queued(self, ahead: int) -> bytes:
        """For `onData` only."""
        return _frame({"type": "data-queued", "data": {"ahead": ahead}, "transient": True})

    def finished(self, reason: str) -> bytes:
        """AI SDK 5.0.0 does not know the reason yet; its later patches do."""
        return self._close() + _frame({"type": "finish", "finishReason": reason})

    def failed(self, message: str) -> bytes:
        """The client's error."""
        return self._close() + _frame({"type": "error", "errorText": message})

    def cancelled(self) -> bytes:
        """Without a reason, which two releases do not accept."""
        return self._close() + _frame({"type": "abort"})

    def ended(self) -> bytes:
        """What the SDK's own servers end with."""
        return b"data: [DONE]\n\n" if self.done else b""

    @property
    def _id(self) -> str:
        return f"{self._open}-{self._parts}"

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        told = _frame({"type": f"{self._open}-end", "id": self._id})
        self._open = None
        return told


def _frame(part: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _encode(part)
