"""When the OpenAI provider opens, keeps and closes connections."""

import asyncio
from contextlib import aclosing

import pytest

from services.inference.providers import connection
from services.inference.providers.base import ProviderError, Text
from services.inference.providers.openai import OpenAIProvider
from tests.integration.providers.calls import call, outcome, until
from tests.integration.providers.raw_server import END, Exchange, RawServer, event
from tests.integration.providers.serving import serving

pytestmark = pytest.mark.usefixtures("each_way")


async def endless(exchange: Exchange) -> None:
    await exchange.chunked(event(content="first"))
    await exchange.gone()
    exchange.writer.close()


async def closed(server: RawServer) -> None:
    await until(lambda: server.exchanges and server.exchanges[0].writer.is_closing())


async def test_closing_the_iterator_closes_the_connection() -> None:
    async with serving(endless) as (server, provider):
        async with aclosing(provider.stream(call())) as stream:
            assert await anext(stream) == [Text("first")]
        await closed(server)


async def test_cancelling_the_task_closes_the_connection() -> None:
    async with serving(endless) as (server, provider):
        task = asyncio.create_task(outcome(provider))
        await until(lambda: server.exchanges)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed(server)


async def test_cancelling_while_the_server_says_nothing_closes_the_connection() -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.gone()
        exchange.writer.close()

    async with serving(silent) as (server, provider):
        task = asyncio.create_task(outcome(provider))
        await until(lambda: server.exchanges)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed(server)


async def test_closing_the_provider_ends_running_streams_with_an_error() -> None:
    async with serving(endless) as (server, provider):
        stream = provider.stream(call())
        await anext(stream)
        await provider.close()
        with pytest.raises(ProviderError):
            await anext(stream)
        await closed(server)


async def test_one_connection_serves_warm_up_and_many_calls_after_each_other() -> None:
    async def handle(exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            await exchange.answer("200 OK", b"{}")
        else:
            await exchange.chunked(event(content="x"), END)
            await asyncio.sleep(0.02)  # the end of the body comes in a packet of its own
            await exchange.send(b"0\r\n\r\n")

    async with serving(handle) as (server, provider):
        await provider.warm()
        for _ in range(5):
            assert (await outcome(provider)).text == "x"
            await until(lambda: not provider._drains)
        assert server.connections == 1


async def test_an_error_leaves_no_connection_open() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 20_000)
        await exchange.gone()
        exchange.writer.close()

    async with serving(handle) as (server, provider):
        assert (await outcome(provider)).error is not None
        await closed(server)


async def test_warming_up_a_server_that_is_not_there_is_no_error(unused_tcp_port: int) -> None:
    provider = OpenAIProvider(f"http://127.0.0.1:{unused_tcp_port}/v1")
    await provider.warm()
    error = (await outcome(provider)).error
    assert error is not None
    assert "refuses" in error.message
    await provider.close()


async def test_a_server_that_never_accepts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 0.1)
    provider = OpenAIProvider("http://192.0.2.1:9/v1")  # TEST-NET-1, RFC 5737: nobody answers there
    error = (await outcome(provider)).error
    assert error is not None
    assert (error.code, error.retryable) == ("provider_unavailable", True)
    assert "192.0.2.1" not in error.message
    await provider.close()
