"""Synchronous receive and publish on a nats-py connection, for the token path only.

nats-py gives every message a queue, a task wake-up and a Msg object; at thousands of tokens a second that is most of
the cost and nearly all of the tail (docs/adr/0003-synchronous-token-path.md has the numbers). Here the connection's
protocol is wrapped: messages of chosen subscriptions are called straight from the socket's read, all other bytes go on
to nats-py as they came. Connecting, reconnecting, TLS and every other subscription stay nats-py's own.

A chosen subscription is an ordinary one of nats-py too: on a connection that cannot be wrapped, and in the moments
after a reconnect, its messages come that way.

It touches nats-py's private `_transport`, `_ps`, `_pending`, `_flush_queue` and `_remove_sub`, and a subscription's
`_stop_processing`; tests/integration/bus/test_fastpath.py holds the pinned version to what is used here.
"""

import asyncio
import logging
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.protocol.parser import AWAITING_CONTROL_LINE

from kit.bus.frames import FrameSplitter, SyncCallback

log = logging.getLogger(__name__)

MAX_INSTALL_TURNS = 10_000
"""Turns of the event loop in which a moment between two messages is looked for."""


class _SplittingProtocol(asyncio.Protocol):
    """Stands before nats-py's own protocol on the transport."""

    def __init__(self, own: Any, splitter: FrameSplitter) -> None:
        self._own, self._splitter = own, splitter

    def data_received(self, data: bytes) -> None:
        others = self._splitter.feed(data)
        if others:
            self._own.data_received(others)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._own.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._own.connection_lost(exc)

    def eof_received(self) -> bool | None:
        kept: bool | None = self._own.eof_received()
        return kept

    def pause_writing(self) -> None:
        self._own.pause_writing()

    def resume_writing(self) -> None:
        self._own.resume_writing()


class FastPath:
    """The short way of one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._callbacks: dict[int, SyncCallback] = {}
        self._commands: list[bytes] = []

    async def install(self) -> None:
        """Wrap the connection at a moment when nothing is half-read. Called after every connect and reconnect."""
        transport: Any = self._client._transport
        writer = getattr(transport, "_io_writer", None)
        if writer is None:
            return  # no plain stream (WebSocket): nats-py's way it is
        parser, reader = self._client._ps, transport._io_reader
        for _ in range(MAX_INSTALL_TURNS):
            if not parser.buf and not reader._buffer and parser.state == AWAITING_CONTROL_LINE:
                own = writer.transport.get_protocol()
                writer.transport.set_protocol(_SplittingProtocol(own, FrameSplitter(self._callbacks)))
                return
            await asyncio.sleep(0)  # nats-py reads what there is
        log.warning("this connection could not be wrapped; its tokens take the slow way")

    async def subscribe(self, subject: str, callback: SyncCallback) -> Subscription:
        """Subscribe with a callback that runs inside the socket's read."""

        async def slow(message: Msg) -> None:
            headers = "".join(f"{name}: {value}\r\n" for name, value in (message.headers or {}).items())
            status = (message.headers or {}).get("Status", "")
            block = f"NATS/1.0 {status}".rstrip() + f"\r\n{headers}\r\n" if message.headers else ""
            callback(message.subject.encode(), block.encode(), message.data)

        subscription = await self._client.subscribe(subject, cb=slow)
        self._callbacks[subscription._id] = callback
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription made here."""
        self._callbacks.pop(subscription._id, None)
        if not self._client.is_closed:
            await subscription.unsubscribe()

    def drop(self, subscription: Subscription) -> None:
        """The same at once, for who cannot wait: inside a callback."""
        self._callbacks.pop(subscription._id, None)
        subscription._closed = True
        subscription._stop_processing()
        self._client._remove_sub(subscription._id)
        if self._client.is_connected:  # otherwise the server has forgotten it, and it is not subscribed again
            self.send(b"UNSUB %d\r\n" % subscription._id)

    def send(self, command: bytes) -> None:
        """Send a whole PUB or HPUB command; those of one turn of the event loop share a system call.

        nats-py's own way costs a future, a queue and the wake-up of its flusher for each. Holding commands back for a
        millisecond to share more was tried: 5 % less CPU, twice the latency. While the connection is away commands
        wait in nats-py's buffer, so callers bound how much they have outstanding.
        """
        if not self._commands:
            asyncio.get_running_loop().call_soon(self._write)
        self._commands.append(command)

    def _write(self) -> None:
        block, self._commands = b"".join(self._commands), []
        client, transport = self._client, self._client._transport
        if transport is not None and client.is_connected and not client._pending:
            transport.write(block)
            return
        client._pending.append(block)
        client._pending_data_size += len(block)
        queue = client._flush_queue
        if client.is_connected and queue is not None and queue.empty():
            queue.put_nowait(asyncio.get_running_loop().create_future())
