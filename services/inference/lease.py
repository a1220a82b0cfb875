"""Holding a request: beats that say "I am at it", on the newest delivery of it."""

import time

from nats.aio.msg import Msg

from kit.bus.connection import Bus
from kit.bus.redelivery import park
from kit.bus.streams import LEASE_SECONDS
from kit.runlog.writer import LaneWriter

REDELIVER_SECONDS = 2.0
"""How long a request that somebody else is working on waits before it is offered again."""


class Lease:
    """The hold on one request. A redelivery to the worker that has it already replaces the delivery."""

    def __init__(self, delivery: Msg) -> None:
        self._delivery = delivery

    def renew(self, delivery: Msg) -> None:
        """The request came again: from now on this delivery counts."""
        self._delivery = delivery

    async def beat(self, writer: LaneWriter | None) -> None:
        """Say that the work goes on, unless the log has been silent for longer than the lease."""
        since = writer.unacknowledged_since if writer is not None else None
        if since is None or time.monotonic() - since < LEASE_SECONDS:
            await self._delivery.in_progress()

    async def done(self) -> None:
        """The request is fulfilled."""
        await self._delivery.ack()

    async def give_back(self, delay: float | None = None) -> None:
        """Somebody else should do it, at once or after `delay` seconds."""
        await self._delivery.nak(delay=delay)

    async def park(self, bus: Bus, reason: str) -> None:
        """Nobody should do it; it is kept for people to look at."""
        await park(bus.client, self._delivery, reason)
