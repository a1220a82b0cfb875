"""Bodies that are given away inside the socket's read: all of it, in order, and no faster than it is wanted."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import aiohttp
import pytest

from services.inference.providers.base import Chunk, Text
from services.inference.providers.pushed import push
from tests.integration.providers.calls import call, until
from tests.integration.providers.raw_server import END, Exchange, event
from tests.integration.providers.serving import serving

PIECES = [event(content=f"{number} ") for number in range(200)]
WHOLE = "".join(f"{number} " for number in range(200))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


async def counting(exchange: Exchange) -> None:
    await exchange.send(HEAD, *PIECES, END)
    exchange.writer.close()


def test_the_private_part_of_aiohttp_that_is_used_exists() -> None:
    assert "_waiter" in aiohttp.StreamReader.__slots__


async def test_text_goes_to_who_takes_it_and_only_the_end_is_yielded() -> None:
    taken: list[Chunk] = []
    yielded: list[Chunk] = []

    def take(chunks: Sequence[Chunk]) -> bool:
        taken.extend(chunks)
        return True

    async with serving(counting) as (_, provider), aclosing(provider.stream(replace(call(), take=take))) as stream:
        async for chunks in stream:
            yielded += chunks
    assert "".join(chunk.text for chunk in taken if isinstance(chunk, Text)) == WHOLE
    assert len(yielded) == 1


async def test_nothing_is_taken_while_nothing_is_wanted_and_nothing_is_lost_of_it() -> None:
    said: list[str] = []
    taken_in_pauses = 0

    def take(chunks: Sequence[Chunk]) -> bool:
        said.extend(chunk.text for chunk in chunks if isinstance(chunk, Text))
        return False

    async with serving(counting) as (_, provider), aclosing(provider.stream(replace(call(), take=take))) as stream:
        async for chunks in stream:
            before = len(said)
            await asyncio.sleep(0.001)
            taken_in_pauses += len(said) - before
            take(chunks)
    assert "".join(said) == WHOLE
    assert taken_in_pauses == 0


async def test_what_the_taker_raises_comes_out_and_closes_the_connection() -> None:
    class DefectError(Exception):
        pass

    def take(chunks: Sequence[Chunk]) -> bool:
        raise DefectError

    async def endless(exchange: Exchange) -> None:
        await exchange.chunked(event(content="first"))
        await exchange.gone()
        exchange.writer.close()

    async with serving(endless) as (server, provider):
        with pytest.raises(DefectError):
            async with aclosing(provider.stream(replace(call(), take=take))) as stream:
                await anext(stream)
        await until(lambda: server.exchanges[0].writer.is_closing())


async def test_who_is_cancelled_leaves_the_body_to_the_next_reader() -> None:
    async def twice(exchange: Exchange) -> None:
        await exchange.chunked(b"one")
        await exchange.reader.readexactly(1)
        await exchange.send(b"3\r\ntwo\r\n0\r\n\r\n")

    got: list[bytes] = []

    def take(data: bytes) -> bool:
        got.append(data)
        return True

    async with (
        serving(twice) as (server, _),
        aiohttp.ClientSession() as session,
        session.get(server.base_url) as response,
    ):
        pushing = asyncio.create_task(push(response.content, take))
        await until(lambda: got)
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)
        connection = response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.write(b"x")
        assert await response.content.read() == b"two"
    assert got == [b"one"]
