"""Signing calls by the Standard Webhooks convention, with its reference library."""

import secrets
from base64 import b64encode
from datetime import UTC, datetime

from standardwebhooks import Webhook

from services.notifier.models import WebhookRow

SECRET_PREFIX = "whsec_"  # noqa: S105  (what secrets begin with)
SECRET_BYTES = 32
"""The convention asks for 24 to 64."""


def new_secret() -> str:
    """A secret as its owner is shown it, once."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(hook: WebhookRow, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which a receiver knows that a call is ours and new.

    For a time after a rotation there are two signatures, so that the receiver may change its secret at any moment.
    """
    moment = now.astimezone(UTC)  # the library takes any moment's digits for UTC
    signatures = [Webhook(secret).sign(event_id, moment, body.decode()) for secret in _secrets(hook, now)]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _secrets(hook: WebhookRow, now: datetime) -> list[str]:
    if hook.earlier_secret is None or hook.earlier_until is None or hook.earlier_until <= now:
        return [hook.secret]
    return [hook.secret, hook.earlier_secret]
