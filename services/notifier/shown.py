"""What owners, and the bus, are shown of notices, deliveries and preferences."""

from collections.abc import Sequence
from typing import Any

from contracts.message import Owner, Problem
from contracts.notifier_facts import NotificationEndedFact
from contracts.notifier_values import Delivery, Notification, Preferences
from kit.settings import NotifierSettings
from services.notifier.core import WORDS, waiting_step
from services.notifier.models import ContactRow, DeliveryRow, NoticeRow, PreferenceRow


def preferences(
    row: PreferenceRow | None, contact: ContactRow | None, limits: NotifierSettings, *, mail: bool
) -> Preferences:
    """What holds for a user: what was said, and the settings for the rest."""
    least = row.longer_than_seconds if row is not None else None
    return Preferences.model_validate(
        {
            "policy": (row.policy if row is not None else None) or "when_away",
            "longer_than_seconds": limits.longer_than_seconds if least is None else least,
            "email": mail and (row is None or row.email),
            "webhook": row is None or row.webhook,
            "address": contact.email if contact is not None else None,
            "name": contact.name if contact is not None else None,
            "address_problem": contact.refused if contact is not None else None,
        }
    )


def notification(notice: NoticeRow, deliveries: Sequence[DeliveryRow]) -> Notification:
    """A notice as its owner sees it."""
    step = waiting_step(notice.about)
    return Notification.model_validate(
        {
            **notice.model_dump(include={"id", "run_id", "outcome", "policy", "happened_at", "decided_at"}),
            "occasion": "ended" if step is None else "approval",
            "step": step,
            "status": _status(notice, deliveries),
            "reason": None if notice.reason is None else problem(notice.reason),
            "deliveries": tuple(_delivery(each) for each in deliveries),
        }
    )


def _status(notice: NoticeRow, deliveries: Sequence[DeliveryRow]) -> str:
    if notice.status != "told":
        return "waiting" if notice.status == "waiting" else "not_sent"
    found = {each.status for each in deliveries}
    for status, word in (("waiting", "sending"), ("sent", "sent"), ("failed", "failed")):
        if status in found:
            return word
    return "not_sent"


def _delivery(row: DeliveryRow) -> Delivery:
    shown: dict[str, Any] = row.model_dump(
        include={"id", "channel", "target", "status", "attempts", "error", "sent_at"}
    )
    waits = row.status == "waiting"
    return Delivery.model_validate(
        {**shown, "webhook_id": row.place or None, "next_attempt_at": row.next_at if waits else None}
    )


def problem(code: str) -> Problem:
    """Why something is not sent, in words."""
    return Problem(code=code, message=WORDS[code])


def not_sent_fact(notice: NoticeRow) -> NotificationEndedFact:
    """What everybody is told of a notice that nobody is told of."""
    return NotificationEndedFact.model_validate({**_about(notice), "outcome": "not_sent", "reason": notice.reason})


def ended_fact(notice: NoticeRow, delivery: DeliveryRow) -> NotificationEndedFact:
    """What everybody is told of a delivery that has ended."""
    return NotificationEndedFact.model_validate(
        {
            **_about(notice),
            "outcome": delivery.status,
            "channel": delivery.channel,
            "delivery_id": delivery.id,
            "attempts": delivery.attempts,
            "reason": delivery.error["code"] if delivery.error is not None else None,
        }
    )


def _about(notice: NoticeRow) -> dict[str, Any]:
    return {
        "owner": Owner(tenant=notice.tenant, user=notice.user),
        "notification_id": notice.id,
        "run_id": notice.run_id,
        "occasion": "ended" if waiting_step(notice.about) is None else "approval",
    }
