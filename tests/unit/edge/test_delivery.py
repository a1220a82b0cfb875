"""Whether a client has what was written to it: its kernel says so, over a real connection, whoever hangs up first."""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator

import pytest

from services.edge import delivery as module
from services.edge.delivery import Delivery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

SHORT, LONG = b"x" * 100, b"x" * 24_000
PATIENCE, LITTLE = 10.0, 0.1
WINDOW_BYTES = 4096


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.Transport, socket.socket]]:
    """Our end of a connection, and its client's, whose window is small."""
    accepted: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            accepted.set_result(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    with contextlib.closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        client.setblocking(False)
        await loop.sock_connect(client, server.sockets[0].getsockname())
        transport = await accepted
        try:
            yield transport, client
        finally:
            transport.abort()
            server.close()


async def delivered(delivery: Delivery | None, seconds: float) -> bool:
    assert delivery is not None
    try:
        return await delivery.confirmed(seconds)
    finally:
        delivery.close()


async def read(client: socket.socket, count: int) -> None:
    while count > 0:
        data = await asyncio.get_running_loop().sock_recv(client, 65536)
        assert data
        count -= len(data)


async def test_what_a_client_takes_is_confirmed() -> None:
    async with connected() as (transport, client):
        transport.write(LONG)
        looking = asyncio.create_task(delivered(Delivery.on(transport), PATIENCE))
        await read(client, len(LONG))
        assert await looking


async def test_what_a_client_does_not_take_is_not() -> None:
    async with connected() as (transport, _):
        transport.write(LONG)
        assert not await delivered(Delivery.on(transport), LITTLE)


async def test_what_lies_in_our_own_buffer_is_not() -> None:
    async with connected() as (transport, _):
        transport.write(b"x" * 20_000_000)
        assert transport.get_write_buffer_size()
        assert not await delivered(Delivery.on(transport), LITTLE)


@pytest.mark.parametrize("text", [SHORT, LONG])
async def test_a_client_that_reads_and_hangs_up_has_it(text: bytes) -> None:
    async with connected() as (transport, client):
        transport.write(text)
        delivery = Delivery.on(transport)
        await read(client, len(text))
        client.close()
        assert await delivered(delivery, PATIENCE)


async def test_a_client_that_cuts_the_connection_when_it_has_read_has_it() -> None:
    """It may do so before its kernel has confirmed anything; what was sent to it was there all the same."""
    async with connected() as (transport, client):
        transport.write(SHORT)
        delivery = Delivery.on(transport)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert await delivered(delivery, PATIENCE)


async def test_a_client_whose_machine_was_silent_until_it_was_given_up_has_not() -> None:
    async with connected() as (transport, client):
        transport.write(SHORT)
        delivery = Delivery.on(transport)
        assert delivery is not None
        transport.get_protocol().lost = TimeoutError()  # type: ignore[attr-defined]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        # On one machine the kernel may confirm at once; what counts is what a lost connection is taken for.
        assert not delivery._hung_up()
        delivery.close()


async def test_a_client_that_is_killed_before_it_reads_has_not() -> None:
    async with connected() as (transport, client):
        transport.write(LONG)
        delivery = Delivery.on(transport)
        client.close()  # with something unread: that is a reset
        assert not await delivered(delivery, PATIENCE)


async def test_a_connection_that_we_close_is_looked_at_on() -> None:
    async with connected() as (transport, client):
        transport.write(LONG)
        delivery = Delivery.on(transport)
        transport.close()
        looking = asyncio.create_task(delivered(delivery, PATIENCE))
        await read(client, len(LONG))
        assert await looking


async def test_a_client_gets_the_end_of_a_connection_though_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_LOOK_SECONDS", PATIENCE / 2)
    async with connected() as (transport, client):
        transport.write(LONG)
        delivery = Delivery.on(transport)
        transport.close()
        looking = asyncio.create_task(delivered(delivery, PATIENCE))
        await read(client, len(LONG))
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
        assert not looking.done(), "it comes without waiting for the next look"
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_a_connection_that_is_gone_has_nothing() -> None:
    async with connected() as (transport, _):
        transport.close()
        with pytest.raises(ConnectionError):
            Delivery.on(transport)


async def test_where_nobody_can_be_asked_there_is_nothing_to_wait_for() -> None:
    assert Delivery.on(None) is None
