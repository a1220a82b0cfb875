"""What a user does with webhooks, in a test."""

from typing import Any

from contracts.message import Owner, Problem
from contracts.notifier import AddWebhook, DeleteWebhook, ListWebhooks, RotateSecret, TryWebhook, UpdateWebhook
from contracts.notifier_values import Webhook, WebhookTried
from kit.db.database import Database
from kit.ids import new_id
from services.notifier.hooks.handlers import WebhookHandlers

URL = "http://127.0.0.1:9/hook"
PROBLEM = Problem(code="webhook_status", message="The webhook answered with status 500.")


class World:
    """Handlers, and a user of their own."""

    def __init__(self, database: Database, handlers: WebhookHandlers, owner: Owner) -> None:
        self.database, self.handlers, self.owner = database, handlers, owner

    async def add(self, url: str = URL, **more: Any) -> Webhook:
        more = {"owner": self.owner, "webhook_id": new_id("hook"), **more}
        return await self.handlers.on_add_webhook(AddWebhook(url=url, **more))

    async def listed(self, owner: Owner | None = None) -> list[Webhook]:
        return list((await self.handlers.on_list_webhooks(ListWebhooks(owner=owner or self.owner))).items)

    async def update(self, made: Webhook, **changes: Any) -> Webhook:
        return await self.handlers.on_update_webhook(UpdateWebhook(owner=self.owner, webhook_id=made.id, **changes))

    async def rotate(self, made: Webhook) -> Webhook:
        return await self.handlers.on_rotate_secret(RotateSecret(owner=self.owner, webhook_id=made.id))

    async def delete(self, made: Webhook) -> None:
        await self.handlers.on_delete_webhook(DeleteWebhook(owner=self.owner, webhook_id=made.id))

    async def attempt(self, made: Webhook) -> WebhookTried:
        return await self.handlers.on_try_webhook(TryWebhook(owner=self.owner, webhook_id=made.id))
