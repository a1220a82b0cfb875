"""One attempt to tell somebody, by e-mail or by webhook."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import parseaddr

from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.settings import NotifierSettings
from services.notifier import contact_store
from services.notifier.content import Content
from services.notifier.contents import GoneError
from services.notifier.failures import LaterError
from services.notifier.hooks import store as hook_store
from services.notifier.hooks.caller import HookCaller
from services.notifier.hooks.payload import payload
from services.notifier.links import Links
from services.notifier.mail.message import Recipient, compose
from services.notifier.models import ContactRow, DeliveryRow, NoticeRow
from services.notifier.transports.transport import Transport

Fetch = Callable[[], Awaitable[Content]]
"""Gets what is to be told."""
HandOver = Callable[[], Awaitable[None]]
"""Called at the last moment at which it can be kept back; raises if it is to be kept back."""


class NotYetError(LaterError):
    """Something is not known yet. It is no attempt."""


class MailChannel:
    """E-mails to the verified address of the owner."""

    def __init__(self, database: Database, transport: Transport, links: Links, limits: NotifierSettings) -> None:
        self._database, self._transport, self._links, self._limits = database, transport, links, limits
        self._domain = parseaddr(limits.sender)[1].rpartition("@")[2] or "localhost"

    async def attempt(self, delivery: DeliveryRow, notice: NoticeRow, fetch: Fetch, hand_over: HandOver) -> None:
        """Send it. Raises LaterError, NeverError, GoneError, or what `hand_over` raises."""
        owner = Owner(tenant=delivery.tenant, user=delivery.user)
        contact = await self._to(owner, notice)
        delivery.target = contact.email
        content = await fetch()
        message = await asyncio.to_thread(  # a text may be long, and made to be slow
            compose,
            content,
            Recipient(contact.email, contact.name),
            self._limits,
            message_id=f"<{delivery.id}@{self._domain}>",
            link=self._links.to_run(content),
            unsubscribe=self._links.to_unsubscribe(contact.unsubscribe_token),
        )
        await self._transport.send(message, hand_over)

    async def _to(self, owner: Owner, notice: NoticeRow) -> ContactRow:
        preference, contact = await self._database.run(lambda session: contact_store.known(session, owner))
        if preference is not None and not preference.email:
            raise GoneError("unsubscribed")
        if contact is None:
            if utc_now() - notice.happened_at > timedelta(seconds=self._limits.address_wait_seconds):
                raise GoneError("no_address")
            raise NotYetError("no_address", "No verified address of the owner is known yet.")
        if contact.refused is not None:
            raise GoneError("address_refused")
        return contact


class HookChannel:
    """Calls of the owner's webhooks."""

    def __init__(self, database: Database, caller: HookCaller, links: Links, limits: NotifierSettings) -> None:
        self._database, self._caller, self._links, self._limits = database, caller, links, limits

    async def attempt(self, delivery: DeliveryRow, notice: NoticeRow, fetch: Fetch, hand_over: HandOver) -> None:
        """Call it. Raises LaterError, NeverError, GoneError, or what `hand_over` raises."""
        owner = Owner(tenant=delivery.tenant, user=delivery.user)
        preference = await self._database.run(lambda session: contact_store.preference(session, owner))
        hook = await hook_store.found(self._database, owner, delivery.place)
        if hook is None or not hook.enabled or (preference is not None and not preference.webhook):
            raise GoneError("webhook_gone")
        content = await fetch()
        body = payload(
            content,
            link=self._links.to_run(content),
            at=notice.happened_at,
            max_characters=self._limits.max_hook_characters,
        )
        delivery.target = hook.url
        await hand_over()
        await self._caller.call(hook, event_id=delivery.id, at=notice.happened_at, body=body, now=utc_now())
