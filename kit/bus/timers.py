"""Messages that come later: the bus itself keeps them until their time, over any restart of ours or its own."""

import asyncio
import json
import re
from datetime import UTC, datetime

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts.message import Message
from contracts.subjects import TIMER, stream_of
from kit.bus.api import PUBLISH_TIMEOUT_SECONDS, RETRY_PAUSE_SECONDS, JetStreamError, publish_stored
from kit.bus.connection import Bus
from kit.telemetry.context import trace_headers
from kit.telemetry.spans import PRODUCER, span

STREAM = "TIMERS"

_SCHEDULE, _TARGET = "Nats-Schedule", "Nats-Schedule-Target"
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_TRY_SECONDS = 2.0
_UNAVAILABLE = 503


async def set_timer(bus: Bus, message: Message, name: str, at: datetime) -> None:
    """Have a message published at a moment, or at once if that has passed. Returns when the bus has stored it.

    A timer of the same name that has not gone off is replaced, so doing it twice is no harm; one that has gone off
    goes off again. It may be late, and whoever gets the message may get it twice.
    Raises ValueError for a name that is no subject, a moment without a time zone, or a message of another stream;
    TimeoutError or JetStreamError if it was not stored.
    """
    subject, target = _subject(name), message.subject()
    if stream_of(target) != STREAM:
        raise ValueError(f"{target} is no subject of the stream {STREAM}")
    if at.tzinfo is None:
        raise ValueError(f"the moment of the timer {name} has no time zone")
    moment = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    body = message.model_dump_json(exclude_none=True).encode()
    with span(f"{target} set timer", PRODUCER, subject=target):
        # No message id: the server would take a timer that is set anew for one that it has already.
        headers = {**trace_headers(), _SCHEDULE: f"@at {moment}", _TARGET: target}
        await publish_stored(bus.client, subject, body, headers=headers)


async def drop_timer(bus: Bus, name: str) -> None:
    """Forget a timer. One that is unknown, or has gone off, is no error: its message may already be on its way.

    Raises ValueError for a name that is no subject, TimeoutError or JetStreamError if the bus did not do it.
    """
    request = json.dumps({"filter": _subject(name)}).encode()
    deadline = asyncio.get_running_loop().time() + PUBLISH_TIMEOUT_SECONDS
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        try:
            answer = await bus.client.request(
                f"$JS.API.STREAM.PURGE.{STREAM}", request, timeout=min(left, _TRY_SECONDS)
            )
            error = json.loads(answer.data).get("error")
            if error is None:
                return
            if error["code"] != _UNAVAILABLE:
                raise JetStreamError(error["err_code"], error["description"])
        except (NoRespondersError, NatsTimeoutError):
            pass  # no leader at the moment
        await asyncio.sleep(RETRY_PAUSE_SECONDS)
    raise TimeoutError(f"the timer {name} was not dropped within {PUBLISH_TIMEOUT_SECONDS:g} s")


def _subject(name: str) -> str:
    """Where a timer waits. A wildcard would drop other people's timers."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a timer")
    return TIMER.format(timer=name)
