"""Taking runs out of the log: those that ended long enough ago, and at once those whose conversation was deleted.

An order to purge is a row: it outlives the process that gave it, and a purge is done before its row goes. Runs that are
still going are never touched, whatever their age, for an empty lane has no fence. A worker that wakes up when all is
purged is let in; the fact of its ending has the run purged once more, and the stored result stays what it was. A fact
that comes soon after the first one is dropped by the bus as a repetition: so a purged run is looked at once more when
the bus has forgotten.

Texts that were too long for a message go as well: the ending and the last snapshot of a lane tell whether there are any
of the answer, and the order says whether the question was long. What that misses (a text that was kept for an event
which the fence then refused) goes after 30 days, when the bus drops it.
"""

import asyncio
import logging

from contracts import events
from contracts.ids import MAIN_LANE
from kit.bus.api import JetStreamError
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.streams import DEDUPLICATION_SECONDS
from kit.db.database import Database
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.once import newest_event, read_last
from kit.runlog.purge import purge_run
from kit.runlog.reads import LogReads
from services.chat import purge_store
from services.chat.dispatch import question_reference
from services.chat.duty import Duty
from services.chat.purge_store import Purge

log = logging.getLogger(__name__)

SETTLED_SECONDS = DEDUPLICATION_SECONDS + 30.0
"""After a purge, until the run is looked at once more."""
TROUBLE_SECONDS = 60.0
"""Until a purge is tried again that the bus has refused."""
BATCH = 100
"""Runs retired at once, so that a deleted conversation does not wait behind all that is old."""


class Retention:
    """One replica purges for all of them, at a pace that the bus hardly notices."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        blobs: Blobs,
        reads: LogReads,
        duty: Duty,
        *,
        retention_seconds: float,
        completion_retention_seconds: float,
        purges_per_second: float,
        idle_seconds: float,
    ) -> None:
        self._bus, self._database, self._blobs, self._reads = bus, database, blobs, reads
        self._duty = duty
        self._retention, self._idle = retention_seconds, idle_seconds
        self._completions = completion_retention_seconds
        self._pause = 1 / purges_per_second
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to purge."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Purge no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            pause = None
            try:
                pause = await self.step()
            except Exception as error:
                log.warning("purging: %r; trying again", error)
            await asyncio.sleep(self._idle if pause is None else pause)

    async def step(self) -> float | None:
        """Do the next purge, or order those of runs that are old enough.

        Returns for how many seconds the bus is to be left alone then; None: nothing is to be done for now.
        """
        if not await self._duty.held():
            return None
        purge = await purge_store.following(self._database)
        if purge is None:
            return 0.0 if await self._order() else None
        key = RunKey(purge.tenant, purge.user, purge.run_id)
        if purge.purged and await newest_event(self._bus, key) is None:
            await purge_store.done(self._database, purge)
            return 0.0
        try:
            await self._purge(key, purge)
        except (JetStreamError, ValueError) as error:
            log.error("the log of run %s cannot be purged now: %r", purge.run_id, error)
            await purge_store.again(self._database, purge, TROUBLE_SECONDS, purged=False)
        else:
            await purge_store.again(self._database, purge, SETTLED_SECONDS, purged=True)
        return self._pause

    async def _order(self) -> bool:
        """Look for what is old enough; whether there was any."""
        retired = await purge_store.retire(self._database, self._retention, BATCH)
        return bool(await purge_store.expire(self._database, self._completions, BATCH) or retired)

    async def _purge(self, key: RunKey, purge: Purge) -> None:
        """The long texts first: once the log is gone, nothing refers to them."""
        if purge.long_question:
            await self._blobs.drop(question_reference(purge.run_id, MAIN_LANE))
        for reference in await self._references(key):
            await self._blobs.drop(reference)
        count = await purge_run(self._bus, key)
        log.debug("purged %d messages of run %s", count, purge.run_id)

    async def _references(self, key: RunKey) -> set[str]:
        """The long texts of a run. A text grows: if the last snapshot and the ending refer to none, nothing does."""
        snapshots = MAIN_LANE + SNAPSHOT_SUFFIX
        found: set[str] = set()
        for lane in (MAIN_LANE, snapshots):
            last = await read_last(self._bus, key, lane)
            found |= _references_in(last[1] if last else None)
        if found:
            for _, event in await self._reads.lane(key.lane(snapshots)):
                found |= _references_in(event)
        return found


def _references_in(event: events.Event | None) -> set[str]:
    if not isinstance(event, events.Whole):
        return set()
    return {reference for reference in (event.text_ref, event.reasoning_ref) if reference is not None}
