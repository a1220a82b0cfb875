"""Requests to notifier; what they are answered with is in contracts/notifier_values.py."""

from typing import Any, ClassVar

from pydantic import Field

from contracts.chat_values import Deleted
from contracts.ids import Id
from contracts.message import Owner, Request
from contracts.notifier_values import (
    Notification,
    NotificationPage,
    Preferences,
    Unsubscribed,
    Webhook,
    Webhooks,
    WebhookTried,
)
from contracts.notify import NotifyPolicy

MAX_URL_CHARACTERS = 2_000


class NotifierRequest(Request[Any]):
    """Something that is asked of notifier, for an owner."""

    SERVICE: ClassVar[str] = "notifier"
    owner: Owner


class GetPreferences(NotifierRequest):
    """What a user wants to hear of; the defaults if nothing was said."""

    VERB: ClassVar[str] = "get_preferences"
    RESULT: ClassVar[Any] = Preferences
    AGAIN: ClassVar[bool] = True


class UpdatePreferences(NotifierRequest):
    """Change what is given. `email` again true also forgives an address that was refused."""

    VERB: ClassVar[str] = "update_preferences"
    RESULT: ClassVar[Any] = Preferences
    AGAIN: ClassVar[bool] = True
    policy: NotifyPolicy | None = None
    longer_than_seconds: float | None = Field(None, ge=0, le=366 * 24 * 3600)
    email: bool | None = None
    webhook: bool | None = None


class ListNotifications(NotifierRequest):
    """A page of what was sent, is on its way, or is not sent; newest first."""

    VERB: ClassVar[str] = "list_notifications"
    RESULT: ClassVar[Any] = NotificationPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None
    run_id: str | None = Field(None, max_length=64, description="of this run only")


class RetryNotification(NotifierRequest):
    """Send once more what was given up. What was sent stays sent."""

    VERB: ClassVar[str] = "retry_notification"
    RESULT: ClassVar[Any] = Notification
    AGAIN: ClassVar[bool] = True
    notification_id: Id


class AddWebhook(NotifierRequest):
    """A URL to call. With an id that the owner has already it is that one, without its secret."""

    VERB: ClassVar[str] = "add_webhook"
    RESULT: ClassVar[Any] = Webhook
    webhook_id: Id
    url: str = Field(max_length=MAX_URL_CHARACTERS)
    description: str = Field("", max_length=1_000)


class ListWebhooks(NotifierRequest):
    """All webhooks of a user."""

    VERB: ClassVar[str] = "list_webhooks"
    RESULT: ClassVar[Any] = Webhooks
    AGAIN: ClassVar[bool] = True


class UpdateWebhook(NotifierRequest):
    """Change what is given."""

    VERB: ClassVar[str] = "update_webhook"
    RESULT: ClassVar[Any] = Webhook
    AGAIN: ClassVar[bool] = True
    webhook_id: Id
    url: str | None = Field(None, max_length=MAX_URL_CHARACTERS)
    description: str | None = Field(None, max_length=1_000)
    enabled: bool | None = None


class DeleteWebhook(NotifierRequest):
    """Call it no more; what is on its way to it is given up."""

    VERB: ClassVar[str] = "delete_webhook"
    RESULT: ClassVar[Any] = Deleted
    webhook_id: Id


class RotateSecret(NotifierRequest):
    """A new secret for a webhook. For a time its calls are signed with the earlier one as well."""

    VERB: ClassVar[str] = "rotate_secret"
    RESULT: ClassVar[Any] = Webhook
    webhook_id: Id


class TryWebhook(NotifierRequest):
    """Call a webhook now, with an event of type `test`, and say what came of it."""

    VERB: ClassVar[str] = "try_webhook"
    RESULT: ClassVar[Any] = WebhookTried
    webhook_id: Id


class Unsubscribe(Request[Any]):
    """No more e-mail to whom this token was sent. Nobody needs to be signed in: the token is in every mail."""

    SERVICE: ClassVar[str] = "notifier"
    VERB: ClassVar[str] = "unsubscribe"
    RESULT: ClassVar[Any] = Unsubscribed
    AGAIN: ClassVar[bool] = True
    token: str = Field(max_length=64)
