"""What happens to a fact or command whose handler failed: try again later, and later still, then park it."""

import logging
from types import TracebackType
from typing import Any, TypeGuard

from faststream import BaseMiddleware
from faststream.exceptions import IgnoredException
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import subjects
from kit.bus.api import publish_stored
from kit.bus.beats import Beats
from kit.telemetry import measures

log = logging.getLogger(__name__)

RETRY_DELAYS_SECONDS = (0.2, 1.0, 5.0, 15.0, 60.0, 60.0, 60.0)
"""After each failure; one more and the message is parked. About three minutes in all."""
TRANSIENT_DELAY_SECONDS = 2.0
"""Between tries while something the handler needs is away. Such tries are not counted against the message."""


DEAD_PREFIX = "Studio-Dead-"
DEAD_REASON, DEAD_DELIVERIES = f"{DEAD_PREFIX}Reason", f"{DEAD_PREFIX}Deliveries"
"""Headers of a parked message."""


class DeadLetterError(Exception):
    """Raised by a handler for a message that no retry can help; it is parked at once."""


def delay_after(failures: int) -> float | None:
    """Seconds until the next try after so many failures; None when it is time to give up."""
    return RETRY_DELAYS_SECONDS[failures - 1] if failures <= len(RETRY_DELAYS_SECONDS) else None


async def park(client: Client, message: Msg, reason: str) -> None:
    """Keep a message under dead.<subject> with the reason and its own headers, then end its delivery.

    The copy's id is the original's place in its stream, so that parking twice stores it once.
    """
    meta = message.metadata
    headers = {
        **(message.headers or {}),
        "Nats-Msg-Id": f"parked.{meta.stream}.{meta.sequence.stream}",
        DEAD_REASON: reason[:500],
        DEAD_DELIVERIES: str(meta.num_delivered),
    }
    dead = subjects.DEAD.format(subject=message.subject)
    await publish_stored(client, dead, message.data, headers=headers)
    measures.sent(dead)
    await message.term()


class Redelivery(BaseMiddleware[Any, Any]):
    """Acknowledges what was handled, delays what failed, parks what keeps failing.

    It is the outermost middleware, so the acknowledgement comes after the handler's transaction and its messages.
    Until then it beats, or a handler that takes long would run a second time beside itself.
    """

    _beats: Beats | None = None

    transient: tuple[type[BaseException], ...] = ()
    client: Client
    failures: dict[tuple[str, int], int]
    """By a message's place in its stream, of those that failed here and are not settled: the server's own count would
    hold the time that a database was away against the message. A restart forgets it: then there are more tries.
    """

    async def on_receive(self) -> None:
        """The handler begins."""
        if _is_delivery(self.msg):
            self._beats = Beats(self.msg)
        await super().on_receive()

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        """Settle the delivery; requests without a stream have none."""
        message = self.msg
        if self._beats is not None:
            self._beats.stop()
        if not _is_delivery(message):
            return await super().after_processed(exc_type, exc_val, exc_tb)
        if exc_val is None or isinstance(exc_val, IgnoredException):
            self.failures.pop(_place(message), None)
            if not message._ackd:
                await message.ack()
            return await super().after_processed(exc_type, exc_val, exc_tb)
        await self._settle_failure(message, exc_val)
        return True

    async def _settle_failure(self, message: Msg, error: BaseException) -> None:
        if isinstance(error, self.transient):
            log.warning("%s waits %g s: %r", message.subject, TRANSIENT_DELAY_SECONDS, error)
            await message.nak(delay=TRANSIENT_DELAY_SECONDS)
            return
        failures = self.failures[_place(message)] = self.failures.get(_place(message), 0) + 1
        delay = None if isinstance(error, DeadLetterError) else delay_after(failures)
        if delay is None:
            log.error("%s parked after %d failures: %r", message.subject, failures, error)
            await park(self.client, message, repr(error))
            self.failures.pop(_place(message), None)
        else:
            log.warning("%s tried again in %g s (failure %d): %r", message.subject, delay, failures, error)
            await message.nak(delay=delay)


def _is_delivery(message: Any) -> TypeGuard[Msg]:
    """Whether a stream waits to hear what has become of it."""
    return isinstance(message, Msg) and message.reply.startswith("$JS.ACK.")


def _place(message: Msg) -> tuple[str, int]:
    return message.metadata.stream, message.metadata.sequence.stream


def redelivery(client: Client, transient: tuple[type[BaseException], ...]) -> type[Redelivery]:
    """The middleware for one broker; `transient` are the errors that say "not now" rather than "not ever"."""
    return type("BrokerRedelivery", (Redelivery,), {"client": client, "transient": transient, "failures": {}})
