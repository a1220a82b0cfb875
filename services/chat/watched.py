"""The runs of chat, as the watchdog sees them."""

from collections.abc import Sequence

from contracts.generation import GenerationEnded
from contracts.ids import MAIN_LANE
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.generation import Generation
from kit.orchestrate.watched import Going
from kit.runlog.lane import RunKey
from services.chat import run_store, store
from services.chat.endings import EndingHandlers
from services.chat.generation import generation_of


class WatchedRuns:
    """Each has the one lane `main`; those that wait have no lane yet, and nobody is missed at them."""

    def __init__(self, database: Database, endings: EndingHandlers) -> None:
        self._database, self._endings = database, endings

    async def going(self) -> Sequence[Going]:
        """Every run that goes on, of all owners."""
        return [Going(key, MAIN_LANE, trace) for key, trace in await run_store.running(self._database)]

    async def untold(self, limit: int) -> Sequence[RunKey]:
        """Runs that have ended, and it is not known that their log says so; the oldest first."""
        return await run_store.untold(self._database, limit)

    async def generation(self, lane: Going) -> Generation | None:
        """The generation of a run; None if that does not go on any more."""
        owner = Owner(tenant=lane.key.tenant, user=lane.key.user)
        run = await self._database.run(lambda session: store.run(session, owner, lane.key.run))
        return generation_of(run) if run is not None and run.status == "running" else None

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the reply and end the run."""
        await self._endings.on_generation_ended(fact)

    async def tell(self, key: RunKey) -> None:
        """Make sure that the log and the facts of a run that has ended say so."""
        run = await run_store.state(self._database, Owner(tenant=key.tenant, user=key.user), key.run)
        if run is not None:
            await self._endings.tell(run)
