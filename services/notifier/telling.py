"""Telling the bus what became of notifications, and forgetting what is old."""

from collections.abc import Sequence

from contracts.message import Message
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.orchestrate.periodic import Periodic
from kit.settings import NotifierSettings
from services.notifier.delivery_store import DeliveryStore
from services.notifier.notice_store import NoticeStore
from services.notifier.shown import ended_fact

BATCH = 100
FORGET_PERIOD_SECONDS = 3600.0
FORGET_BATCH = 1000


class Telling:
    """Publishes what is stored and not told. Two replicas may tell the same twice; its message id is the same."""

    def __init__(self, bus: Bus, notices: NoticeStore, deliveries: DeliveryStore, limits: NotifierSettings) -> None:
        self._bus, self._notices, self._deliveries, self._limits = bus, notices, deliveries, limits
        self._parts = (
            Periodic("tell-notifications", limits.sweep_seconds, self.tell),
            Periodic("forget-notifications", FORGET_PERIOD_SECONDS, self.forget),
        )

    async def start(self) -> None:
        """Begin."""
        for part in self._parts:
            await part.start()

    async def stop(self) -> None:
        """Stop."""
        for part in self._parts:
            await part.stop()

    async def tell(self) -> None:
        """Tell what there is to tell."""
        notices = await self._notices.untold(BATCH)
        await self._publish([fact for _, fact in notices])
        if notices:
            await self._notices.mark([notice_id for notice_id, _ in notices])
        deliveries = await self._deliveries.untold(BATCH)
        for delivery in deliveries:
            notice = await self._notices.find(delivery.notice_id)
            await self._publish([] if notice is None else [ended_fact(notice, delivery)])
        if deliveries:
            await self._deliveries.mark([delivery.id for delivery in deliveries])

    async def _publish(self, facts: Sequence[Message]) -> None:
        for fact in facts:
            await publish(self._bus, fact)

    async def forget(self) -> None:
        """Delete what is older than it has to be known."""
        while await self._notices.forget(self._limits.retention_seconds, FORGET_BATCH) == FORGET_BATCH:
            pass
