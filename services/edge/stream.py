"""The response that carries a run to one client, with its own send loop: the hot path of the edge."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from fastapi import Response
from starlette.types import Receive, Scope, Send

from kit.runlog.reads import LogMessage
from kit.telemetry import measures, setup
from services.edge.delivery import TRANSPORT
from services.edge.expand import Expander
from services.edge.guard import RAW_SEND
from services.edge.presence import Watching
from services.edge.wires.wire import Wire

RECONNECT_JITTER_MILLISECONDS = 2000
"""On shutdown clients come back spread over so long, so that a deploy is no reconnect storm."""

PIECE_BYTES = 16 * 1024
"""Written at once: what a client does not take waits here, where others may share it, and not in its connection."""


class Source(Protocol):
    """What a stream is told from: a follower of a run, as its client may see it."""

    @property
    def ended(self) -> bool:
        """Nothing more comes."""

    async def next(self, timeout: float) -> list[LogMessage]:
        """The next events; an empty list after `timeout` seconds of silence."""

    def interrupt(self) -> None:
        """Make a waiting `next` return at once."""

    async def close(self) -> None:
        """Let go of the run."""


class Open(Protocol):
    """A response that waits for a run."""

    closed: bool
    """It is ending."""

    @property
    def resumes(self) -> bool:
        """Its client goes on elsewhere by itself."""

    def end_softly(self) -> None:
        """Tell the client that this process stops, and end."""


class Streams:
    """The streams of this process, so that a shutdown can end them softly."""

    def __init__(self) -> None:
        self._open: set[Open] = set()
        self._draining = self._retiring = False

    def add(self, stream: Open) -> None:
        """A stream has begun."""
        self._open.add(stream)
        if self._draining or (self._retiring and stream.resumes):
            stream.end_softly()

    def remove(self, stream: Open) -> None:
        """A stream has ended."""
        self._open.discard(stream)

    async def drain(self, seconds: float) -> None:
        """End all streams, spread over so long; their clients resume elsewhere by cursor."""
        self._draining = True
        await self._end(list(self._open), seconds)

    async def retire(self, seconds: float) -> None:
        """End those whose clients go on elsewhere by themselves, spread over so long; the others may finish here."""
        self._retiring = True
        await self._end([stream for stream in self._open if stream.resumes], seconds)

    async def _end(self, streams: Sequence[Open], seconds: float) -> None:
        for stream in streams:
            if not stream.closed:
                await asyncio.sleep(seconds / len(streams))
                stream.end_softly()

    def __len__(self) -> int:
        return len(self._open)


class EventStream(Response):
    """Follows a run until its end, the client's disconnect, or the shutdown of this process."""

    def __init__(
        self,
        source: Source,
        expander: Expander,
        streams: Streams,
        *,
        wire: Wire,
        heartbeat_seconds: float,
        first: bytes = b"",
        headers: Iterable[tuple[bytes, bytes]] = (),
        requested_at: float | None = None,
        on_gone: Callable[[], None] | None = None,
        watching: Watching | None = None,
    ) -> None:
        """`wire` has been opened, and said `first`. `on_gone` is called if the stream ends before the run does: its
        client goes, it cannot be told any more, or this process stops. `watching` is told how far the client comes.
        """
        super().__init__()
        self.closed = False
        self.resumes = wire.resumes
        self._source, self._expander, self._streams = source, expander, streams
        self._wire = wire
        self._heartbeat = heartbeat_seconds
        self._first = first
        self._opening_headers = [*wire.headers, *headers]
        self._requested_at = requested_at
        self._on_gone = on_gone
        self._watching = watching
        self._measured = setup.enabled()

    def end_softly(self) -> None:
        """Tell the client to reconnect, and end."""
        self.closed = True
        self._source.interrupt()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        self._streams.add(self)
        if self._watching is not None:
            self._watching.begin()
        listener = asyncio.create_task(self._until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self._opening_headers})
            direct: Send = scope.get(RAW_SEND, send)
            if self._first:
                await direct({"type": "http.response.body", "body": self._first, "more_body": True})
            # In a task of its own: each token would be passed down through all that surrounds a response.
            await asyncio.create_task(self._pump(direct, scope.get(TRANSPORT)))
            last = b"" if listener.done() else self._last_words()
            if last:
                await send({"type": "http.response.body", "body": last, "more_body": True})
            if not self._wire.breaks_off:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if not self._source.ended and self._on_gone is not None:
                self._on_gone()
            self.closed = True
            self._streams.remove(self)
            if self._watching is not None:
                self._watching.end()
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener
            await self._source.close()

    def _last_words(self) -> bytes:
        if self.closed:
            return self._wire.leaving(random.randrange(RECONNECT_JITTER_MILLISECONDS))  # noqa: S311
        return self._wire.ended()

    async def _pump(self, send: Send, transport: asyncio.Transport | None) -> None:
        source, expander, wire = self._source, self._expander, self._wire
        while not (source.ended or self.closed or wire.complete):
            batch = await source.next(self._heartbeat)
            if self.closed:
                return
            if not batch:
                await send({"type": "http.response.body", "body": wire.heartbeat, "more_body": True})
            elif not expander.concerns(batch):
                await self._send(batch, send)
            else:
                async for piece in expander.pieces(batch):
                    if not self.closed:
                        await self._send(piece, send)
        if self._watching is not None and not self.closed:
            self._watching.told(transport)  # at once: a client that has its end may hang up any moment

    async def _send(self, batch: list[LogMessage], send: Send) -> None:
        parts = self._wire.parts(batch)
        payloads: list[bytes] = []
        if self._measured:
            self._measure(batch)
            payloads = [message.payload for message in batch]
        batch.clear()  # a client that does not take it keeps it for long: once is enough
        for part in parts:
            for start in range(0, len(part), PIECE_BYTES):
                piece = part[start : start + PIECE_BYTES]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._measured:
            measures.token_ages("sent", payloads)

    def _measure(self, batch: list[LogMessage]) -> None:
        for message in batch:
            at = measures.delta_at(message.payload)
            if at is None:
                continue
            measures.token_age("edge", at)
            if self._requested_at is not None:
                measures.first_token("edge", asyncio.get_running_loop().time() - self._requested_at)
                self._requested_at = None

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.closed = True
        self._source.interrupt()
