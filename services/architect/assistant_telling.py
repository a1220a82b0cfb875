"""Tells everybody of assistants that were made, changed or deleted, after it is stored; again if that failed."""

import logging

from sqlmodel.ext.asyncio.session import AsyncSession

from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.periodic import Periodic
from services.architect import assistant_saving, assistant_store
from services.architect.assistant_models import VersionRow

log = logging.getLogger(__name__)

SWEEP_BATCH = 100


class AssistantTelling:
    """Publishes the facts, and those that were left untold."""

    def __init__(self, database: Database, bus: Bus, sweep_seconds: float) -> None:
        self._database, self._bus = database, bus
        self._sweeping = Periodic("sweep-untold-assistants", sweep_seconds, self.sweep)

    async def start(self) -> None:
        """Begin to sweep."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Stop sweeping."""
        await self._sweeping.stop()

    async def tell(self, *assistant_ids: str) -> None:
        """Tell of these now, or later if that fails: what was asked is done already."""
        try:
            for assistant_id in assistant_ids:
                await self.sweep(assistant_id)
        except Exception as error:
            log.warning("of %s could not be told yet: %r", ", ".join(assistant_ids), error)

    async def sweep(self, assistant_id: str | None = None) -> None:
        """Tell of what is stored and not told: of all, or of one."""

        async def found(session: AsyncSession) -> None:
            for row in await assistant_store.untold(session, SWEEP_BATCH, assistant_id):
                version = await session.get(VersionRow, (row.id, row.latest_version))
                await publish(self._bus, assistant_saving.saved_fact(row, version.steps if version else 0))
                row.told_at = utc_now()
            for gone in await assistant_store.untold_deletions(session, SWEEP_BATCH, assistant_id):
                await publish(self._bus, assistant_saving.deleted_fact(gone))
                await session.delete(gone)

        await self._database.run(found)
