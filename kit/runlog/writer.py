"""Writing a lane: every message stored, acknowledged and fenced, at the cost of little more than a plain publish.

Self-clocking: a lane has at most one publish without its acknowledgement. Text that arrives meanwhile is joined into
the next message. Idle, every token goes out at once; busy, messages grow by themselves and the cost per token falls.
The acknowledgement says what the next publish must expect, so a second writer of the same lane cannot add anything.

A snapshot of the lane takes its turn like a publish of the lane. It is fenced on the lane too, so that none is stored
behind an ending or in a run that was purged; and while a cluster looks into such an expectation it refuses every other
one of the same subject (10164, measured: 199 of 200), which would cost the next token a pause.
"""

import asyncio
import secrets
import time
from collections.abc import Callable

import msgspec

from contracts import events
from kit.bus.frames import header_status, hpub
from kit.runlog.backlog import DELTA, MAX_JOINED_CHARACTERS, Backlog, encode
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.snapshots import MAX_EVENT_BYTES, Snapshots

ACK_TIMEOUT_SECONDS = 2.0
"""After this long a publish is repeated with the same message id."""
RETRY_PAUSE_SECONDS = 0.1
WRITER_ID_BYTES = 4

SNAPSHOT_REPLY = b"s"
"""Ends the reply subject of a snapshot, so that its answer is not taken for one to the lane's own publish."""

_SNAPSHOT = SNAPSHOT_SUFFIX.encode()
_NO_RESPONDERS = 503


class FencedError(Exception):
    """Somebody else writes this lane now; this writer must fall silent."""


class _Ack(msgspec.Struct):
    seq: int = 0
    error: dict[str, int | str] | None = None


_decode_ack = msgspec.json.Decoder(_Ack).decode


