"""Server-sent events of the native routes: one frame per event of the log."""

from collections.abc import Sequence

from contracts import events
from contracts.ids import RUN_LANE
from kit.clock import now_ms
from kit.runlog.reads import LogMessage
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT

RETRY_MILLISECONDS = 1000
"""What clients wait before they reconnect. It travels in the first frame: alone it would be an empty event to some."""

LONG_BYTES = 32 * 1024
"""An event that is longer is not copied for each client."""

_TYPE_START = len(b'{"type":"')


class NativeWire:
    """Tells events as they are in the log."""

    headers = SSE_HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = False
    complete = False
    breaks_off = False
    resumes = True

    def __init__(self) -> None:
        self._epoch = b""
        self._opening = _retry(RETRY_MILLISECONDS)

    def open(self, epoch: str, reset: str = "") -> bytes:
        """A `reset`, if the client is to drop what it has."""
        self._epoch = epoch.encode()
        if not reset:
            return b""
        event = events.Reset(lane=RUN_LANE, at=now_ms(), reason=reset)
        return b"event: reset\ndata: %b\n\n" % events.encode(event)

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """One frame for each."""
        opening, self._opening = self._opening, b""
        if len(messages) == 1:
            return opening + _frame(messages[0], self._epoch)
        return opening + b"".join([_frame(message, self._epoch) for message in messages])

    def parts(self, messages: Sequence[LogMessage]) -> tuple[bytes, ...]:
        """The same in parts, to be written one after another.

        A long event stays the object that it is: others who are sent it share it.
        """
        if len(messages) > 1 or len(messages[0].payload) <= LONG_BYTES:
            return (self.frames(messages),)
        payload = messages[0].payload
        opening, self._opening = self._opening, b""
        return opening + _head(messages[0], self._epoch), payload, b"\n\n"

    def leaving(self, milliseconds: int) -> bytes:
        """A notice. It has no cursor of its own."""
        return _come_back("This server is stopping. Reconnect with your cursor.", milliseconds)

    def ended(self) -> bytes:
        """The run's ending has said so."""
        return b""


def unavailable() -> bytes:
    """A whole stream, for who cannot be told anything now: an EventSource gives up for good after any other status."""
    return _come_back("The run log does not answer at the moment. Reconnect with your cursor.", RETRY_MILLISECONDS)


def _come_back(message: str, milliseconds: int) -> bytes:
    notice = events.Notice(lane=RUN_LANE, at=now_ms(), code="reconnect", message=message)
    return _retry(milliseconds) + b"event: notice\ndata: %b\n\n" % events.encode(notice)


def _frame(message: LogMessage, epoch: bytes) -> bytes:
    return b"%b%b\n\n" % (_head(message, epoch), message.payload)


def _head(message: LogMessage, epoch: bytes) -> bytes:
    """An event's JSON begins with its type: it is not parsed here."""
    sequence, _, payload = message
    kind = payload[_TYPE_START : payload.index(b'"', _TYPE_START)]
    return b"id: %b-%d\nevent: %b\ndata: " % (epoch, sequence, kind)


def _retry(milliseconds: int) -> bytes:
    """The line that says how long to wait before a reconnect; it belongs to the frame that follows."""
    return b"retry: %d\n" % milliseconds
