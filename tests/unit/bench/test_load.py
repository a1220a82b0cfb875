"""The load client against the model server itself: every token arrives, and damage is seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.load import run
from bench.model_server import ModelServer
from bench.targets import Direct

HOST = "127.0.0.1"


@asynccontextmanager
async def model_server() -> AsyncIterator[Direct]:
    server = await asyncio.get_running_loop().create_server(ModelServer, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Direct(Path(), f"http://{HOST}:{port}/v1", None)


async def test_every_stream_arrives_whole() -> None:
    async with model_server() as target:
        result = await run(target, concurrency=20, rate=500, tokens=50, ramp_seconds=0.1, first_token_ms=1)
    assert (result.lost, result.duplicated, result.out_of_order, result.failed) == (0, 0, 0, 0)
    assert result.delivered == 1_000
    assert result.latency_ms(0.5) >= 0


async def test_more_runs_than_streams_follow_one_another() -> None:
    async with model_server() as target:
        result = await run(target, concurrency=3, runs=10, rate=1_000, tokens=2, ramp_seconds=0, first_token_ms=1)
    assert len(result.streams) == 10
    assert result.failed == 0


async def test_a_target_that_is_not_there_fails_every_stream() -> None:
    target = Direct(Path(), f"http://{HOST}:9/v1", None)
    result = await run(target, concurrency=2, tokens=2, ramp_seconds=0)
    assert result.failed == 2
    assert result.lost == 0


async def test_an_answer_that_stops_in_the_middle_fails() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ndata: ")
        writer.close()

    server = await asyncio.start_server(cut, HOST, 0)
    async with server:
        target = Direct(Path(), f"http://{HOST}:{server.sockets[0].getsockname()[1]}/v1", None)
        result = await run(target, concurrency=1, tokens=2, ramp_seconds=0)
    assert result.failed == 1
    assert result.errors.most_common(1)[0][0].startswith("connection lost")


async def test_a_silent_target_fails_at_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    async with server:
        target = Direct(Path(), f"http://{HOST}:{server.sockets[0].getsockname()[1]}/v1", None)
        result = await run(target, concurrency=1, tokens=2, ramp_seconds=0, grace_seconds=0.1)
    assert result.errors == {"not finished in time": 1}
