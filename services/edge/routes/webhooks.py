"""Webhooks: URLs of yours that are called when a run has ended."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from contracts import notifier as asked
from contracts import notifier_values as values
from kit.ids import new_id
from services.edge.chat_ids import made_id
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import webhook_id
from services.edge.notification_bodies import NewWebhook, WebhookChange

router = APIRouter(prefix="/v1/notifications/webhooks", tags=["notifications"])

TRY_SECONDS = 5.0
"""For notifier's answer, beyond what it gives a call."""

_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.get("", response_model=values.Webhooks)
async def list_webhooks(gateway: TheGateway, owner: TheOwner) -> Any:
    """Your webhooks, newest first. `problem` says how the last call failed."""
    return await gateway.ask(asked.ListWebhooks(owner=owner))


@router.post("", status_code=201, response_model=values.Webhook)
async def add_webhook(
    body: NewWebhook, gateway: TheGateway, owner: TheOwner, response: Response, idempotency_key: _Key = None
) -> Any:
    """Have a URL called. `secret` signs the calls (Standard Webhooks), and is told in this answer only.

    The same `Idempotency-Key` sent again gives the webhook that the first request made, without its secret.
    """
    key = new_id("whk") if idempotency_key is None else made_id("whk", owner.tenant, owner.user, idempotency_key)
    command = asked.AddWebhook(owner=owner, webhook_id=key, url=body.url, description=body.description)
    found: values.Webhook = await gateway.ask(command)
    response.headers["location"] = f"/v1/notifications/webhooks/{found.id}"
    return _secret(found, response)


@router.patch("/{webhook}", response_model=values.Webhook)
async def change_webhook(webhook: str, body: WebhookChange, gateway: TheGateway, owner: TheOwner) -> Any:
    """Change what is given and leave the rest. `enabled` again true calls one that was disabled."""
    changes = body.model_dump(exclude_none=True)
    return await gateway.ask(asked.UpdateWebhook(owner=owner, webhook_id=webhook_id(webhook), **changes))


@router.delete("/{webhook}", status_code=204, response_model=None)
async def delete_webhook(webhook: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Have it called no more. What is on its way to it is given up."""
    await gateway.ask(asked.DeleteWebhook(owner=owner, webhook_id=webhook_id(webhook)))
    return Response(status_code=204)


@router.post("/{webhook}/secret", response_model=values.Webhook)
async def rotate_secret(webhook: str, gateway: TheGateway, owner: TheOwner, response: Response) -> Any:
    """A new secret, told in this answer only. For a time calls are signed with the earlier one as well."""
    return _secret(await gateway.ask(asked.RotateSecret(owner=owner, webhook_id=webhook_id(webhook))), response)


@router.post("/{webhook}/try", response_model=values.WebhookTried)
async def try_webhook(webhook: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Call it now with an event of the type `test`, and say what came of it."""
    command = asked.TryWebhook(owner=owner, webhook_id=webhook_id(webhook))
    return await gateway.ask(command, seconds=gateway.settings.notifier.send_seconds + TRY_SECONDS)


def _secret(found: values.Webhook, response: Response) -> values.Webhook:
    """It is not to lie in anybody's cache."""
    response.headers["cache-control"] = "no-store"
    return found
