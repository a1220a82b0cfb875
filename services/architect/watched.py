"""The runs of architect, as the watchdog sees them."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.generation import GenerationEnded
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.generation import Generation
from kit.orchestrate.watched import Going
from kit.runlog.lane import RunKey
from services.architect import run_store
from services.architect.endings import EndingHandlers
from services.architect.models import Planned
from services.architect.plan import generation_of


class WatchedRuns:
    """Each step that is being answered is watched for itself. That runs are told of is the sweep's care."""

    def __init__(self, database: Database, endings: EndingHandlers) -> None:
        self._database, self._endings = database, endings

    async def going(self) -> Sequence[Going]:
        """Every lane that goes on, of all owners."""
        found = await self._database.run(run_store.going)
        return [Going(RunKey(tenant, user, run), lane, trace) for tenant, user, run, lane, trace in found]

    async def untold(self, limit: int) -> Sequence[RunKey]:
        """None: what is owed by a run, whether it has ended or not, is found by the sweep (onward.py)."""
        return []

    async def generation(self, lane: Going) -> Generation | None:
        """The generation of a lane; None if it does not go on any more."""
        owner = Owner(tenant=lane.key.tenant, user=lane.key.user)

        async def work(session: AsyncSession) -> Generation | None:
            run = await run_store.run(session, owner, lane.key.run)
            if run is None:
                return None
            planned = Planned(run, await run_store.steps(session, run.id))
            step = planned.of_lane(lane.lane)
            if step is None or step.status != "running":
                return None
            request = await run_store.request(session, run.id, step.step)
            return None if request is None else generation_of(planned, step, request)

        return await self._database.run(work)

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """Store the answer, and go on."""
        await self._endings.on_generation_ended(fact)

    async def tell(self, key: RunKey) -> None:
        """Nothing: see `untold`."""
