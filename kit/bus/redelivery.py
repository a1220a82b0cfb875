"""What happens to a fact or command whose handler failed: try again later, and later still, then park it."""

import logging
from types import TracebackType
from typing import Any

from faststream import BaseMiddleware
from faststream.exceptions import IgnoredException
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts import subjects
from kit.bus.api import publish_stored

log = logging.getLogger(__name__)

RETRY_DELAYS_SECONDS = (0.2, 1.0, 5.0, 15.0, 60.0, 60.0, 60.0)
"""After each failed delivery; one more failure and the message is parked. About three minutes in all."""
TRANSIENT_DELAY_SECONDS = 2.0
"""Between tries while something the handler needs is away. Such tries are not counted against the message."""


class DeadLetterError(Exception):
    """Raised by a handler for a message that no retry can help; it is parked at once."""


def delay_after(deliveries: int) -> float | None:
    """Seconds until the next try after so many deliveries; None when it is time to give up."""
    return RETRY_DELAYS_SECONDS[deliveries - 1] if deliveries <= len(RETRY_DELAYS_SECONDS) else None


async def park(client: Client, message: Msg, reason: str) -> None:
    """Keep a message under dead.<subject> with the reason and its own headers, then end its delivery.

    The copy's id is the original's place in its stream, so that parking twice stores it once.
    """
    meta = message.metadata
    headers = {
        **(message.headers or {}),
        "Nats-Msg-Id": f"parked.{meta.stream}.{meta.sequence.stream}",
        "Studio-Dead-Reason": reason[:500],
        "Studio-Dead-Deliveries": str(meta.num_delivered),
    }
    await publish_stored(client, subjects.DEAD.format(subject=message.subject), message.data, headers=headers)
    await message.term()


class Redelivery(BaseMiddleware[Any, Any]):
    """Acknowledges what was handled, delays what failed, parks what keeps failing.

    It is the outermost middleware, so the acknowledgement comes after the handler's transaction and its messages.
    """

    transient: tuple[type[BaseException], ...] = ()
    client: Client

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        """Settle the delivery; requests without a stream have none."""
        message = self.msg
        if not isinstance(message, Msg) or not message.reply.startswith("$JS.ACK."):
            return await super().after_processed(exc_type, exc_val, exc_tb)
        if exc_val is None or isinstance(exc_val, IgnoredException):
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
        deliveries = message.metadata.num_delivered
        delay = None if isinstance(error, DeadLetterError) else delay_after(deliveries)
        if delay is None:
            log.error("%s parked after %d deliveries: %r", message.subject, deliveries, error)
            await park(self.client, message, repr(error))
        else:
            log.warning("%s tried again in %g s (delivery %d): %r", message.subject, delay, deliveries, error)
            await message.nak(delay=delay)


def redelivery(client: Client, transient: tuple[type[BaseException], ...]) -> type[Redelivery]:
    """The middleware for one broker; `transient` are the errors that say "not now" rather than "not ever"."""
    return type("BrokerRedelivery", (Redelivery,), {"client": client, "transient": transient})
