"""Synchronous receive and publish on a nats-py connection, for the token path only.

nats-py gives every message a queue, a task wake-up and a Msg object; at thousands of tokens a second that is most of
the cost and nearly all of the tail (docs/adr/0003-synchronous-token-path.md has the numbers). This replaces the
connection's parser, so that chosen subscriptions are called straight from the socket's read, and appends to its write
buffer. Connecting, reconnecting, TLS and every other subscription stay nats-py's own.

It touches the private `_ps`, `_pending`, `_flush_queue` and `_transport`; tests/unit/bus/test_fastpath.py holds the
pinned version to what is used here.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.protocol.parser import AWAITING_CONTROL_LINE, Parser

SyncCallback = Callable[[bytes, bytes, bytes], None]
"""Called with subject, raw header block (empty if there is none) and payload. It must not raise and not block."""

_MSG, _HMSG = ord("M"), ord("H")


class FastParser(Parser):
    """nats-py's parser with a short way for chosen subscriptions."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.fast: dict[int, SyncCallback] = {}
        self.tail = b""

    def reset(self) -> None:
        """Forget a half-read message: the connection it came from is gone."""
        super().reset()
        self.tail = b""

    async def parse(self, data: bytes = b"") -> None:
        """Dispatch every whole message in the buffer and keep the rest."""
        buffer = self.tail + data if self.tail else bytes(data)
        position, end = 0, len(buffer)
        fast, client = self.fast, self.nc
        while position < end:
            line_end = buffer.find(b"\r\n", position)
            if line_end < 0:
                break
            first = buffer[position]
            if first not in (_MSG, _HMSG):  # PING, PONG, INFO, +OK, -ERR
                self.buf.extend(buffer[position : line_end + 2])
                self.state = AWAITING_CONTROL_LINE
                position = line_end + 2
                await super().parse(b"")
                continue
            words = buffer[position:line_end].split()
            size, start = int(words[-1]), line_end + 2
            if start + size + 2 > end:
                break
            position = start + size + 2
            header_size = int(words[-2]) if first == _HMSG else 0
            header = buffer[start : start + header_size]
            payload = buffer[start + header_size : start + size]
            sid = int(words[2])
            callback = fast.get(sid)
            if callback is not None:
                callback(words[1], header, payload)
                continue
            reply = words[3] if len(words) == (6 if first == _HMSG else 5) else b""
            await client._process_msg(sid, words[1], reply, payload, header or None)
        self.tail = buffer[position:]


class Connection(Protocol):
    """A nats-py client whose parser is a FastParser."""

    _ps: FastParser


def install(client: Client) -> None:
    """Give a connected client the short way. Must be called before anything else is received on it."""
    parser = FastParser(client)
    parser.tail = bytes(client._ps.buf)
    client._ps = parser


async def subscribe(client: Client, subject: str, callback: SyncCallback) -> Subscription:
    """Subscribe with a callback that runs inside the socket's read."""

    async def never(_: Any) -> None:
        """Messages take the short way."""

    subscription = await client.subscribe(subject, cb=never)
    cast(FastParser, client._ps).fast[subscription._id] = callback
    return subscription


async def unsubscribe(client: Client, subscription: Subscription) -> None:
    """End a subscription made here."""
    cast(FastParser, client._ps).fast.pop(subscription._id, None)
    if not client.is_closed:
        await subscription.unsubscribe()


class Outbox:
    """Sends whole PUB and HPUB commands, those of one turn of the event loop with one system call.

    nats-py's own way costs a future, a queue and the wake-up of its flusher for each. Holding commands back for a
    millisecond to share more was tried: 5 % less CPU, twice the latency.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._commands: list[bytes] = []

    def send(self, command: bytes) -> None:
        """Send a command soon. Callers bound how much they have outstanding: while the connection is away it waits."""
        if not self._commands:
            asyncio.get_running_loop().call_soon(self._write)
        self._commands.append(command)

    def _write(self) -> None:
        block, self._commands = b"".join(self._commands), []
        client, transport = self._client, self._client._transport
        if transport is not None and client.is_connected and not client._pending:
            transport.write(block)
            return
        client._pending.append(block)  # nats-py sends it after the reconnect
        client._pending_data_size += len(block)
        queue = client._flush_queue
        if client.is_connected and queue is not None and queue.empty():
            queue.put_nowait(asyncio.get_running_loop().create_future())


def hpub(subject: bytes, reply: bytes, headers: bytes, payload: bytes) -> bytes:
    """The wire form of one publish with headers; `headers` is the complete block."""
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject,
        reply,
        len(headers),
        len(headers) + len(payload),
        headers,
        payload,
    )


def header_value(header: bytes, name: bytes) -> bytes | None:
    """One value from a raw header block; `name` as it is on the wire, with colon and blank."""
    start = header.find(name)
    if start < 0:
        return None
    start += len(name)
    return header[start : header.find(b"\r\n", start)].strip()


def header_status(header: bytes) -> int | None:
    """The status of a message without content, such as 503 for "no responders"; None for an ordinary message."""
    if not header.startswith(b"NATS/1.0 "):
        return None
    words = header[9 : header.find(b"\r\n")].split()
    return int(words[0]) if words else None
