"""What chat does with each message about runs that are there: show, list, stop and replay them."""

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.chat import (
    CancelRun,
    GetRun,
    LatestRun,
    ListRuns,
    ReplayRun,
    Run,
    RunPage,
    StopConversation,
    StoredRun,
)
from contracts.ids import MAIN_LANE
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.heard import hear
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads, LogUnavailableError
from services.chat import core, store
from services.chat.generation import generation_of
from services.chat.models import MessageRow, RunRow
from services.chat.run_store import GOING
from services.chat.stopper import Stopper

UNKNOWN = "There is no such run."
NO_RUN = "Nothing has been asked in this conversation yet."


class RunHandlers:
    """Show, list, stop and replay chat runs."""

    def __init__(self, database: Database, canceller: Canceller, stopper: Stopper, reads: LogReads) -> None:
        self._database, self._canceller, self._stopper, self._reads = database, canceller, stopper, reads

    async def on_get_run(self, query: GetRun) -> Run:
        """One run, with its text so far."""
        return await self.shown(*await self.load(query.owner, query.run_id))

    async def on_list_runs(self, query: ListRuns) -> RunPage:
        """A page of runs, without their texts."""
        rows = await self._database.run(lambda session: store.runs(session, query.owner, query.limit, query.before))
        following = rows[-1][0].id if len(rows) == query.limit else None
        return RunPage(items=tuple(_summary(row, None, cost) for row, cost in rows), next=following)

    async def on_latest_run(self, query: LatestRun) -> Run:
        """The newest run of a conversation, with its text so far."""

        async def work(session: AsyncSession) -> tuple[RunRow, MessageRow | None]:
            await store.owned(session, query.owner, query.conversation_id)
            run = await store.latest_run(session, query.conversation_id)
            if run is None:
                raise Refused("unknown_run", NO_RUN)
            return run, await store.reply(session, run)

        return await self.shown(*await self._database.run(work))

    async def on_stop_conversation(self, command: StopConversation) -> Run:
        """Stop all that goes on in a conversation, what waits first."""
        await self._database.run(lambda session: store.owned(session, command.owner, command.conversation_id))
        await self._stopper.stop(command.owner, command.conversation_id)
        return await self.on_latest_run(LatestRun(owner=command.owner, conversation_id=command.conversation_id))

    async def on_cancel_run(self, command: CancelRun) -> Run:
        """Stop a run that is going, or waits; one that has ended stays as it is."""
        run, reply = await self.load(command.owner, command.run_id)
        if run.status in GOING:
            await self._canceller.cancel(generation_of(run))
            run, reply = await self.load(command.owner, command.run_id)
        return await self.shown(run, reply)

    async def on_replay_run(self, query: ReplayRun) -> StoredRun:
        """The events of a run as the tables can tell them."""
        run, reply = await self.load(query.owner, query.run_id)
        told = tuple(events.encode(event).decode() for event in core.replay(run, reply))
        shown = _summary(run, None) if reply is None else _summary(run, reply.content, reply.cost_usd)
        return StoredRun(run=shown, events=told)

    async def load(self, owner: Owner, run_id: str) -> tuple[RunRow, MessageRow | None]:
        """A run of the owner and its answer, if that is stored already. Raises Refused."""

        async def work(session: AsyncSession) -> tuple[RunRow, MessageRow | None]:
            run = await store.run(session, owner, run_id)
            if run is None:
                raise Refused("unknown_run", UNKNOWN)
            return run, await store.reply(session, run)

        return await self._database.run(work)

    async def shown(self, run: RunRow, reply: MessageRow | None) -> Run:
        """A run with its text so far."""
        if reply is not None:
            return _summary(run, reply.content, reply.cost_usd)
        try:
            told = await self._reads.lane(RunKey(run.tenant, run.user, run.id).lane(MAIN_LANE))
        except LogUnavailableError:
            return _summary(run, None)
        return _summary(run, hear(told).text)


_OURS = {"request", "completion", "tenant", "user", "conversation_id"}


def _summary(run: RunRow, text: str | None, cost_usd: str | None = None) -> Run:
    conversation_id = None if run.hidden else run.conversation_id
    told = run.model_dump(exclude=_OURS)
    return Run(kind="chat", text=text, conversation_id=conversation_id, cost_usd=cost_usd, **told)
