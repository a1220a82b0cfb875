"""A connection that is lost takes nothing with it that had come before."""

import asyncio

import aiohttp
import pytest

from services.inference.providers.connection import LOST, new_session, read_some
from tests.integration.providers.calls import until
from tests.integration.providers.raw_server import Exchange, raw_server


def test_the_private_parts_of_aiohttp_that_are_used_exist() -> None:
    assert "_buffer" in aiohttp.StreamReader.__slots__
    assert callable(aiohttp.StreamReader._read_nowait)


@pytest.mark.parametrize("read_before_the_loss", [True, False])
async def test_what_came_before_a_loss_is_read_and_then_the_loss(read_before_the_loss: bool) -> None:
    go_on = asyncio.Event()

    async def breaking_off(exchange: Exchange) -> None:
        await exchange.chunked(b"first ")
        await go_on.wait()
        await exchange.send(b"7\r\nsecond \r\n", b"6\r\nthird \r\n")
        exchange.writer.close()

    async with (
        raw_server(breaking_off) as server,
        new_session() as session,
        session.post(server.base_url, data=b"{}") as response,
    ):
        said = await read_some(response.content) if read_before_the_loss else b""
        go_on.set()
        await until(lambda: response.content.exception() is not None)
        while b"third" not in said:
            said += await read_some(response.content)
        with pytest.raises(LOST):
            await read_some(response.content)
    assert said == b"first second third "
