"""When a generation has ended: store the answer, end the run if it was the last one, say so."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.compare_facts import CompareRunEndedFact
from contracts.generation import GenerationEnded
from contracts.ids import RUN_LANE, orchestrator_of
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.redelivery import DeadLetterError
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.moments import took
from kit.orchestrate.told import LogBehindError, ending_at, texts_of
from kit.runlog.lane import RunKey
from kit.runlog.once import Last, begin_lane, end_lane, read_last
from kit.runlog.outcome import ended_fact
from kit.runlog.reads import LogReads
from kit.telemetry.spans import in_trace_of
from services.compare import core, store
from services.compare.marks import RunMarks
from services.compare.models import Compared, LaneRow
from services.compare.own_endings import OwnEndings
from services.compare.plan import key_of
from services.compare.purge_store import PURGES

log = logging.getLogger(__name__)

SERVICE = "compare"


class EndingHandlers:
    """Reacts to the facts of inference. Every step may be repeated: the tables and the log say what is done."""

    def __init__(self, bus: Bus, database: Database, blobs: Blobs, reads: LogReads, marks: RunMarks) -> None:
        self._bus, self._database, self._blobs, self._reads, self._marks = bus, database, blobs, reads, marks
        self._own = OwnEndings(bus, blobs)

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the answer in the words of the ending, then end the run if no lane goes on."""
        if orchestrator_of(fact.run_id) != SERVICE:
            return
        key = RunKey(fact.owner.tenant, fact.owner.user, fact.run_id)
        last = await read_last(self._bus, key, fact.lane)
        ending = ending_at(last, fact.sequence)
        compared = await self._end(key, fact.lane, ending)
        if compared is None or compared.run.purged_at is not None:
            if last:  # written by a late worker after the run was deleted, or its log was given up
                await PURGES.ask(self._database, fact.owner, fact.run_id)
            return
        lane = compared.lane(fact.lane)
        if lane is None or lane.status == "running":
            problem = f"the lane {fact.lane} of {fact.run_id} has no ending at {fact.sequence}"
            behind = lane is not None and last is not None and last[0].sequence < fact.sequence
            raise LogBehindError(problem) if behind else DeadLetterError(problem)
        if compared.run.status != "running" and compared.run.told_at is None:
            await self.tell(compared)

    async def end_now(self, key: RunKey, lane: str) -> None:
        """Do what the fact about a lane's ending brings about, if it has one; the fact may come as well."""
        last = await read_last(self._bus, key, lane)
        if last is not None and isinstance(last[1], events.GenerationEnding):
            await self.on_generation_ended(ended_fact(key, last[1], last[0].sequence))

    async def _end(self, key: RunKey, name: str, ending: events.GenerationEnding | None) -> Compared | None:
        """Store how a lane has ended, once. Returns the run as it is then; None if there is no such run.

        The run's row is locked first: of the last two lanes, handled at the same moment, one sees both.
        """
        text, reasoning = ("", "") if ending is None else await texts_of(self._blobs, self._reads, key, ending)

        async def work(session: AsyncSession) -> Compared | None:
            owner = Owner(tenant=key.tenant, user=key.user)
            run = await store.run(session, owner, key.run, turns=False, lock=True)
            if run is None:
                return None
            compared = Compared(run, await store.lanes(session, run.id, texts=False))
            lane = compared.lane(name)
            if ending is not None and lane is not None and lane.status == "running":
                core.end_lane(lane, ending, text, reasoning)
            result = core.result_of(compared.lanes, stopped=run.stopped_at is not None)
            if run.status == "running" and result is not None:
                run.status, run.error = result.status, core.problem_of(result.error)
                run.ended_at = utc_now()
            return compared

        return await self._database.run(work)

    async def tell(self, compared: Compared) -> None:
        """Make sure that the log and the facts of a run that has ended say so."""
        run, lanes, _ = compared
        key = key_of(run)
        run_lane, *lasts = await asyncio.gather(
            read_last(self._bus, key, RUN_LANE), *(read_last(self._bus, key, lane.lane) for lane in lanes)
        )
        if run_lane is None and run.dispatched_at is not None:  # the log is gone; from now on the tables tell it
            self._marks.add("told_at", run.id)
            return
        with in_trace_of(run.trace, "end run"):
            if run_lane is None:
                await begin_lane(self._bus, key, core.created_event(run, lanes))
            ends = await self._ends(compared, lasts)
            ending = core.ended_event(run, lanes, ends)
            await asyncio.gather(
                end_lane(self._bus, key, ending, last=run_lane), publish(self._bus, _ended_fact(compared))
            )
        self._marks.add("told_at", run.id)

    async def _ends(self, compared: Compared, lasts: Sequence[Last | None]) -> tuple[events.LaneEnd, ...]:
        """Where the lanes end. Those that compare ends itself may have been left without an ending by a crash."""
        key, places = key_of(compared.run), {}
        whole: dict[str, LaneRow] = {}
        for lane, last in zip(compared.lanes, lasts, strict=True):
            if last is not None and isinstance(last[1], events.GenerationEnding):
                places[lane.lane] = last[0].sequence
            elif lane.own:
                whole = whole or await self._whole(compared)
                places[lane.lane] = await self._own.write(key, whole[lane.lane], last)
            elif last is not None:
                places[lane.lane] = last[0].sequence
        return tuple(events.LaneEnd(name, place) for name, place in places.items())

    async def _whole(self, compared: Compared) -> dict[str, LaneRow]:
        found = await self._database.run(lambda session: store.lanes(session, compared.run.id))
        return {lane.lane: lane for lane in found}


def _ended_fact(compared: Compared) -> CompareRunEndedFact:
    run, lanes, _ = compared
    counts = Counter(lane.status for lane in lanes)
    return CompareRunEndedFact(
        outcome=run.status,
        owner=Owner(tenant=run.tenant, user=run.user),
        run_id=run.id,
        completed=counts["completed"],
        failed=counts["failed"],
        cancelled=counts["cancelled"],
        error_code=run.error["code"] if run.error else None,
        total_ms=took(run.created_at, run.ended_at),
        notify=run.notify,
    )
