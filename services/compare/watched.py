"""The runs of compare, as the watchdog sees them."""

from collections.abc import Sequence

from contracts.generation import GenerationEnded
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.generation import Generation
from kit.orchestrate.watched import Going
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from services.compare import store
from services.compare.endings import EndingHandlers
from services.compare.models import Compared
from services.compare.plan import generation_of


class WatchedRuns:
    """Each lane is watched for itself."""

    def __init__(self, database: Database, endings: EndingHandlers) -> None:
        self._database, self._endings = database, endings

    async def going(self) -> Sequence[Going]:
        """Every lane that goes on, of all owners."""
        found = await self._database.run(store.going)
        return [Going(RunKey(tenant, user, run), lane, trace) for tenant, user, run, lane, trace in found]

    async def untold(self, limit: int) -> Sequence[RunKey]:
        """Runs that have ended, and it is not known that their log says so; the oldest first."""
        return [RunKey(*found) for found in await self._database.run(lambda session: store.untold(session, limit))]

    async def generation(self, lane: Going) -> Generation | None:
        """The generation of a lane; None if it does not go on any more."""
        compared = await self._compared(lane.key)
        row = None if compared is None else compared.lane(lane.lane)
        if compared is None or row is None or row.status != "running":
            return None
        return generation_of(compared, row)

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the answer, and end the run if it was the last one."""
        await self._endings.on_generation_ended(fact)

    async def tell(self, key: RunKey) -> None:
        """Make sure that the log and the facts of a run that has ended say so."""
        compared = await self._compared(key)
        if compared is not None:
            await self._endings.tell(compared)

    async def _compared(self, key: RunKey) -> Compared | None:
        owner = Owner(tenant=key.tenant, user=key.user)
        try:
            return await self._database.run(lambda session: store.compared(session, owner, key.run, texts=False))
        except Refused:
            return None
