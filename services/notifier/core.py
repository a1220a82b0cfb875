"""The decisions of notifier: values in, values out."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from contracts.ids import Id, RunId
from contracts.message import Owner, Value
from contracts.notify import Channel, NotifyPolicy
from contracts.session import Presence
from kit.settings import NotifierSettings
from services.notifier.models import ContactRow, PreferenceRow, WebhookRow

ENDED = "ended"
_APPROVAL = "approval."

Reason = Literal[
    "policy_never",
    "watched",
    "stopped_by_owner",
    "no_channel",
    "unsubscribed",
    "address_refused",
    "too_late",
]
WORDS: dict[str, str] = {
    "policy_never": "The run, or its owner, wants no notification.",
    "watched": "Somebody has seen it.",
    "stopped_by_owner": "Its owner has stopped it, and knows.",
    "no_channel": "No channel is open: e-mail is off, and there is no webhook.",
    "unsubscribed": "The owner wants no e-mail, and has no webhook.",
    "address_refused": "The mail server refuses the owner's address.",
    "too_late": "It was too long ago when the notifier heard of it.",
    "no_address": "No verified e-mail address of the owner is known.",
    "run_gone": "The run was deleted.",
    "webhook_gone": "The webhook was deleted or switched off.",
    "decided": "Somebody has decided meanwhile.",
}
"""What each code says to people."""


class Happened(Value):
    """Something that its owner may want to hear of. `about` is `ended`, or `approval.<step>`."""

    owner: Owner
    run_id: RunId
    about: str = ENDED
    outcome: Literal["completed", "failed", "cancelled"] | None = None
    notify: NotifyPolicy | None = None
    total_ms: int | None = None
    at: datetime


class Wanted(NamedTuple):
    """What is to be done: `policy` holds for it, and `reason` says why it is not told, if that is known already."""

    policy: str
    reason: Reason | None


class Place(NamedTuple):
    """Where something is to be told: `id` of the webhook, or nothing for e-mail; `target` may be found out later."""

    channel: Channel
    id: Id | Literal[""]
    target: str


def about_approval(step: str) -> str:
    """What a notice is about that a step waits for approval."""
    return f"{_APPROVAL}{step}"


def waiting_step(about: str) -> str | None:
    """The step that a notice says to be waiting; None for one about a run's end."""
    return about.removeprefix(_APPROVAL) if about.startswith(_APPROVAL) else None


def wanted(
    happened: Happened, preference: PreferenceRow | None, limits: NotifierSettings, now: datetime
) -> Wanted | None:
    """What the owner wants to hear; None: it is nothing, and nothing worth a line in the list of what was sent."""
    policy = happened.notify or (preference.policy if preference is not None else None) or "when_away"
    least = preference.longer_than_seconds if preference is not None else None
    is_short = (happened.total_ms or 0) < 1000 * (limits.longer_than_seconds if least is None else least)
    asked_for = policy == "always" or happened.notify == "when_away" or happened.about != ENDED
    if is_short and not asked_for:
        return None
    if policy == "never":
        return Wanted(policy, "policy_never")
    if now - happened.at > timedelta(seconds=limits.late_seconds):
        return Wanted(policy, "too_late")
    if policy == "when_away" and happened.outcome == "cancelled":
        return Wanted(policy, "stopped_by_owner")
    return Wanted(policy, None)


def is_watched(about: str, presence: Presence | None) -> bool:
    """Whether it has reached somebody. Of a run's end that is known when it was taken; an open stream may lead to a
    closed laptop. A step waits for days, so that an open stream is enough.
    """
    return presence is not None and (presence.seen or (about != ENDED and presence.watching > 0))


def places(
    preference: PreferenceRow | None, contact: ContactRow | None, webhooks: list[WebhookRow], *, mail: bool
) -> tuple[Place, ...] | Reason:
    """Where to tell it, or why nowhere. An address that is not known yet may come: the session's fact is on its way."""
    found: list[Place] = []
    why: Reason = "no_channel"
    if mail and preference is not None and not preference.email:
        why = "unsubscribed"
    elif mail and contact is not None and contact.refused is not None:
        why = "address_refused"
    elif mail:
        found.append(Place("email", "", contact.email if contact is not None else ""))
    if preference is None or preference.webhook:
        found += [Place("webhook", hook.id, hook.url) for hook in webhooks if hook.enabled]
    return tuple(found) or why


def next_attempt(
    channel: Channel, attempts: int, first_at: datetime, now: datetime, asked: float | None, limits: NotifierSettings
) -> datetime | None:
    """When to try again after so many attempts; None: it is given up. `asked`: seconds, by the other side."""
    if channel == "email":
        delay = min(limits.mail_retry_base_seconds * 2 ** min(attempts - 1, 30), limits.mail_retry_max_seconds)
        at = now + timedelta(seconds=max(delay, asked or 0))
        return at if at - first_at <= timedelta(seconds=limits.mail_give_up_seconds) else None
    if attempts > len(limits.hook_retry_seconds):
        return None
    return now + timedelta(seconds=max(limits.hook_retry_seconds[attempts - 1], asked or 0))
