"""What notifier does with each message about webhooks: add, list, change, delete and try them."""

from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat_values import Deleted
from contracts.message import Problem
from contracts.notifier import AddWebhook, DeleteWebhook, ListWebhooks, RotateSecret, TryWebhook, UpdateWebhook
from contracts.notifier_values import Webhook, Webhooks, WebhookTried
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.notifier_settings import NotifierSettings
from kit.orchestrate import wording
from kit.refusal import Refused
from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks import store
from services.notifier.hooks.caller import HookCaller
from services.notifier.hooks.payload import body
from services.notifier.hooks.signing import new_secret
from services.notifier.hooks.url import checked
from services.notifier.models import WebhookRow


class WebhookHandlers:
    """The webhooks of users."""

    def __init__(self, database: Database, caller: HookCaller, settings: NotifierSettings) -> None:
        self._database, self._caller, self._settings = database, caller, settings
        self._tried: set[str] = set()

    async def on_add_webhook(self, command: AddWebhook) -> Webhook:
        """Add a webhook and tell its secret, or find the one that there is."""
        row = WebhookRow(
            **command.owner.model_dump(),
            id=command.webhook_id,
            url=self._checked(command.url),
            description=wording.storable(command.description),
            secret=new_secret(),
            created_at=utc_now(),
        )

        async def work(session: AsyncSession) -> Webhook:
            await store.one_at_a_time(session, command.owner)
            there = await store.all_of(session, command.owner)
            known = next((other for other in there if other.id == row.id), None)
            if known is not None:
                return _shown(known)
            if len(there) >= self._settings.max_webhooks:
                limit = self._settings.max_webhooks
                raise Refused("too_many_webhooks", f"There are {len(there)} webhooks; the limit is {limit}.")
            session.add(WebhookRow(**row.model_dump()))  # a new one each time: the work may be done again
            return _shown(row, with_secret=True)

        try:
            return await self._database.run(work)
        except IntegrityError as error:  # somebody else's, of whom nothing is told
            raise Refused("invalid_request", "The id of this webhook is taken.") from error

    async def on_list_webhooks(self, query: ListWebhooks) -> Webhooks:
        """All webhooks of a user, without their secrets."""
        rows = await self._database.run(lambda session: store.all_of(session, query.owner))
        return Webhooks(items=tuple(_shown(row) for row in rows))

    async def on_update_webhook(self, command: UpdateWebhook) -> Webhook:
        """Change what is given. With another URL, or called again, its problem is a thing of the past."""
        url = None if command.url is None else self._checked(command.url)

        async def work(session: AsyncSession) -> Webhook:
            row = await store.owned(session, command.owner, command.webhook_id)
            if (url is not None and url != row.url) or (command.enabled and not row.enabled):
                row.problem = None
            row.url = row.url if url is None else url
            row.enabled = row.enabled if command.enabled is None else command.enabled
            if command.description is not None:
                row.description = wording.storable(command.description)
            return _shown(row)

        return await self._database.run(work)

    async def on_delete_webhook(self, command: DeleteWebhook) -> Deleted:
        """Delete a webhook."""

        async def work(session: AsyncSession) -> None:
            await session.delete(await store.owned(session, command.owner, command.webhook_id))

        await self._database.run(work)
        return Deleted()

    async def on_rotate_secret(self, command: RotateSecret) -> Webhook:
        """Make a new secret and tell it; the one before signs as well for a time, and any from before that no more."""
        overlap = timedelta(seconds=self._settings.hook_secret_overlap_seconds)

        async def work(session: AsyncSession) -> Webhook:
            row = await store.owned(session, command.owner, command.webhook_id)
            row.earlier_secret, row.earlier_until = row.secret, utc_now() + overlap
            row.secret = new_secret()
            return _shown(row, with_secret=True)

        return await self._database.run(work)

    async def on_try_webhook(self, command: TryWebhook) -> WebhookTried:
        """Call a webhook now, also one that is disabled, and tell what came of it; one try of each at a time."""
        row = await store.found(self._database, command.owner, command.webhook_id)
        if row is None:
            raise Refused("unknown_webhook", store.UNKNOWN_WEBHOOK)
        if row.id in self._tried:
            return WebhookTried(problem=Problem(code="webhook_busy", message="This webhook is being tried already."))
        self._tried.add(row.id)
        try:
            return await self._try(row)
        finally:
            self._tried.discard(row.id)

    async def _try(self, row: WebhookRow) -> WebhookTried:
        now = utc_now()
        told = body("test", now, {"webhook_id": row.id})
        try:
            status = await self._caller.call(row, event_id=new_id("test"), at=now, body=told, now=now)
        except (LaterError, NeverError) as error:
            problem = Problem(code=error.code, message=str(error))
            is_bad = isinstance(error, NeverError) and error.target_is_bad
            await (store.disable if is_bad else store.note)(self._database, row.id, problem)
            return WebhookTried(problem=problem)
        await store.note(self._database, row.id, None)
        return WebhookTried(status=status)

    def _checked(self, url: str) -> str:
        return checked(url, allow_private=self._settings.hooks_allow_private)


def _shown(row: WebhookRow, *, with_secret: bool = False) -> Webhook:
    told: dict[str, Any] = row.model_dump(include=set(Webhook.model_fields) - {"secret"})
    return Webhook(**told, secret=row.secret if with_secret else None)
