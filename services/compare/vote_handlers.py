"""What compare does with a vote: it is stored once, and told to everybody."""

import logging

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.compare import Comparison, VoteComparison
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.periodic import Periodic
from kit.refusal import Refused
from services.compare import store, voting
from services.compare.comparison_handlers import ComparisonHandlers
from services.compare.models import Compared

log = logging.getLogger(__name__)

SWEEP_BATCH = 100


class VoteHandlers:
    """Stores votes, and tells of those that were left untold."""

    def __init__(self, bus: Bus, database: Database, comparisons: ComparisonHandlers, sweep_seconds: float) -> None:
        self._bus, self._database, self._comparisons = bus, database, comparisons
        self._sweeping = Periodic("sweep-untold-votes", sweep_seconds, self.sweep)

    async def start(self) -> None:
        """Begin to sweep."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Stop sweeping."""
        await self._sweeping.stop()

    async def on_vote_comparison(self, command: VoteComparison) -> Comparison:
        """Store a vote; the same one again changes nothing. From now on the owner is told which model is which."""
        now = utc_now()

        async def work(session: AsyncSession) -> Compared:
            compared = await store.compared(session, command.owner, command.run_id, lock=True)
            known = compared.run.blind and await store.relatives_have_votes(session, compared.run)
            vote = voting.vote_row(compared, command.vote, now, known=known)
            if compared.vote is None:
                session.add(vote)
                return compared._replace(vote=vote)
            if not voting.same(compared.vote, vote):
                raise Refused("already_voted", "There is a vote on this comparison, and it says something else.")
            return compared

        compared = await self._database.run(work)
        if compared.vote is not None and compared.vote.told_at is None:
            try:
                await self.sweep(command.run_id)
            except Exception as error:
                log.warning("the vote on %s could not be told yet: %r", command.run_id, error)
        return await self._comparisons.shown(compared)

    async def sweep(self, run_id: str | None = None) -> None:
        """Tell of the votes that are stored and not told: of all, or of one."""

        async def found(session: AsyncSession) -> None:
            for vote in await store.untold_votes(session, SWEEP_BATCH, run_id):
                await publish(self._bus, voting.voted_fact(vote))
                vote.told_at = utc_now()

        await self._database.run(found)
