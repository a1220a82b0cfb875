"""What architect does with requests about runs that are there: show, list, delete and replay them."""

import asyncio
from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.architect import (
    DeleteAssistantRun,
    GetArchitectRun,
    GetAssistantRun,
    ListArchitectRuns,
    ListAssistantRuns,
    ReplayArchitectRun,
)
from contracts.architect_values import AssistantRun, AssistantRunPage
from contracts.chat_values import Deleted, Run, RunPage, StoredRun
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.heard import Heard, hear
from kit.refusal import Refused
from kit.runlog.reads import LogReads, LogUnavailableError
from services.architect import run_store, shown
from services.architect.models import Planned
from services.architect.plan import key_of
from services.architect.replay import replay


class RunHandlers:
    """Show, list, delete and replay runs."""

    def __init__(self, database: Database, reads: LogReads) -> None:
        self._database, self._reads = database, reads

    async def run(self, owner: Owner, run_id: str) -> Run:
        """One run, as every run looks. Raises Refused."""
        return shown.run_of(await self._load(owner, run_id))

    async def assistant_run(self, owner: Owner, run_id: str) -> AssistantRun:
        """One run with its steps. Raises Refused."""
        planned = await self._load(owner, run_id, inputs=True)
        return shown.assistant_run(planned, await self._heard(planned))

    async def on_get_architect_run(self, query: GetArchitectRun) -> Run:
        """One run, as every run looks."""
        return await self.run(query.owner, query.run_id)

    async def on_get_assistant_run(self, query: GetAssistantRun) -> AssistantRun:
        """One run with its steps, and their texts so far."""
        return await self.assistant_run(query.owner, query.run_id)

    async def on_list_architect_runs(self, query: ListArchitectRuns) -> RunPage:
        """A page of runs, as every run looks."""
        found = await self._database.run(
            lambda session: run_store.page(session, query.owner, query.limit, query.before)
        )
        following = found[-1].run.id if len(found) == query.limit else None
        return RunPage(items=tuple(shown.run_of(planned, whole=False) for planned in found), next=following)

    async def on_list_assistant_runs(self, query: ListAssistantRuns) -> AssistantRunPage:
        """A page of runs, without steps."""
        found = await self._database.run(
            lambda session: run_store.page(session, query.owner, query.limit, query.before, query.assistant_id)
        )
        following = found[-1].run.id if len(found) == query.limit else None
        items = tuple(shown.assistant_run(planned, {}, whole=False) for planned in found)
        return AssistantRunPage(items=items, next=following)

    async def on_delete_assistant_run(self, command: DeleteAssistantRun) -> Deleted:
        """Delete a run. The purge of its log is ordered in the same transaction."""

        async def work(session: AsyncSession) -> None:
            run = await run_store.run(session, command.owner, command.run_id, lock=True)
            if run is None:
                raise Refused("unknown_run", run_store.UNKNOWN_RUN)
            if run.status == "running":
                raise Refused("run_in_progress", "This run is still going. Cancel it first.")
            await run_store.delete(session, run.id)

        await self._database.run(work)
        return Deleted()

    async def on_replay_architect_run(self, query: ReplayArchitectRun) -> StoredRun:
        """The events of a run as the tables can tell them."""

        async def work(session: AsyncSession) -> tuple[Planned, list[events.Event]]:
            planned = await run_store.planned(session, query.owner, query.run_id, texts=True)
            said = await run_store.untold(session, query.run_id, 0)
            return planned, replay(planned, [row.event for row in said])

        planned, told = await self._database.run(work)
        return StoredRun(run=shown.run_of(planned), events=tuple(events.encode(event).decode() for event in told))

    async def _load(self, owner: Owner, run_id: str, *, inputs: bool = False) -> Planned:
        return await self._database.run(
            lambda session: run_store.planned(session, owner, run_id, texts=True, inputs=inputs)
        )

    async def _heard(self, planned: Planned) -> Mapping[str, Heard]:
        """What the steps that are being answered have said, by lane; nothing if the log does not answer."""
        key = key_of(planned.run)
        going = [step.lane for step in planned.steps if step.status == "running" and step.lane is not None]
        try:
            told = await asyncio.gather(*(self._reads.lane(key.lane(lane)) for lane in going))
        except LogUnavailableError:
            return {}
        return {lane: hear(said) for lane, said in zip(going, told, strict=True)}
