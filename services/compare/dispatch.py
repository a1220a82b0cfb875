"""Getting a committed run onto the bus, whatever dies in between.

The run is committed first, then published, then marked. A sweep publishes what stayed unmarked, with the same ids, so
that the log, the queue and the facts have each message once. A run that is over already is told to its end instead.
"""

import asyncio
import logging
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.compare_facts import CompareRunCreatedFact
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.carried import carried_alike
from kit.orchestrate.periodic import Periodic, one_of_many
from kit.runlog.once import begin_lane
from kit.telemetry.spans import in_trace_of
from services.compare import core, store
from services.compare.endings import EndingHandlers
from services.compare.marks import RunMarks
from services.compare.models import Compared
from services.compare.own_endings import OwnEndings
from services.compare.plan import key_of, order_of, turns_of

log = logging.getLogger(__name__)

UNDISPATCHED_AFTER = timedelta(seconds=2)
SWEEP_BATCH = 100


class Dispatcher:
    """Publishes runs, marks them, and sweeps up those that were left."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        blobs: Blobs,
        marks: RunMarks,
        endings: EndingHandlers,
        sweep_seconds: float,
    ) -> None:
        self._bus, self._database, self._blobs, self._marks = bus, database, blobs, marks
        self._endings, self._own = endings, OwnEndings(bus, blobs)
        self._sweeping = Periodic("sweep-undispatched", sweep_seconds, self.sweep)
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to sweep."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Stop sweeping, and finish what is being told."""
        await self._sweeping.stop()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def dispatch(self, compared: Compared) -> None:
        """Publish a committed run. Raises what the bus raises; the sweep tries again then.

        Returns when the orders are on their way: the answer does not wait for the facts about it.
        """
        run = compared.run
        with in_trace_of(run.trace, "dispatch"):
            if run.status == "running":
                await self._publish(compared)
            elif run.told_at is None:
                await self._endings.tell(compared)
            telling = asyncio.create_task(self._tell(compared), name=f"facts {run.id}")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _publish(self, compared: Compared) -> None:
        """The beginning, the lanes that have their ending already, then the orders, a millisecond apart."""
        run, lanes, _ = compared
        key, turns = key_of(run), turns_of(run)
        orders = [order_of(lane, turns) for lane in lanes if lane.status == "running"]
        await begin_lane(self._bus, key, core.created_event(run, lanes))
        await asyncio.gather(*(self._own.write(key, lane) for lane in lanes if lane.own))
        if orders:
            carried = await carried_alike(self._blobs, orders)
            for order in carried:  # all at once they would hold up each other's first word, by 10 ms with eight lanes
                await publish(self._bus, order)

    async def _tell(self, compared: Compared) -> None:
        """Publish the fact, and have the run marked: until then the sweep would begin again."""
        run = compared.run
        fact = CompareRunCreatedFact(
            owner=Owner(tenant=run.tenant, user=run.user),
            run_id=run.id,
            parent_run_id=run.parent_run_id,
            blind=run.blind,
            lanes=len(compared.lanes),
        )
        try:
            await publish(self._bus, fact)
        except Exception as error:
            log.warning("the fact about run %s could not be published yet: %r", run.id, error)
        else:
            self._marks.add("dispatched_at", run.id)

    async def sweep(self) -> None:
        """Dispatch what was begun and left."""

        async def found(session: AsyncSession) -> None:
            for compared in await store.undispatched(session, utc_now() - UNDISPATCHED_AFTER, SWEEP_BATCH):
                run = compared.run
                if run.id not in self._marks.waiting("dispatched_at"):
                    log.warning("run %s was not dispatched; doing it now", run.id)
                    await one_of_many(f"run {run.id} cannot be dispatched", self.dispatch(compared))

        await self._database.run(found)
