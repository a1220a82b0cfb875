"""Connections to model servers: long-lived, without a total limit, and never waiting for ever."""

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Mapping

import aiohttp

from services.inference.providers.base import ProviderError
from services.inference.providers.error_fields import MAX_ERROR_BODY_BYTES

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 10.0  # DNS, TCP and TLS together
IDLE_CONNECTION_SECONDS = 60.0  # how long an unused connection stays in the pool
DNS_CACHE_SECONDS = 300
ERROR_BODY_TIMEOUT_SECONDS = 5.0
FINISH_GRACE_SECONDS = 5.0  # from the finish reason to usage and the end of the stream
DRAIN_SECONDS = 1.0  # from the end of the answer to the end of the response
WARM_TIMEOUT_SECONDS = 3.0

LOST = (aiohttp.ClientError, OSError, RuntimeError)
"""What a lost connection raises. aiohttp says RuntimeError in the moment between the closing of the transport and its
own notice of that (`StreamReader._wait`); TimeoutError is an OSError.
"""

KEEPALIVE_IDLE_SECONDS = 30
KEEPALIVE_INTERVAL_SECONDS = 10
KEEPALIVE_PROBES = 3
"""A peer that vanished without a word is noticed after a minute, also by a model that thinks for an hour."""


def new_session() -> aiohttp.ClientSession:
    """A pool without a limit (the worker's slots are the limit). Must be called in a running loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=DNS_CACHE_SECONDS,
            keepalive_timeout=IDLE_CONNECTION_SECONDS,
            socket_factory=_socket,
        ),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_read=None, connect=CONNECT_TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS
        ),
        cookie_jar=aiohttp.DummyCookieJar(),  # nothing of one user's call may reach another's
        headers={"Accept-Encoding": "identity", "User-Agent": "ai-studio"},  # a compressing proxy holds tokens back
    )


async def read_some(content: aiohttp.StreamReader) -> bytes:
    """What has arrived of a body; empty at its end. Raises what is in `LOST`, after all that came before the loss.

    aiohttp says at once that a connection is lost, and keeps to itself what it had read from it by then: text that was
    paid for, or the reference by which an answer is taken up. tests/integration/providers/test_connection.py holds the
    pinned version to the two private names.
    """
    if content.exception() is not None and content._buffer:
        return content._read_nowait(-1)
    return await content.readany()


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of a body that is no stream, as much of it as is sane; a body that breaks off is taken as it is."""
    body = bytearray()
    with contextlib.suppress(*LOST):
        async with asyncio.timeout(ERROR_BODY_TIMEOUT_SECONDS):
            while len(body) < MAX_ERROR_BODY_BYTES and (data := await read_some(response.content)):
                body += data
    return bytes(body[:MAX_ERROR_BODY_BYTES])


async def drain(response: aiohttp.ClientResponse) -> None:
    """Read the rest of a finished response; at its end the connection goes back to the pool, otherwise it is closed."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while await response.content.readany():
                pass
    except LOST:
        pass
    finally:
        response.close()


async def warm_up(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> None:
    """Leave one open connection in the pool. The answer does not matter, and neither does a failure."""
    try:
        async with asyncio.timeout(WARM_TIMEOUT_SECONDS):
            async with session.get(url, headers=headers, allow_redirects=False) as response:
                while await response.content.readany():
                    pass
    except LOST as error:
        logger.debug("no connection was opened ahead: %s", type(error).__name__)


def error_from_exception(error: BaseException) -> ProviderError:
    """The error of a connection that could not be made or was lost. The exception's text names hosts: not passed on."""
    cause = getattr(error, "os_error", error)  # what aiohttp wraps
    if isinstance(error, aiohttp.ClientResponseError):
        return ProviderError(
            "provider_bad_response",
            "The model server did not answer with HTTP. Check the provider's base_url.",
            retryable=False,
        )
    if isinstance(error, ssl.SSLError) or "Certificate" in type(error).__name__ or "SSL" in type(error).__name__:
        message = "The model server's certificate was not accepted. Check the provider's base_url."
    elif isinstance(error, TimeoutError):
        message = "The model server did not accept a connection in time. Try again, or check that it runs."
    elif isinstance(cause, ConnectionRefusedError):
        message = "The model server refuses connections. Check that it runs and that base_url is right."
    else:
        message = "The connection to the model server failed or was lost. Try again."
    return ProviderError("provider_unavailable", message, retryable=True)


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    for option in keepalive_options():
        made.setsockopt(*option)
    return made


def keepalive_options() -> list[tuple[int, int, int]]:
    """Socket options by which a peer that vanished is noticed."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if sys.platform == "linux":
        options += [
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
        ]
    return options
