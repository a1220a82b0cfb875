"""Sends what is due: claims it, and has an attempt made."""

import asyncio
import contextlib
import logging

from kit.ids import new_id
from kit.settings import NotifierSettings
from kit.tasks import cancelled
from services.notifier.attempts import Attempts
from services.notifier.delivery_store import DeliveryStore
from services.notifier.models import DeliveryRow

log = logging.getLogger(__name__)


class Sender:
    """One per process. All that two of them share is the table."""

    def __init__(self, deliveries: DeliveryStore, attempts: Attempts, limits: NotifierSettings) -> None:
        self._deliveries, self._attempts, self._limits = deliveries, attempts, limits
        self._wake = asyncio.Event()
        self._going: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    async def start(self) -> None:
        """Begin to send."""
        self._loop = asyncio.create_task(self._run(), name="send-notifications")

    async def stop(self) -> None:
        """Begin nothing more, and finish what is being sent: broken off, nobody would know whether it arrived."""
        if self._loop is not None:
            await cancelled(self._loop)
        if self._going:
            await asyncio.wait(self._going, timeout=self._limits.drain_seconds)
        await cancelled(*self._going)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while (free := self._limits.senders - len(self._going)) > 0:
                    claimed = await self._deliveries.claim(new_id("clm"), self._limits.claim_seconds, free)
                    for delivery in claimed:
                        self._begin(delivery)
                    if len(claimed) < free:
                        break
            except Exception as error:
                log.warning("nothing can be sent at the moment: %r; trying again", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.sweep_seconds):
                    await self._wake.wait()

    def _begin(self, delivery: DeliveryRow) -> None:
        task = asyncio.create_task(self._attempts.make(delivery), name=f"send-{delivery.id}")
        self._going.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._going.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("%s: %r", task.get_name(), task.exception())
