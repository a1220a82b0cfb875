"""What notifier does with the facts of the others. Each may come twice, and is kept once."""

import contextlib
from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_facts import ApprovalRequestedFact
from contracts.message import Owner
from contracts.session import SessionBegunFact
from kit.clock import utc_now
from kit.db.database import Database
from kit.settings import NotifierSettings
from services.notifier import contact_store, core, facts
from services.notifier.core import Happened
from services.notifier.notice_store import NoticeStore
from services.notifier.presence import UnknownError, Watchers


class FactHandlers:
    """Keeps what may have to be told."""

    def __init__(self, database: Database, notices: NoticeStore, watchers: Watchers, limits: NotifierSettings) -> None:
        self._database, self._notices, self._watchers, self._limits = database, notices, watchers, limits

    async def on_session_begun(self, fact: SessionBegunFact) -> None:
        """Remember where somebody is reached."""
        seen_at = datetime.fromtimestamp(fact.at / 1000, UTC)
        await self._database.run(
            lambda session: contact_store.remember(session, fact.owner, fact.email, fact.name, seen_at)
        )

    async def on_run_fact(self, fact: facts.RunFact, at: datetime) -> None:
        """Keep the end of a run, if its owner may want to hear of it. `at` is when the fact was stored."""
        happened = facts.of_run(fact, at)
        if happened is not None:
            await self._keep(happened)

    async def on_approval_requested(self, fact: ApprovalRequestedFact, at: datetime) -> None:
        """Keep that a step waits for its run's owner."""
        await self._keep(facts.of_approval(fact, at))

    async def _keep(self, happened: Happened) -> None:
        owner: Owner = happened.owner

        async def said(session: AsyncSession) -> core.Wanted | None:
            preference = await contact_store.preference(session, owner)
            return core.wanted(happened, preference, self._limits, utc_now())

        want = await self._database.run(said)
        if want is None:
            return
        if want.reason is None and want.policy == "when_away":
            with contextlib.suppress(UnknownError):  # it is asked again
                if core.is_watched(happened.about, await self._watchers.of(owner, happened.run_id)):
                    want = core.Wanted(want.policy, "watched")
        await self._notices.record(happened, want, self._limits.grace_seconds if want.policy == "when_away" else 0)
