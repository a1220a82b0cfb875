"""What compare does with each message about runs that are there: show, list, stop and replay them."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.chat import Run, RunPage, StoredRun
from contracts.compare import (
    CancelCompareRun,
    CancelLane,
    Comparison,
    GetCompareRun,
    ListCompareRuns,
    ReplayCompareRun,
)
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.cancel import Canceller
from kit.refusal import Refused
from services.compare import checks, core, shown, store
from services.compare.comparison_handlers import ComparisonHandlers
from services.compare.endings import EndingHandlers
from services.compare.hiding import hidden_events
from services.compare.models import Compared, LaneRow
from services.compare.plan import generation_of


class RunHandlers:
    """Show, list, stop and replay the runs of comparisons."""

    def __init__(
        self, database: Database, comparisons: ComparisonHandlers, canceller: Canceller, endings: EndingHandlers
    ) -> None:
        self._database, self._comparisons, self._canceller = database, comparisons, canceller
        self._endings = endings

    async def on_get_compare_run(self, query: GetCompareRun) -> Run:
        """One run."""
        return shown.run_of(await self._comparisons.load(query.owner, query.run_id, texts=False, turns=False))

    async def on_list_compare_runs(self, query: ListCompareRuns) -> RunPage:
        """A page of runs."""
        found = await self._database.run(lambda session: store.page(session, query.owner, query.limit, query.before))
        following = found[-1].run.id if len(found) == query.limit else None
        return RunPage(items=tuple(map(shown.run_of, found)), next=following)

    async def on_cancel_compare_run(self, command: CancelCompareRun) -> Run:
        """Stop every lane that goes on; a run that has ended stays as it is."""

        async def work(session: AsyncSession) -> Compared:
            compared = await store.compared(session, command.owner, command.run_id, texts=False, lock=True)
            if compared.run.status == "running" and compared.run.stopped_at is None:
                compared.run.stopped_at = utc_now()
            return compared

        compared = await self._database.run(work)
        await self._cancel(compared, compared.lanes)
        return shown.run_of(await self._comparisons.load(command.owner, command.run_id, texts=False, turns=False))

    async def on_cancel_lane(self, command: CancelLane) -> Comparison:
        """Stop one lane; the others go on."""
        compared = await self._comparisons.load(command.owner, command.run_id, texts=False)
        lane = compared.lane(command.lane)
        if lane is None:
            raise Refused("unknown_lane", checks.UNKNOWN_LANE)
        await self._cancel(compared, (lane,))
        return await self._comparisons.shown(await self._comparisons.load(command.owner, command.run_id))

    async def _cancel(self, compared: Compared, lanes: Sequence[LaneRow]) -> None:
        going = [generation_of(compared, lane) for lane in lanes if lane.status == "running"]
        if going:
            await self._canceller.cancel_all(going)
            for generation in going:  # what the facts bring about too; who has asked is told how it ended
                await self._endings.end_now(generation.key, generation.lane)

    async def on_replay_compare_run(self, query: ReplayCompareRun) -> StoredRun:
        """The events of a run as the tables can tell them."""
        compared = await self._comparisons.load(query.owner, query.run_id)
        told = core.replay(compared)
        if compared.hidden:
            told = hidden_events(told)
        return StoredRun(run=shown.run_of(compared), events=tuple(events.encode(event).decode() for event in told))
