"""Taking runs out of the log: those that ended long enough ago, and at once those that were deleted.

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
from collections.abc import Awaitable, Callable

from kit.bus.api import JetStreamError
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.streams import DEDUPLICATION_SECONDS
from kit.db.database import Database
from kit.orchestrate.carried import question_reference
from kit.orchestrate.duty import Duty
from kit.orchestrate.kept_texts import answer_references, newest_of_lanes
from kit.orchestrate.purge_table import Purge, PurgeTable
from kit.runlog.lane import RunKey
from kit.runlog.once import newest_event
from kit.runlog.purge import check_key, purge_run
from kit.runlog.reads import LogReads
from kit.tasks import cancelled

log = logging.getLogger(__name__)

SETTLED_SECONDS = DEDUPLICATION_SECONDS + 30.0
"""After a purge, until the run is looked at once more."""
TROUBLE_SECONDS = 60.0
"""Until a purge is tried again that the bus has refused."""


class Retention:
    """One replica purges for all of them, at a pace that the bus hardly notices."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        blobs: Blobs,
        reads: LogReads,
        duty: Duty,
        purges: PurgeTable,
        order: Callable[[], Awaitable[bool]],
        *,
        purges_per_second: float,
        idle_seconds: float,
    ) -> None:
        """`order` looks for what is old enough and orders its purge: a batch, and whether there was any."""
        self._bus, self._database, self._blobs, self._reads = bus, database, blobs, reads
        self._duty, self._purges, self._order = duty, purges, order
        self._idle, self._pause = idle_seconds, 1 / purges_per_second
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to purge."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Purge no more."""
        if self._task is not None:
            await cancelled(self._task)

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
        purge = await self._purges.following(self._database)
        if purge is None:
            return 0.0 if await self._order() else None
        key = RunKey(purge.tenant, purge.user, purge.run_id)
        if purge.purged and await newest_event(self._bus, key) is None:
            await self._purges.done(self._database, purge)
            return 0.0
        try:
            await self._purge(key, purge)
        except (JetStreamError, ValueError) as error:
            log.error("the log of run %s cannot be purged now: %r", purge.run_id, error)
            await self._purges.again(self._database, purge, TROUBLE_SECONDS, purged=False)
        else:
            await self._purges.again(self._database, purge, SETTLED_SECONDS, purged=True)
        return self._pause

    async def _purge(self, key: RunKey, purge: Purge) -> None:
        """The long texts first: once the log is gone, nothing refers to them."""
        check_key(key)
        newest = await newest_of_lanes(self._reads, key)
        references = await answer_references(self._reads, key, newest)
        if purge.long_question:
            references |= {question_reference(purge.run_id, lane) for lane in newest}
        for reference in references:
            await self._blobs.drop(reference)
        count = await purge_run(self._bus, key)
        log.debug("purged %d messages of run %s", count, purge.run_id)
