"""A server that stops: who would take a clean end for the end of the answer is cut off, and knows it."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from kit.runlog.reads import LogMessage
from services.edge.server import make_server
from services.edge.stream import EventStream, Streams
from services.edge.wires.native import NativeWire
from services.edge.wires.ui_message import UiMessageWire
from services.edge.wires.wire import Wire
from tests.fixtures import run_events as run


class Following:
    """A run that has begun, and goes on when it is told to."""

    def __init__(self, *log: LogMessage) -> None:
        self.ended = False
        self._log, self._wake = list(log), asyncio.Event()

    async def next(self, timeout: float) -> list[LogMessage]:
        if self._log:
            told, self._log = self._log, []
            return told
        await self._wake.wait()
        return []

    def interrupt(self) -> None:
        self._wake.set()

    def end(self) -> None:
        self.ended = True
        self._wake.set()

    async def close(self) -> None:
        pass


class NoReferences:
    def concerns(self, _: Any) -> bool:
        return False


def stream_of(following: Following, streams: Streams, wire: Wire) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        wire.open("e1")
        response = EventStream(
            following,  # type: ignore[arg-type]
            NoReferences(),  # type: ignore[arg-type]
            streams,
            wire=wire,
            heartbeat_seconds=60,
        )
        await response(scope, receive, send)

    return app


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    server = make_server(app)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("cut", [True, False])
async def test_a_server_that_stops_cuts_the_streams_that_need_it(cut: bool, caplog: pytest.LogCaptureFixture) -> None:
    wire: Wire = UiMessageWire() if cut else NativeWire()
    streams, following = Streams(), Following(*run.log(run.created(), run.said("He")))
    with caplog.at_level(logging.DEBUG):
        async with serving(stream_of(following, streams, wire)) as url, httpx.AsyncClient(trust_env=False) as http:
            raw, draining = b"", None
            with pytest.raises(httpx.RemoteProtocolError) if cut else contextlib.nullcontext():
                async with http.stream("GET", url) as response:
                    async for piece in response.aiter_raw():
                        raw += piece
                        draining = draining or asyncio.create_task(streams.drain(0))
            assert draining is not None
            await draining
    assert b"reconnect" in raw
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_edge_that_will_be_replaced_sends_on_who_can_go_and_lets_the_others_finish() -> None:
    streams = Streams()
    goes = Following(*run.log(run.created(), run.said("He")))
    stays = Following(*run.log(run.created(), run.said("He"), run.answered("He"), run.completed()))
    async with (
        serving(stream_of(goes, streams, NativeWire())) as one,
        serving(stream_of(stays, streams, UiMessageWire())) as other,
        httpx.AsyncClient(trust_env=False) as http,
        http.stream("GET", one) as native,
        http.stream("GET", other) as foreign,
    ):
        assert len(streams) == 2
        await streams.retire(0)
        assert b"reconnect" in await native.aread()
        stays.end()
        assert (await foreign.aread()).endswith(b"data: [DONE]\n\n")
        late = Following(*run.log(run.created()))
        async with (
            serving(stream_of(late, streams, NativeWire())) as url,
            http.stream("GET", url) as response,
        ):
            assert b"reconnect" in await response.aread()


async def test_a_stream_whose_run_has_ended_is_not_cut() -> None:
    following = Following(*run.log(run.created(), run.said("He"), run.answered("He"), run.completed()))
    async with (
        serving(stream_of(following, Streams(), UiMessageWire())) as url,
        httpx.AsyncClient(trust_env=False) as http,
        http.stream("GET", url) as response,
    ):
        raw = b""
        async for piece in response.aiter_raw():
            raw += piece
            following.end()
    assert raw.endswith(b"data: [DONE]\n\n")
