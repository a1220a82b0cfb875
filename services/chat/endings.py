"""When a generation has ended: store the reply, end the run, say so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from contracts import events
from contracts.generation import GenerationEnded
from contracts.ids import MAIN_LANE, RUN_LANE, orchestrator_of
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.redelivery import DeadLetterError
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.told import LogBehindError, ending_at, texts_of
from kit.runlog.lane import RunKey
from kit.runlog.once import Last, begin_lane, end_lane, read_last
from kit.runlog.reads import LogReads
from kit.telemetry.spans import in_trace_of
from services.chat import core, run_store
from services.chat.marks import RunMarks
from services.chat.models import AnyRun, MessageRow, RunState
from services.chat.purge_store import PURGES

log = logging.getLogger(__name__)

SERVICE = "chat"


class EndingHandlers:
    """Reacts to the facts of inference. Every step may be repeated: the tables and the log say what is done."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        blobs: Blobs,
        reads: LogReads,
        marks: RunMarks,
        promote: Callable[[str], Awaitable[None]],
    ) -> None:
        """`promote` lets the next run of a conversation begin."""
        self._bus, self._database, self._blobs, self._reads, self._marks = bus, database, blobs, reads, marks
        self._promote = promote

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the reply in the words of the ending, then end the run."""
        if orchestrator_of(fact.run_id) != SERVICE:
            return
        key = RunKey(fact.owner.tenant, fact.owner.user, fact.run_id)
        last, run_lane = await asyncio.gather(read_last(self._bus, key, fact.lane), read_last(self._bus, key, RUN_LANE))
        ending = ending_at(last, fact.sequence)
        run = await self._end(key, ending) if ending else await run_store.state(self._database, fact.owner, fact.run_id)
        if run is None or run.purged_at is not None:
            if last or run_lane:  # written by a late worker after the run was deleted, or its log was given up
                await PURGES.ask(self._database, fact.owner, fact.run_id)
            return
        if ending:
            await self._tell(run, key, fact.sequence, run_lane)
            if run.others_wait:
                await self._promote(run.conversation_id)
        elif run.status in run_store.GOING:
            problem = f"the lane {fact.lane} of {fact.run_id} has no ending at {fact.sequence}"
            behind = last is not None and last[0].sequence < fact.sequence
            raise LogBehindError(problem) if behind else DeadLetterError(problem)

    async def tell(self, run: RunState) -> None:
        """Make sure that the log and the facts of a run that has ended say so."""
        key = RunKey(run.tenant, run.user, run.id)
        last, run_lane = await asyncio.gather(read_last(self._bus, key, MAIN_LANE), read_last(self._bus, key, RUN_LANE))
        if run_lane is None:  # the log is gone; from now on it is told from the tables
            self._marks.add("told_at", run.id)
        else:
            await self._tell(run, key, last[0].sequence if last else None, run_lane)

    async def _end(self, key: RunKey, ending: events.GenerationEnding) -> RunState | None:
        owner = Owner(tenant=key.tenant, user=key.user)
        return await run_store.end(self._database, owner, key.run, await self._reply(key, ending), utc_now())

    async def _reply(self, key: RunKey, ending: events.GenerationEnding) -> MessageRow:
        text, reasoning = await texts_of(self._blobs, self._reads, key, ending)
        return core.reply_row(ending, text, reasoning)

    async def _tell(self, run: AnyRun, key: RunKey, sequence: int | None, run_lane: Last | None) -> None:
        ends = () if sequence is None else (events.LaneEnd(MAIN_LANE, sequence),)
        with in_trace_of(run.trace, "end run"):
            if run_lane is None:
                await begin_lane(self._bus, key, core.created_event(run))
            ending = core.ended_event(run, ends)
            told = publish(self._bus, core.ended_fact(run))
            await asyncio.gather(end_lane(self._bus, key, ending, last=run_lane), told)
        self._marks.add("told_at", run.id)
