"""uvicorn, without its hands on the signals."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.runtime.errors import StartError
from kit.settings import Settings
from services.edge.delivery import TRANSPORT

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 3
WRITE_BUFFER_BYTES = 16 * 1024
"""Of one connection, beyond what the kernel holds; the next write waits until it is nearly empty."""
UNSENT_BYTES = 32 * 1024
"""In the kernel, for one connection: what is beyond its client's window. Without a limit it takes megabytes."""


class Connection(HttpToolsProtocol):
    """uvicorn's, with little room for what its client does not take."""

    lost: Exception | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; `lost` says why, if it was not closed."""
        self.lost = exc
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins on it."""
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


UNFINISHED = "without completing response"
"""uvicorn's complaint about a response that is cut; some wire formats want that (services/edge/wires/wire.py)."""


class Server(uvicorn.Server):
    """uvicorn re-raises SIGTERM when it returns and takes the process's other tasks with it: we own the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    def stop_accepting(self) -> None:
        """Take no new connections; those there are go on."""
        for server in self.servers:
            server.close()


def make_server(app: ASGIApp) -> Server:
    """A server for an application; it is given its socket when it runs."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=Connection,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    return UNFINISHED not in record.getMessage()


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises StartError if it may not or cannot listen there."""
    host, port = settings.edge.host, settings.edge.port
    if settings.auth.mode == "local" and not settings.auth.allow_beyond_loopback and not _is_loopback(host):
        raise StartError(
            f"local mode has no passwords and does not listen on {host}. Set STUDIO_AUTH_MODE=token, "
            "or STUDIO_AUTH_ALLOW_BEYOND_LOOPBACK=true if something else keeps strangers out."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another with STUDIO_EDGE_PORT."
        ) from error
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # every connection inherits it, as it does the next one
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    if settings.edge.unacknowledged_seconds and hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = round(settings.edge.unacknowledged_seconds * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
