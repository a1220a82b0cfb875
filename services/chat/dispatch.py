"""Getting a committed run onto the bus, whatever dies in between.

The run is committed first, then published, then marked. A sweep publishes what stayed unmarked, with the same ids, so
that the log, the queue and the facts have each message once. Of a run that is over already only the facts are left.
"""

import asyncio
import logging
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.chat_facts import ConversationCreatedFact, RunCreatedFact
from contracts.generation import GenerateRequest
from contracts.ids import RUN_LANE
from contracts.message import Message, Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.carried import carried
from kit.orchestrate.periodic import Periodic, one_of_many
from kit.runlog.lane import RunKey
from kit.runlog.once import begin_lane, go_on_lane, read_last
from kit.telemetry.spans import in_trace_of
from services.chat import attachment_store, images, store, waiting_store
from services.chat.core import created_event, queued_event
from services.chat.marks import Mark, RunMarks
from services.chat.models import AnyRun

log = logging.getLogger(__name__)

UNDISPATCHED_AFTER = timedelta(seconds=2)
SWEEP_BATCH = 100


class Dispatcher:
    """Publishes runs, marks them, and sweeps up those that were left."""

    def __init__(self, bus: Bus, database: Database, blobs: Blobs, marks: RunMarks, sweep_seconds: float) -> None:
        self._bus, self._database, self._blobs, self._marks = bus, database, blobs, marks
        self._sweeping = Periodic("sweep-undispatched", sweep_seconds, self._sweep)
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to sweep."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Stop sweeping, and finish what is being told."""
        await self._sweeping.stop()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def dispatch(self, run: AnyRun) -> None:
        """Publish a committed run. Raises what the bus raises; the sweep tries again then.

        Returns when the order is on its way: the answer does not wait for the facts about it.
        """
        with in_trace_of(run.trace, "dispatch"):
            key = RunKey(run.tenant, run.user, run.id)
            if run.status == "running":
                await begin_lane(self._bus, key, created_event(run))
                await publish(self._bus, await carried(self._blobs, await self._order(run)))
            elif run.status == "queued":
                await self._say_queued(key, run)
            telling = asyncio.create_task(self._tell(run), name=f"facts {run.id}")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, run: AnyRun) -> None:
        """Publish the facts, and have the run marked: until then the sweep would begin again."""
        owner = Owner(tenant=run.tenant, user=run.user)
        facts: list[Message] = [
            RunCreatedFact(owner=owner, run_id=run.id, conversation_id=run.conversation_id, model=run.model)
        ]
        if run.announced_at is not None:  # while it waited
            facts = []
        elif run.begins_conversation:
            facts.append(ConversationCreatedFact(owner=owner, conversation_id=run.conversation_id))
        try:
            await asyncio.gather(*(publish(self._bus, fact) for fact in facts))
        except Exception as error:
            log.warning("the facts about run %s could not be published yet: %r", run.id, error)
        else:
            self._marks.add("announced_at" if run.status == "queued" else "dispatched_at", run.id)

    async def _say_queued(self, key: RunKey, run: AnyRun) -> None:
        """The beginning of a run that waits."""
        await begin_lane(self._bus, key, created_event(run))
        last = await read_last(self._bus, key, RUN_LANE)
        if last is not None and isinstance(last[1], events.RunCreated):
            ahead = await waiting_store.ahead(self._database, run.conversation_id, run.position)
            await go_on_lane(self._bus, key, queued_event(run, ahead), last=last)

    async def _order(self, run: AnyRun) -> GenerateRequest:
        """The order with the images that it shows: the worker needs no database."""
        request = run.order()
        shown = images.names(request.messages)
        if not shown:
            return request
        kept = await attachment_store.kept(self._database, run.conversation_id, shown)
        return request.model_copy(update={"messages": images.inlined(request.messages, kept)})

    async def _sweep(self) -> None:
        async def found(session: AsyncSession) -> None:
            for run in await store.undispatched(session, utc_now() - UNDISPATCHED_AFTER, SWEEP_BATCH):
                mark: Mark = "announced_at" if run.status == "queued" else "dispatched_at"
                if run.id not in self._marks.waiting(mark):
                    log.warning("run %s was not dispatched; doing it now", run.id)
                    await one_of_many(f"run {run.id} cannot be dispatched", self.dispatch(run))

        await self._database.run(found)
