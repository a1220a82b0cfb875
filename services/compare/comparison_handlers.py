"""What compare does with each message about comparisons that are there: show, list and delete them."""

import asyncio
from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import Deleted
from contracts.compare import Comparison, ComparisonPage, DeleteComparison, GetComparison, ListComparisons
from contracts.compare_facts import ComparisonDeletedFact
from contracts.message import Owner
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.db.database import Database
from kit.orchestrate.heard import Heard, hear
from kit.refusal import Refused
from kit.runlog.reads import LogReads, LogUnavailableError
from services.compare import shown, store
from services.compare.models import Compared
from services.compare.plan import key_of


class ComparisonHandlers:
    """Show, list and delete comparisons."""

    def __init__(self, bus: Bus, database: Database, reads: LogReads) -> None:
        self._bus, self._database, self._reads = bus, database, reads

    async def on_get_comparison(self, query: GetComparison) -> Comparison:
        """One comparison, with the texts of its lanes so far."""
        return await self.shown(await self.load(query.owner, query.run_id))

    async def on_list_comparisons(self, query: ListComparisons) -> ComparisonPage:
        """A page of comparisons, without texts."""
        found = await self._database.run(lambda session: store.page(session, query.owner, query.limit, query.before))
        following = found[-1].run.id if len(found) == query.limit else None
        items = tuple(shown.comparison(compared, {}, whole=False) for compared in found)
        return ComparisonPage(items=items, next=following)

    async def on_delete_comparison(self, command: DeleteComparison) -> Deleted:
        """Delete a comparison. The purge of its log is ordered in the same transaction."""

        async def work(session: AsyncSession) -> None:
            run = await store.owned(session, command.owner, command.run_id, turns=False, lock=True)
            if run.status == "running":
                raise Refused("run_in_progress", "This comparison is still running. Cancel it first.")
            await store.delete(session, run.id)

        await self._database.run(work)
        await publish(self._bus, ComparisonDeletedFact(owner=command.owner, run_id=command.run_id))
        return Deleted()

    async def load(self, owner: Owner, run_id: str, *, texts: bool = True, turns: bool = True) -> Compared:
        """A comparison of the owner. Raises Refused."""
        return await self._database.run(
            lambda session: store.compared(session, owner, run_id, texts=texts, turns=turns)
        )

    async def shown(self, compared: Compared) -> Comparison:
        """A comparison with the texts of its lanes so far."""
        return shown.comparison(compared, await self._heard(compared))

    async def _heard(self, compared: Compared) -> Mapping[str, Heard]:
        """What the lanes that go on have said; nothing if the log does not answer."""
        key = key_of(compared.run)
        going = [lane.lane for lane in compared.lanes if lane.status == "running"]
        try:
            told = await asyncio.gather(*(self._reads.lane(key.lane(lane)) for lane in going))
        except LogUnavailableError:
            return {}
        return {lane: hear(events) for lane, events in zip(going, told, strict=True)}
