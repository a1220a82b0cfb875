"""What the server keeps for a client that does not read."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from kit.settings import EdgeSettings, Settings
from services.edge.server import UNSENT_BYTES, WRITE_BUFFER_BYTES, listen, make_server
from tests.fixtures.polling import until

PIECE_BYTES = 8 * 1024
CLIENT_WINDOW_BYTES = 16 * 1024  # more than the kernel gives for a receive buffer of 4 KiB
PIECES = 400


class Giving:
    """An application that gives each client as much as it takes, up to a limit."""

    def __init__(self) -> None:
        self.given = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": b"x" * PIECE_BYTES, "more_body": True})
            self.given += PIECE_BYTES
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
async def giving() -> AsyncIterator[tuple[Giving, int]]:
    app = Giving()
    server, listener = make_server(app), listen(Settings(edge=EdgeSettings(port=0)))
    serving = asyncio.create_task(server.serve([listener]))
    yield app, listener.getsockname()[1]
    server.should_exit = True
    await serving


async def test_what_waits_for_a_client_that_does_not_read_is_bounded_in_the_kernel_too(
    giving: tuple[Giving, int],
) -> None:
    app, port = giving
    loop = asyncio.get_running_loop()
    with contextlib.closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        seen = [-1]

        async def stands_still() -> bool:
            seen.append(app.given)
            return 0 < seen[-2] == seen[-1] == app.given

        await until(stands_still)
        kept = UNSENT_BYTES + WRITE_BUFFER_BYTES + CLIENT_WINDOW_BYTES + 2 * PIECE_BYTES
        assert app.given <= kept < PIECES * PIECE_BYTES
        received = b""
        while data := await loop.sock_recv(client, 65536):
            received += data
    assert received.count(b"x") >= PIECES * PIECE_BYTES, "who reads after all gets it all"
