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
from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.ids import RUN_LANE
from contracts.message import Message, Owner
from kit.bus.blobs import MAX_BYTES_PER_CHARACTER, MAX_INLINE_BYTES, Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.runlog.lane import RunKey
from kit.runlog.once import begin_lane, go_on_lane, read_last
from kit.telemetry.spans import in_trace_of
from services.chat import attachment_store, images, store, waiting_store
from services.chat.core import created_event, queued_event
from services.chat.marks import Mark, Marks
from services.chat.models import AnyRun
from services.chat.periodic import every

log = logging.getLogger(__name__)

UNDISPATCHED_AFTER = timedelta(seconds=2)
SWEEP_BATCH = 100


class Dispatcher:
    """Publishes runs, marks them, and sweeps up those that were left."""

    def __init__(self, bus: Bus, database: Database, blobs: Blobs, marks: Marks, sweep_seconds: float) -> None:
        self._bus, self._database, self._blobs, self._marks = bus, database, blobs, marks
        self._sweep_seconds = sweep_seconds
        self._task: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.create_task(every(self._sweep_seconds, self._sweep), name="sweep-undispatched")

    async def stop(self) -> None:
        """Stop sweeping, and finish what is being told."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, *self._telling, return_exceptions=True)

    async def dispatch(self, run: AnyRun) -> None:
        """Publish a committed run. Raises what the bus raises; the sweep tries again then.

        Returns when the order is on its way: the answer does not wait for the facts about it.
        """
        with in_trace_of(run.trace, "dispatch"):
            key = RunKey(run.tenant, run.user, run.id)
            if run.status == "running":
                await begin_lane(self._bus, key, created_event(run))
                await publish(self._bus, await self._carried(run))
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

    async def _carried(self, run: AnyRun) -> GenerateRequest:
        """The order as it fits into a message: a long history goes by reference, and with it the images it shows."""
        request = run.order()
        turns = request.messages
        if shown := images.names(turns):
            turns = images.inlined(turns, await attachment_store.kept(self._database, run.conversation_id, shown))
            request = request.model_copy(update={"messages": turns})
        if not shown and sum(map(_characters, turns)) * MAX_BYTES_PER_CHARACTER <= MAX_INLINE_BYTES:
            return request
        body = request.model_dump_json(include={"messages"}, exclude_none=True).encode()
        if len(body) <= MAX_INLINE_BYTES:
            return request
        reference = await self._blobs.put(question_reference(request.run_id, request.lane), body)
        return request.model_copy(update={"messages": (), "messages_ref": reference})

    async def _sweep(self) -> None:
        async def found(session: AsyncSession) -> None:
            for run in await store.undispatched(session, utc_now() - UNDISPATCHED_AFTER, SWEEP_BATCH):
                mark: Mark = "announced_at" if run.status == "queued" else "dispatched_at"
                if run.id not in self._marks.waiting(mark):
                    log.warning("run %s was not dispatched; doing it now", run.id)
                    await self._dispatch_one_of_many(run)

        await self._database.run(found)

    async def _dispatch_one_of_many(self, run: AnyRun) -> None:
        """One that the bus refuses must not keep the others waiting; a bus that is away would refuse them all."""
        try:
            await self.dispatch(run)
        except TimeoutError:
            raise
        except Exception as error:
            log.error("run %s cannot be dispatched: %r", run.id, error)


def _characters(turn: Turn) -> int:
    calls = sum(len(call.call_id) + len(call.name) + len(call.arguments) for call in turn.tool_calls)
    return len(turn.content) + calls + sum(len(result.call_id) + len(result.output) for result in turn.results)


def question_reference(run_id: str, lane: str) -> str:
    """Where a history too long for a message is kept."""
    return f"{run_id}.{lane}.messages"
