"""What notifier tells of preferences, notifications and webhooks."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.ids import Id, RunId
from contracts.message import Problem, Value
from contracts.notify import Channel, NotifyPolicy, Occasion

NotificationStatus = Literal["waiting", "sending", "sent", "not_sent", "failed"]
"""`waiting`: to see whether somebody watches; `sending`: at least one delivery goes on; `failed`: none got there."""
DeliveryStatus = Literal["waiting", "sent", "failed", "not_sent"]


class Preferences(Value):
    """What a user wants to hear of, and where."""

    policy: NotifyPolicy = Field(description="of runs that say nothing themselves")
    longer_than_seconds: float = Field(description="shorter runs that say nothing themselves are not told of")
    email: bool = Field(description="false: no e-mail at all, whatever a run says")
    webhook: bool = Field(description="false: no webhook is called, whatever a run says")
    address: str | None = Field(None, description="where e-mail goes: the verified address of the last session")
    name: str | None = None
    address_problem: Problem | None = Field(None, description="why nothing is sent there any more: it was refused")


class Delivery(Value):
    """One notification on its way by one channel."""

    id: Id
    channel: Channel
    target: str = Field(description="the address, or the webhook's URL")
    webhook_id: Id | None = None
    status: DeliveryStatus
    attempts: int = 0
    error: Problem | None = Field(None, description="of the last attempt, or why there was none")
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None


class Notification(Value):
    """One thing that a user was told of, or was not, and why."""

    id: Id
    run_id: RunId
    occasion: Occasion
    step: str | None = Field(None, description="that waits for approval")
    outcome: Literal["completed", "failed", "cancelled"] | None = None
    policy: NotifyPolicy
    status: NotificationStatus
    reason: Problem | None = Field(None, description="why it is not sent")
    deliveries: tuple[Delivery, ...] = ()
    happened_at: datetime = Field(description="when the run ended, or the step began to wait")
    decided_at: datetime | None = None


class NotificationPage(Value):
    """Newest first."""

    items: tuple[Notification, ...]
    next: str | None = Field(None, description="pass it as `before` for the next page")


class Webhook(Value):
    """A URL that is called when a run has ended."""

    id: Id
    url: str
    description: str = ""
    enabled: bool = True
    secret: str | None = Field(None, description="told when it is made, and never again")
    problem: Problem | None = Field(None, description="of the last call, if it failed")
    created_at: datetime


class Webhooks(Value):
    """All of a user, newest first."""

    items: tuple[Webhook, ...]


class WebhookTried(Value):
    """What became of a call that was made to try a webhook."""

    status: int | None = Field(None, description="of the answer; none: there was none")
    problem: Problem | None = None


class Unsubscribed(Value):
    """No more e-mail is sent to this address."""

    address: str = Field(description="as it is shown to strangers, e.g. a…@example.com")
