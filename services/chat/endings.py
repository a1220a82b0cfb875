"""When a generation has ended: store the reply, end the run, say so."""

import asyncio
import logging

from contracts import events
from contracts.chat_facts import RunEndedFact
from contracts.generation import GenerationEnded
from contracts.ids import RUN_LANE, orchestrator_of
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.redelivery import DeadLetterError
from kit.clock import utc_now
from kit.db.database import Database
from kit.runlog.lane import RunKey
from kit.runlog.once import Last, end_lane, read_last
from kit.telemetry.spans import in_trace_of
from services.chat import core, run_store

log = logging.getLogger(__name__)

SERVICE = "chat"


class EndingHandlers:
    """Reacts to the facts of inference. Every step may be repeated: the tables and the log say what is done."""

    def __init__(self, bus: Bus, database: Database, blobs: Blobs) -> None:
        self._bus, self._database, self._blobs = bus, database, blobs

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the reply in the words of the ending, then end the run."""
        if orchestrator_of(fact.run_id) != SERVICE:
            return
        key = RunKey(fact.owner.tenant, fact.owner.user, fact.run_id)
        lane, run_lane = await asyncio.gather(read_last(self._bus, key, fact.lane), read_last(self._bus, key, RUN_LANE))
        ending = _ending(lane, fact)
        text = await self._blobs.text(ending.text, ending.text_ref)
        reasoning = await self._blobs.text(ending.reasoning, ending.reasoning_ref)
        reply = core.reply_row(ending, text, reasoning)
        run = await run_store.end(self._database, fact.owner, fact.run_id, reply, utc_now())
        if run is None:
            log.info("run %s was deleted before it ended", fact.run_id)
            return
        ended = RunEndedFact(
            outcome=run.status,
            owner=fact.owner,
            run_id=run.id,
            conversation_id=run.conversation_id,
            message_id_stored=run.message_id,
            model=run.model,
            error_code=run.error["code"] if run.error else None,
        )
        ending_event = core.ended_event(run, (events.LaneEnd(fact.lane, fact.sequence),))
        with in_trace_of(run.trace, "end run"):
            await asyncio.gather(end_lane(self._bus, key, ending_event, last=run_lane), publish(self._bus, ended))


def _ending(last: Last | None, fact: GenerationEnded) -> events.GenerationEnding:
    """The lane's ending, as its leader tells it."""
    if last is None or last[0].sequence < fact.sequence:
        raise DeadLetterError(f"the log of {fact.run_id} does not reach {fact.sequence}")
    if not isinstance(last[1], events.GenerationEnding):
        raise DeadLetterError(f"the lane {fact.lane} of {fact.run_id} has no ending")
    return last[1]
