"""What you are told of when you are away: your wishes, and what became of each."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from contracts import notifier as asked
from contracts import notifier_values as values
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import notification_id, page_mark, run_key
from services.edge.notification_bodies import PreferencesChange

router = APIRouter(prefix="/v1/notifications", tags=["notifications"])


@router.get("/preferences", response_model=values.Preferences)
async def get_preferences(gateway: TheGateway, owner: TheOwner) -> Any:
    """What you want to hear of, and where. `address` is the one that your sign-in has verified."""
    return await gateway.ask(asked.GetPreferences(owner=owner))


@router.patch("/preferences", response_model=values.Preferences)
async def change_preferences(body: PreferencesChange, gateway: TheGateway, owner: TheOwner) -> Any:
    """Change what is given and leave the rest. What a run says itself (`notify`) goes before `policy`."""
    return await gateway.ask(asked.UpdatePreferences(owner=owner, **body.model_dump(exclude_none=True)))


@router.get("", response_model=values.NotificationPage)
async def list_notifications(
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=200, description="the `next` of the page before")] = None,
    run_id: Annotated[str | None, Query(description="of this run only")] = None,
) -> Any:
    """What was sent, is on its way, or is not sent, and why; newest first.

    Runs that say nothing themselves and were short are not in it.
    """
    run = None if run_id is None else run_key(caller, run_id).run
    return await gateway.ask(asked.ListNotifications(owner=owner, limit=limit, before=page_mark(before), run_id=run))


@router.post("/{notification}/retry", response_model=values.Notification)
async def retry_notification(notification: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Send once more what was given up. What was sent stays sent, and is not sent again."""
    key = notification_id(notification)
    return await gateway.ask(asked.RetryNotification(owner=owner, notification_id=key))