class LaneWriter:
    """The single writer of one lane. Made by `LogWriters.open`; methods are called on the event loop only."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        key: RunKey,
        lane: str,
        *,
        attempt: int,
        last: int,
        reply: bytes,
        fenced: Callable[[], None],
        snapshots: Snapshots | None = None,
    ) -> None:
        self.lane = lane
        self.last = last
        """Sequence of the newest message of the lane, as far as this writer knows."""
        self.fenced = False
        self.refused = False
        """Fenced not by another writer, but because the log will never take the message that waits."""
        self.failure: str | None = None
        self.unacknowledged_since: float | None = None
        """Monotonic time of the publish that waits for its acknowledgement."""
        self.sent_at = 0.0
        self._send_command = send
        self.subject = key.lane(lane).encode()
        self.reply = reply
        # The writer is part of it: two that begin as the same attempt would take each other's messages for their own.
        self._message_id = f"{key.run}.{lane}.{attempt}.{secrets.token_hex(WRITER_ID_BYTES)}.".encode()
        self._count = 0
        self._command = b""
        self._waiting: events.Event | None = None  # what the publish says that waits
        self._snapshots = snapshots
        self._snapshot_waits = False  # it is a snapshot that waits
        self._backlog = Backlog(lane)
        self._idle: list[asyncio.Future[None]] = []
        self._room: list[asyncio.Future[None]] = []
        self._on_fenced = fenced

    # -- what the worker calls ------------------------------------------------------------------------------------

    def text(self, tag: str, text: str) -> None:
        """Append text of the kind `tag` (generation.delta or generation.reasoning)."""
        if self.fenced:
            return
        if len(text) > MAX_JOINED_CHARACTERS:
            for start in range(0, len(text), MAX_JOINED_CHARACTERS):
                self.text(tag, text[start : start + MAX_JOINED_CHARACTERS])
            return
        at = time.time_ns() // 1_000_000
        if self.unacknowledged_since is None:
            event = DELTA[tag](lane=self.lane, at=at, text=text)
            self._publish(event, encode(event))
        else:
            self._backlog.text(tag, text, at)

    def event(self, event: events.Event) -> None:
        """Append any other event, after everything appended before."""
        if self.fenced:
            return
        payload = events.encode(event)
        if len(payload) > MAX_EVENT_BYTES:
            self.fence(f"an event of {len(payload)} bytes is too large for the log", refused=True)
            return
        if self.unacknowledged_since is None:
            self._publish(event, payload)
        else:
            self._backlog.event(event, payload)

    async def stored(self) -> int:
        """Wait until everything appended is stored; returns the last sequence. Raises FencedError."""
        while not self.fenced and (self._backlog or self.unacknowledged_since is not None):
            future = asyncio.get_running_loop().create_future()
            self._idle.append(future)
            await future
        if self.fenced:
            raise FencedError(self.failure or "fenced")
        return self.last

    async def room(self) -> None:
        """Wait while more is held back than the limit; costs nothing otherwise."""
        while self._backlog.full and not self.fenced:
            future = asyncio.get_running_loop().create_future()
            self._room.append(future)
            await future

    @property
    def full(self) -> bool:
        """Whether `room` would wait."""
        return self._backlog.full

    # -- the clock ------------------------------------------------------------------------------------------------

    def _publish(self, event: events.Event, payload: bytes) -> None:
        self._waiting = event
        self._count += 1
        headers = b"NATS/1.0\r\nNats-Msg-Id: %b%d\r\nNats-Expected-Last-Subject-Sequence: %d\r\n\r\n" % (
            self._message_id,
            self._count,
            self.last,
        )
        self._command = hpub(self.subject, self.reply, headers, payload)
        self.unacknowledged_since = self.sent_at = time.monotonic()
        self._send_command(self._command)

    def resend(self) -> None:
        """Repeat the publish that waits, with the same id and expectation; a snapshot is not worth it."""
        if self._snapshot_waits:
            self.snapshot_answered()
        elif self.unacknowledged_since is not None and not self.fenced:
            self.sent_at = time.monotonic()
            self._send_command(self._command)

    @property
    def waiting_id(self) -> str:
        """The message id of the publish that waits."""
        return f"{self._message_id.decode()}{self._count}"

    def acknowledge(self, sequence: int) -> None:
        """The waiting publish is stored."""
        self.last = sequence
        self.unacknowledged_since = None
        if self._snapshots is not None and self._waiting is not None:
            self._snapshots.stored(self._waiting, sequence)
        self._go_on()

    def _go_on(self) -> None:
        """The lane's turn is free."""
        if self._snapshots is not None and self._snapshots.waiting is not None:
            self._publish_snapshot(self._snapshots)
        elif self._backlog:
            self._publish(*self._backlog.next())
        elif self._idle:
            _wake(self._idle)
        if self._room and not self.full:
            _wake(self._room)

    def _publish_snapshot(self, snapshots: Snapshots) -> None:
        payload, snapshots.waiting = snapshots.waiting or b"", None
        headers = (
            b"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: %d\r\n"
            b"Nats-Expected-Last-Subject-Sequence-Subject: %b\r\n\r\n" % (self.last, self.subject)
        )
        self._count += 1  # whoever still looks into a refusal of the publish before finds that it is over
        self._snapshot_waits = True
        self.unacknowledged_since = self.sent_at = time.monotonic()
        self._send_command(hpub(self.subject + _SNAPSHOT, self.reply + SNAPSHOT_REPLY, headers, payload))

    def snapshot_answered(self) -> None:
        """It is stored, or refused, or lost: the lane goes on, and finds out itself if it is fenced."""
        if self._snapshot_waits:
            self._snapshot_waits = False
            self.unacknowledged_since = None
            self._go_on()

    def snapshot_kept(self, payload: bytes | None) -> None:
        """A long one is ready, its texts are elsewhere; None: it could not be kept."""
        if self._snapshots is not None:
            self._snapshots.kept(payload)
            if self.unacknowledged_since is None:
                self._go_on()

    def fence(self, reason: str, *, refused: bool = False) -> None:
        """Stop for good."""
        self.fenced, self.refused, self.failure = True, refused, reason
        self._snapshots = None
        self._backlog.clear()
        _wake(self._idle)
        _wake(self._room)
        self._on_fenced()

    def on_ack(self, header: bytes, payload: bytes) -> int | None:
        """Handle an acknowledgement. Returns an error code that the owner of the writers must look into, or None."""
        if self.unacknowledged_since is None:
            return None  # a repeated publish was answered twice
        if not payload:
            return header_status(header) or _NO_RESPONDERS
        ack = _decode_ack(payload)
        if ack.error is None:
            if ack.seq > self.last:  # otherwise a late answer to an earlier publish
                self.acknowledge(ack.seq)
            return None
        return int(ack.error.get("err_code", 0))


def _wake(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
    futures.clear()
