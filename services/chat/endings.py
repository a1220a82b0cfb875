"""When a generation has ended: store the reply, end the run, say so."""

import logging

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.chat import RunEndedFact
from contracts.generation import GenerationEnded
from contracts.ids import orchestrator_of
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.redelivery import DeadLetterError
from kit.clock import utc_now
from kit.db.database import Database
from kit.runlog.lane import RunKey
from kit.runlog.once import end_lane, read_last
from services.chat import core, store
from services.chat.models import RunRow

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
        ending = await self._ending(key, fact)
        text = await self._blobs.text(ending.text, ending.text_ref)
        reasoning = await self._blobs.text(ending.reasoning, ending.reasoning_ref)

        async def work(session: AsyncSession) -> RunRow | None:
            run = await store.run(session, fact.owner, fact.run_id, lock=True)
            if run is None or run.status != "running":
                return run
            reply = core.reply_row(run, ending, text, reasoning)
            run.status, run.error, run.ended_at = reply.status, reply.error, utc_now()
            session.add(reply)
            await store.touch(session, run.conversation_id, run.ended_at)
            return run

        run = await self._database.run(work)
        if run is None:
            log.info("run %s was deleted before it ended", fact.run_id)
            return
        await end_lane(self._bus, key, core.ended_event(run))
        ended = RunEndedFact(
            outcome=run.status,
            owner=fact.owner,
            run_id=run.id,
            conversation_id=run.conversation_id,
            message_id_stored=run.message_id,
            model=run.model,
            error_code=run.error["code"] if run.error else None,
        )
        await publish(self._bus, ended)

    async def _ending(self, key: RunKey, fact: GenerationEnded) -> events.GenerationEnding:
        """The lane's ending, from the leader: the fact may be faster than a follower."""
        last = await read_last(self._bus, key, fact.lane)
        if last is None or last[0].sequence < fact.sequence:
            raise DeadLetterError(f"the log of {fact.run_id} does not reach {fact.sequence}")
        if not isinstance(last[1], events.GenerationEnding):
            raise DeadLetterError(f"the lane {fact.lane} of {fact.run_id} has no ending")
        return last[1]
