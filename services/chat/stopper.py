"""Stopping all that goes on in a conversation, and seeing it ended: when it is done, the conversation is free."""

from contracts import events
from contracts.ids import MAIN_LANE
from contracts.message import Owner
from kit.bus.connection import Bus
from kit.db.database import Database
from kit.orchestrate.cancel import Canceller
from kit.runlog.lane import RunKey
from kit.runlog.once import read_last
from kit.runlog.outcome import ended_fact
from services.chat import store
from services.chat.endings import EndingHandlers
from services.chat.generation import generation_of
from services.chat.models import RunRow


class Stopper:
    """Cancels runs and ends them at once, without waiting for the facts about their generations."""

    def __init__(self, bus: Bus, database: Database, canceller: Canceller, endings: EndingHandlers) -> None:
        self._bus, self._database, self._canceller, self._endings = bus, database, canceller, endings

    async def stop(self, owner: Owner, conversation_id: str) -> None:
        """Stop the runs that are going now. Those that wait first, or one would begin when another ends.

        Raises TimeoutError if the log is away.
        """
        going = await self._database.run(lambda session: store.going(session, owner, conversation_id))
        for run in sorted(going, key=lambda run: (run.status == "running", -run.position)):
            await self._canceller.cancel(generation_of(run))
            await self._ended(run)

    async def _ended(self, run: RunRow) -> None:
        """Do what the fact of its generation's ending brings about; it may come as well."""
        key = RunKey(run.tenant, run.user, run.id)
        last = await read_last(self._bus, key, MAIN_LANE)
        if last is not None and isinstance(last[1], events.GenerationEnding):
            await self._endings.on_generation_ended(ended_fact(key, last[1], last[0].sequence))
