"""When the grace is over: is somebody there by now, and if not, where is it told?"""

import logging
from collections.abc import Callable

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate.periodic import Periodic, one_of_many
from kit.settings import NotifierSettings
from services.notifier import contact_store, core
from services.notifier.hooks import store as hook_store
from services.notifier.models import ContactRow, NoticeRow, PreferenceRow
from services.notifier.notice_store import NoticeStore
from services.notifier.presence import Watchers

log = logging.getLogger(__name__)

BATCH = 100


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
        for notice in await self._notices.due(BATCH):
            await one_of_many(f"notice {notice.id} cannot be decided", self._decide(notice))

    async def _decide(self, notice: NoticeRow) -> None:
        owner = Owner(tenant=notice.tenant, user=notice.user)
        if notice.policy == "when_away":
            presence = await self._watchers.of(owner, notice.run_id)
            if core.is_watched(notice.about, presence):
                await self._notices.not_told(notice.id, "watched")
                return
        found = await self._places(owner)
        if isinstance(found, str):
            await self._notices.not_told(notice.id, found)
        elif await self._notices.told(notice.id, found):
            self._wake()

    async def _places(self, owner: Owner) -> tuple[core.Place, ...] | core.Reason:
        async def said(session: AsyncSession) -> tuple[PreferenceRow | None, ContactRow | None]:
            return await contact_store.preference(session, owner), await contact_store.contact(session, owner)

        preference, contact = await self._database.run(said)
        hooks = list(await hook_store.enabled(self._database, owner))
        return core.places(preference, contact, hooks, mail=self._mail)
