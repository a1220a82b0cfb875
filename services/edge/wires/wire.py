"""What every wire format is: events of the log in, bytes for one client out."""

from collections.abc import Sequence
from typing import Protocol

from kit.runlog.reads import LogMessage

SSE_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)

SSE_HEARTBEAT = b": hb\n"
"""One newline: a blank line would be an empty event to some clients (PROTOCOLS: openai-python, fetch-event-source)."""


class Wire(Protocol):
    """How one client is told one run. It may keep what it has told; nothing in it waits."""

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Of the response."""

    @property
    def heartbeat(self) -> bytes:
        """Said at a silence."""

    @property
    def whole(self) -> bool:
        """From its start a run is told event by event. Otherwise in short: an ending or a snapshot carries the words
        of its lane. A run whose log is gone is told in short to everybody.
        """

    @property
    def complete(self) -> bool:
        """All is told that can be, though the run may go on: the stream ends."""

    @property
    def breaks_off(self) -> bool:
        """A stream that ended now would be cut, and not closed: its clients take any end for the run's, and this run
        has none yet.
        """

    @property
    def resumes(self) -> bool:
        """Its clients come back by themselves, with their cursor, to wherever there is an edge."""

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Said before any event. `epoch` is what cursors begin with.

        `reset` says why a client that sent a cursor is told everything anew.
        """

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """The next events; nothing if this format has no words for them. A message's sequence is the cursor after it.

        Texts that lie elsewhere have been put back, unless they are gone.
        """

    def parts(self, messages: Sequence[LogMessage]) -> tuple[bytes, ...]:
        """The same in parts, to be written one after another: a long one may be shared with others who are sent it."""

    def leaving(self, milliseconds: int) -> bytes:
        """The server stops while the run goes on: come back after so long."""

    def ended(self) -> bytes:
        """Nothing more comes: the run's ending has been told, or its log was purged meanwhile."""


class OnePart:
    """Of a format that makes every event anew for each client: there is nothing to share."""

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """The next events."""
        raise NotImplementedError

    def parts(self, messages: Sequence[LogMessage]) -> tuple[bytes, ...]:
        """All in one."""
        return (self.frames(messages),)
