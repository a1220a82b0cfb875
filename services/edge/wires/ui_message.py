"""The UI message stream v1 of the Vercel AI SDK, versions 5 to 7.

Only the keys that every one of their patch releases accepts: an unknown one ends the stream in some. So the cursor is
the SSE `id:`, and stands on the last frame of an event, or a cut between two would lose the second. A client that
resumes by it takes an event's frames when the last one has come (examples/browser/ai-sdk.js does).
"""

from typing import Any

from contracts import events
from kit.runlog.cursor import Cursor
from kit.runlog.reads import LogMessage
from services.edge.wires.lane import Kind
from services.edge.wires.telling import Telling, arguments_of
from services.edge.wires.ui_cursor import UiCursor, parse_ui_cursor, shown, tag_of
from services.edge.wires.ui_parts import DONE, UiParts, frame, with_cursor
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT

HEADERS = (*SSE_HEADERS, (b"x-vercel-ai-ui-message-stream", b"v1"))


class UiMessageWire(Telling):
    """One text part and one reasoning part at a time; the next begins where the model changes over.

    A text that turns out to be another one is followed by a `data-restarted` part that says which kind of part
    before it is void, and by a new part.
    """

    headers = HEADERS
    heartbeat = SSE_HEARTBEAT

    def __init__(self, message_id: str | None = None, last_event_id: str | None = None) -> None:
        """`last_event_id` is what the client sent; it counts for the run it belongs to."""
        super().__init__(message_id)
        self._sent = parse_ui_cursor(last_event_id) if last_event_id else None
        self._epoch = self._tag = ""
        self._parts = UiParts()

    def resume(self, run_id: str) -> Cursor | None:
        """The place in the log that the client's cursor names, if that is of this run: then it has the rest."""
        self._tag = tag_of(run_id)
        cursor = self._sent
        if cursor is None or cursor.tag != self._tag:
            return None
        self.started = True
        cursor.shown.give(self.lane, self._parts)
        return cursor.place

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: what a client has of a run that is told anew is not told again."""
        self._epoch = epoch
        if reset:
            self.lane.begin_anew()
        return b""

    def frame(self, message: LogMessage) -> bytes:
        """The frames of one event, the last one with the cursor."""
        told = super().frame(message)
        if not told or not self.started:
            return told
        # words that are held back are in no cursor: who comes back is told everything anew, and given the rest
        place = Cursor(self._epoch, 0 if self.lane.held else message.sequence)
        return with_cursor(told, UiCursor(place, self._tag, shown(self.lane, self._parts)))

    def start(self, message_id: str, metadata: dict[str, Any]) -> bytes:
        """The message, and its only step."""
        start = {"type": "start", "messageId": message_id, "messageMetadata": metadata}
        return frame(start) + frame({"type": "start-step"})

    def said(self, kind: Kind, text: str) -> bytes:
        """A delta, in a part that may have to begin first."""
        return self._parts.said(kind, text)

    def taken_back(self, kind: Kind) -> bytes:
        """A data part that stays in the message."""
        return self._parts.taken_back(kind)

    def generated(self, calls: tuple[events.ToolCall, ...], metadata: dict[str, Any]) -> bytes:
        """Calls, numbers, and the end of the step."""
        told = self._parts.close()
        for call in calls:
            told += frame(
                {
                    "type": "tool-input-available",
                    "toolCallId": call.call_id,
                    "toolName": call.name,
                    "input": arguments_of(call),
                }
            )
        return told + frame({"type": "message-metadata", "messageMetadata": metadata}) + frame({"type": "finish-step"})

    def notice(self, notice: dict[str, Any]) -> bytes:
        """For `onData` only."""
        return frame({"type": "data-notice", "data": notice, "transient": True})

    def queued(self, ahead: int) -> bytes:
        """For `onData` only."""
        return frame({"type": "data-queued", "data": {"ahead": ahead}, "transient": True})

    def finished(self, reason: str) -> bytes:
        """AI SDK 5.0.0 does not know the reason yet; its later patches do."""
        return self._parts.close() + frame({"type": "finish", "finishReason": reason})

    def failed(self, message: str) -> bytes:
        """The client's error."""
        return self._parts.close() + frame({"type": "error", "errorText": message})

    def cancelled(self) -> bytes:
        """Without a reason, which two releases do not accept."""
        return self._parts.close() + frame({"type": "abort"})

    def ended(self) -> bytes:
        """What the SDK's own servers end with."""
        return DONE if self.done else b""
