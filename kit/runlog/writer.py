"""Writing a lane: every message stored, acknowledged and fenced, at the cost of little more than a plain publish.

Self-clocking: a lane has at most one publish without its acknowledgement. Text that arrives meanwhile is joined into
the next message. Idle, every token goes out at once; busy, messages grow by themselves and the cost per token falls.
The acknowledgement says what the next publish must expect, so a second writer of the same lane cannot add anything.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import msgspec

from contracts import events
from kit.bus.frames import header_status, hpub
from kit.bus.streams import MAX_MESSAGE_BYTES
from kit.runlog.lane import RunKey

MAX_JOINED_CHARACTERS = 32 * 1024
"""Text per message; at four bytes a character and with escapes it stays under the stream's message size."""
MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 4096
"""With its headers it fits into the stream's message size; beyond NATS's own limit the connection would be cut."""
MAX_BACKLOG_CHARACTERS = 1024 * 1024
"""What a lane holds while the log is away, before its provider has to wait."""
ACK_TIMEOUT_SECONDS = 2.0
"""After this long a publish is repeated with the same message id."""
RETRY_PAUSE_SECONDS = 0.1

_encoder = msgspec.json.Encoder()
_NO_RESPONDERS = 503


class FencedError(Exception):
    """Somebody else writes this lane now; this writer must fall silent."""


class _Ack(msgspec.Struct):
    seq: int = 0
    error: dict[str, int | str] | None = None


_decode_ack = msgspec.json.Decoder(_Ack).decode


class _Text:
    """Text that is not sent yet, all of one kind."""

    __slots__ = ("at", "characters", "pieces", "tag")

    def __init__(self, tag: str, text: str, at: int) -> None:
        self.tag, self.pieces, self.characters, self.at = tag, [text], len(text), at


_DELTA = {"generation.delta": events.GenerationDelta, "generation.reasoning": events.GenerationReasoning}


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
        self._message_id = f"{key.run}.{lane}.{attempt}.".encode()
        self._count = 0
        self._command = b""
        self._queue: deque[_Text | bytes] = deque()
        self._backlog = 0
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
        queue, at = self._queue, time.time_ns() // 1_000_000
        if self.unacknowledged_since is None and not queue:
            self._publish(_encoder.encode(_DELTA[tag](lane=self.lane, at=at, text=text)))
            return
        self._backlog += len(text)
        tail = queue[-1] if queue else None
        if isinstance(tail, _Text) and tail.tag == tag and tail.characters + len(text) <= MAX_JOINED_CHARACTERS:
            tail.pieces.append(text)
            tail.characters += len(text)
        else:
            queue.append(_Text(tag, text, at))

    def event(self, event: events.Event) -> None:
        """Append any other event, after everything appended before."""
        if self.fenced:
            return
        payload = events.encode(event)
        if len(payload) > MAX_EVENT_BYTES:
            self.fence(f"an event of {len(payload)} bytes is too large for the log", refused=True)
            return
        self._queue.append(payload)
        if self.unacknowledged_since is None:
            self._send()

    async def stored(self) -> int:
        """Wait until everything appended is stored; returns the last sequence. Raises FencedError."""
        while not self.fenced and (self._queue or self.unacknowledged_since is not None):
            future = asyncio.get_running_loop().create_future()
            self._idle.append(future)
            await future
        if self.fenced:
            raise FencedError(self.failure or "fenced")
        return self.last

    async def room(self) -> None:
        """Wait while more is held back than the limit; costs nothing otherwise."""
        while self._backlog > MAX_BACKLOG_CHARACTERS and not self.fenced:
            future = asyncio.get_running_loop().create_future()
            self._room.append(future)
            await future

    @property
    def full(self) -> bool:
        """Whether `room` would wait."""
        return self._backlog > MAX_BACKLOG_CHARACTERS

    # -- the clock ------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        item = self._queue.popleft()
        if isinstance(item, _Text):
            text = "".join(item.pieces)
            self._backlog -= item.characters
            payload = _encoder.encode(_DELTA[item.tag](lane=self.lane, at=item.at, text=text))
        else:
            payload = item
        self._publish(payload)

    def _publish(self, payload: bytes) -> None:
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
        """Repeat the publish that waits, with the same id and expectation."""
        if self.unacknowledged_since is not None and not self.fenced:
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
        if self._queue:
            self._send()
        elif self._idle:
            _wake(self._idle)
        if self._room and not self.full:
            _wake(self._room)

    def fence(self, reason: str, *, refused: bool = False) -> None:
        """Stop for good."""
        self.fenced, self.refused, self.failure = True, refused, reason
        self._queue.clear()
        self._backlog = 0
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
