"""When a generation has ended: store the answer as the step's output, or ask again, and go on."""

import logging

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.generation import GenerationEnded
from contracts.ids import orchestrator_of
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.redelivery import DeadLetterError
from kit.db.database import Database
from kit.orchestrate.told import LogBehindError, ending_at, texts_of
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from kit.runlog.once import read_last
from kit.runlog.outcome import ended_fact
from kit.runlog.reads import LogReads
from kit.settings import ArchitectSettings
from services.architect.answers import answered
from services.architect.course import Course
from services.architect.models import Planned
from services.architect.onward import Onward
from services.architect.purge_store import PURGES
from services.architect.transitions import Transitions

log = logging.getLogger(__name__)

SERVICE = "architect"


class EndingHandlers:
    """Reacts to the facts of inference. Every step may be repeated: the tables and the log say what is done."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        blobs: Blobs,
        reads: LogReads,
        transitions: Transitions,
        onward: Onward,
        limits: ArchitectSettings,
    ) -> None:
        self._bus, self._database, self._blobs, self._reads = bus, database, blobs, reads
        self._transitions, self._onward, self._limits = transitions, onward, limits

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the answer in the words of the ending, then go on."""
        if orchestrator_of(fact.run_id) != SERVICE:
            return
        key = RunKey(fact.owner.tenant, fact.owner.user, fact.run_id)
        last = await read_last(self._bus, key, fact.lane)
        ending = ending_at(last, fact.sequence)
        try:
            planned = await self._end(fact, key, ending)
        except Refused:
            planned = None
        if planned is None or planned.run.purged_at is not None:
            if last:  # written by a late worker after the run was deleted, or its log was given up
                await PURGES.ask(self._database, fact.owner, fact.run_id)
            return
        step = planned.of_lane(fact.lane)
        if step is not None and step.status == "running":
            problem = f"the lane {fact.lane} of {fact.run_id} has no ending at {fact.sequence}"
            behind = last is not None and last[0].sequence < fact.sequence
            raise LogBehindError(problem) if behind else DeadLetterError(problem)
        await self._onward.follow(planned)

    async def end_now(self, key: RunKey, lane: str) -> None:
        """Do what the fact about a lane's ending brings about, if it has one; the fact may come as well."""
        last = await read_last(self._bus, key, lane)
        if last is not None and isinstance(last[1], events.GenerationEnding):
            await self.on_generation_ended(ended_fact(key, last[1], last[0].sequence))

    async def _end(self, fact: GenerationEnded, key: RunKey, ending: events.GenerationEnding | None) -> Planned:
        text, reasoning = ("", "") if ending is None else await texts_of(self._blobs, self._reads, key, ending)

        async def transition(_: AsyncSession, course: Course) -> None:
            step = course.planned.of_lane(fact.lane)
            if ending is not None and step is not None and step.status == "running":
                answered(course, step, ending, (text, reasoning), fact.sequence, self._delay(step.attempt))

        return await self._transitions.change(fact.owner, fact.run_id, transition)

    def _delay(self, attempt: int) -> float:
        """Seconds before the attempt after this one."""
        return min(self._limits.retry_max_seconds, self._limits.retry_base_seconds * 2.0 ** (attempt - 1))
