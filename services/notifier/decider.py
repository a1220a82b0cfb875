"""When the grace is over: is somebody there by now, and if not, where is it told?"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.periodic import Periodic, one_of_many
from kit.settings import NotifierSettings
from services.notifier import contact_store, core
from services.notifier.hooks import store as hook_store
from services.notifier.models import NoticeRow
from services.notifier.notice_store import NoticeStore
from services.notifier.presence import UnknownError, Watchers

log = logging.getLogger(__name__)

BATCH = 100
PATIENCE = timedelta(seconds=30)
"""With edges that do not say whether somebody watches."""


class Decider:
    """Decides notices whose time has come. Two replicas may look at the same one; one of them decides it."""

    def __init__(
        self,
        database: Database,
        notices: NoticeStore,
        watchers: Watchers,
        limits: NotifierSettings,
        wake: Callable[[], None],
        *,
        mail: bool,
    ) -> None:
        """`wake` is called when there is something to send, `mail` says whether e-mail is a channel at all."""
        self._database, self._notices, self._watchers, self._mail = database, notices, watchers, mail
        self._wake = wake
        self._looking = Periodic("decide-notices", limits.sweep_seconds, self.look)

    async def start(self) -> None:
        """Begin to look."""
        await self._looking.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._looking.stop()

    async def look(self) -> None:
        """Decide everything that is due."""
        due = await self._notices.due(BATCH)
        deciding = (one_of_many(f"notice {notice.id} cannot be decided", self._decide(notice)) for notice in due)
        await asyncio.gather(*deciding)

    async def _decide(self, notice: NoticeRow) -> None:
        owner = Owner(tenant=notice.tenant, user=notice.user)
        if notice.policy == "when_away":
            try:
                presence = await self._watchers.of(owner, notice.run_id)
            except UnknownError:
                if utc_now() - notice.decide_at < PATIENCE:
                    return
                presence = None
            if core.is_watched(notice.about, presence):
                await self._notices.not_told(notice.id, "watched")
                return
        found = await self._places(owner)
        if isinstance(found, str):
            await self._notices.not_told(notice.id, found)
        elif await self._notices.told(notice.id, found):
            self._wake()

    async def _places(self, owner: Owner) -> tuple[core.Place, ...] | core.Reason:
        preference, contact = await self._database.run(lambda session: contact_store.known(session, owner))
        hooks = list(await hook_store.enabled(self._database, owner))
        return core.places(preference, contact, hooks, mail=self._mail)
