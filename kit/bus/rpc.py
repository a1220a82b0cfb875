"""Request and reply between services: typed on both sides, and a refusal is an answer, not a silence."""

import functools
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from faststream.nats import NatsBroker
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from pydantic import BaseModel

from contracts.message import Problem, Reply, Request
from kit.bus.blobs import BlobGoneError, Blobs
from kit.bus.connection import Bus
from kit.refusal import Refused
from kit.telemetry.context import trace_headers
from kit.telemetry.spans import CLIENT, span

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request[Any])

MAX_REQUEST_BYTES = 256 * 1024
"""A longer request is kept and fetched: it may bring images, or the whole context of an answer."""
MAX_REPLY_BYTES = 256 * 1024
"""A longer reply is kept and fetched: an answer may be longer than any message of the bus."""
KEPT = "Studio-Request-Kept"
"""The header that says where a request is kept; its message has no body then."""

INTERNAL = Problem(
    code="internal", message="Something went wrong on our side. Try again; if it stays, look at the log."
)


AGAIN_SECONDS = 3.0
"""Without an answer for so long, whoever had the request may have died with it: it is asked again, if it may be."""


class Unavailable(Exception):  # noqa: N818
    """The service did not answer: it is not there, or too slow."""


async def call(bus: Bus, request: Request[Any], *, timeout: float, blobs: Blobs | None = None) -> Any:
    """Ask a service; returns the request's RESULT. `blobs` is for requests that may be long, or their reply.

    Raises Refused with the service's problem, Unavailable if there was no answer within `timeout` seconds.
    """
    subject = request.rpc_subject()
    body = request.model_dump_json(exclude_none=True).encode()
    try:
        kept: dict[str, str] = {}
        if len(body) > MAX_REQUEST_BYTES and blobs is not None:
            kept, body = {KEPT: await blobs.put(f"request.{secrets.token_hex(16)}", body)}, b""
        with span(f"{subject} request", CLIENT, subject=subject):
            headers = {**trace_headers(), **kept} or None
            message = await _ask(bus, subject, body, headers, timeout, again=request.AGAIN and not kept)
    except (NoRespondersError, NatsTimeoutError, TimeoutError) as error:
        raise Unavailable(f"the service {request.SERVICE} does not answer") from error
    except MaxPayloadError as error:
        raise Refused("body_too_large", "The request is larger than a message may be.") from error
    reply: Reply[Any] = _reply_type(type(request)).model_validate_json(message.data)
    if reply.kept is not None and blobs is not None:
        try:
            whole = await blobs.take(reply.kept)
        except (BlobGoneError, TimeoutError) as error:
            raise Unavailable(f"the reply of the service {request.SERVICE} is gone") from error
        reply = _reply_type(type(request)).model_validate_json(whole)
    if reply.problem is not None:
        raise Refused(reply.problem.code, reply.problem.message)
    return reply.result


async def _ask(
    bus: Bus, subject: str, body: bytes, headers: dict[str, str] | None, timeout: float, *, again: bool
) -> Msg:
    if again and timeout > AGAIN_SECONDS:
        try:
            return await bus.client.request(subject, body, timeout=AGAIN_SECONDS, headers=headers)
        except NatsTimeoutError:
            timeout -= AGAIN_SECONDS
    return await bus.client.request(subject, body, timeout=timeout, headers=headers)


@functools.cache
def _reply_type(request: type[Request[Any]]) -> type[Reply[Any]]:
    return Reply[request.RESULT]  # type: ignore[name-defined]


def on_request(
    broker: NatsBroker,
    request: type[R],
    *,
    workers: int,
    blobs: Blobs | None = None,
    kept: Blobs | None = None,
) -> Callable[[Callable[[R], Awaitable[BaseModel]]], None]:
    """Register the handler of a request. A raised Refused becomes its problem, anything else `internal`.

    `blobs` is for a handler whose reply may be long, `kept` is where long requests are fetched from.
    """

    def register(handler: Callable[[R], Awaitable[BaseModel]]) -> None:
        async def answer(message: Any) -> Any:
            try:
                reply: Reply[Any] = Reply(result=await handler(message))
                return reply if blobs is None else await _carried(reply, blobs)
            except Refused as refusal:
                return Reply(problem=refusal.problem)
            except Exception:
                log.exception("%s failed", request.__name__)
                return Reply(problem=INTERNAL)

        answer.__name__ = handler.__name__
        answer.__doc__ = request.__doc__
        answer.__annotations__ = {"message": request, "return": _reply_type(request)}
        decoder = None if kept is None else _fetching(kept)
        broker.subscriber(request.rpc_subject(), queue=request.SERVICE, max_workers=workers, decoder=decoder)(answer)

    return register


def _fetching(blobs: Blobs) -> Callable[[Any, Callable[[Any], Awaitable[Any]]], Awaitable[Any]]:
    """A decoder that takes a request from where it is kept."""

    async def decode(message: Any, decode_body: Callable[[Any], Awaitable[Any]]) -> Any:
        if (reference := message.headers.get(KEPT)) is not None:
            message.body = await blobs.take(reference)
        return await decode_body(message)

    return decode


async def _carried(reply: Reply[Any], blobs: Blobs) -> Reply[Any]:
    """The reply as it fits into a message. Who asked takes what is kept; what nobody takes grows old and goes."""
    body = reply.model_dump_json().encode()
    if len(body) <= MAX_REPLY_BYTES:
        return reply
    return Reply(kept=await blobs.put(f"reply.{secrets.token_hex(16)}", body))
