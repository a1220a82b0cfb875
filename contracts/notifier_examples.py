"""One example of everything that notifier is asked and tells, and of sessions; a part of the catalogue."""

from typing import Any

from contracts import notifier as asked
from contracts import notifier_values as values
from contracts.chat_values import Deleted
from contracts.example_values import AT, CREATED, ENDED, OWNER, RUN
from contracts.message import Message, Problem, Request, Value
from contracts.notifier_facts import NotificationEndedFact
from contracts.session import SessionBegunFact

NOTIFICATION, DELIVERY, WEBHOOK = "ntf_01k3x9v4t2", "dlv_01k3x9v4t2", "whk_01k3x9v4t2"
TOKEN = "q6n1v0"  # noqa: S105

NOTIFIER_FACTS: tuple[Message, ...] = (
    SessionBegunFact(owner=OWNER, email="ada@example.com", name="Ada Lovelace", at=AT),
    NotificationEndedFact(
        outcome="failed",
        owner=OWNER,
        notification_id=NOTIFICATION,
        run_id=RUN,
        occasion="ended",
        channel="email",
        delivery_id=DELIVERY,
        attempts=1,
        reason="address_refused",
    ),
)

_refused = Problem(code="address_refused", message="550 5.1.1 There is no such mailbox.")
_preferences = values.Preferences(
    policy="when_away",
    longer_than_seconds=60,
    email=True,
    webhook=True,
    address="ada@example.com",
    name="Ada Lovelace",
    address_problem=_refused,
)
_notification = values.Notification(
    id=NOTIFICATION,
    run_id=RUN,
    occasion="approval",
    step="summary",
    outcome="completed",
    policy="when_away",
    status="failed",
    reason=Problem(code="watched", message="Somebody was watching."),
    deliveries=(
        values.Delivery(
            id=DELIVERY,
            channel="webhook",
            target="https://example.com/hook",
            webhook_id=WEBHOOK,
            status="failed",
            attempts=2,
            error=_refused,
            next_attempt_at=ENDED,
            sent_at=ENDED,
        ),
    ),
    happened_at=CREATED,
    decided_at=ENDED,
)
_webhook = values.Webhook(
    id=WEBHOOK,
    url="https://example.com/hook",
    description="Our ticket system",
    enabled=True,
    secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # noqa: S106
    problem=Problem(code="webhook_status", message="It answered 500."),
    created_at=CREATED,
)
_of_webhook: dict[str, Any] = {"owner": OWNER, "webhook_id": WEBHOOK}

NOTIFIER_EXCHANGES: tuple[tuple[Request[Any], Value], ...] = (
    (asked.GetPreferences(owner=OWNER), _preferences),
    (
        asked.UpdatePreferences(owner=OWNER, policy="always", longer_than_seconds=30, email=True, webhook=False),
        _preferences,
    ),
    (
        asked.ListNotifications(owner=OWNER, limit=20, before=NOTIFICATION, run_id=RUN),
        values.NotificationPage(items=(_notification,), next=NOTIFICATION),
    ),
    (asked.RetryNotification(owner=OWNER, notification_id=NOTIFICATION), _notification),
    (asked.AddWebhook(**_of_webhook, url="https://example.com/hook", description="Our ticket system"), _webhook),
    (asked.ListWebhooks(owner=OWNER), values.Webhooks(items=(_webhook,))),
    (asked.UpdateWebhook(**_of_webhook, url="https://example.com/hook", description="", enabled=False), _webhook),
    (asked.DeleteWebhook(**_of_webhook), Deleted()),
    (asked.RotateSecret(**_of_webhook), _webhook),
    (
        asked.TryWebhook(**_of_webhook),
        values.WebhookTried(status=500, problem=Problem(code="webhook_status", message="It answered 500.")),
    ),
    (asked.Unsubscribe(token=TOKEN), values.Unsubscribed(address="a…@example.com")),
)
