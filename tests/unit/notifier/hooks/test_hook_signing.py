"""Calls are signed so that the convention's reference library believes them."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifier.hooks.signing import new_secret, signed_headers
from services.notifier.models import WebhookRow

BODY = '{"type":"test","text":"ä€😀"}'.encode()
SECRET, EARLIER = new_secret(), new_secret()


@pytest.fixture
def now() -> datetime:
    """The library believes only what was signed a few minutes ago."""
    return datetime.now(UTC)


def hook(earlier_until: datetime | None = None) -> WebhookRow:
    earlier = EARLIER if earlier_until else None
    return WebhookRow(
        id="h",
        tenant="t",
        user="u",
        url="https://example.com",
        secret=SECRET,
        earlier_secret=earlier,
        earlier_until=earlier_until,
        created_at=datetime.now(UTC),
    )


def test_a_secret_is_long_and_never_the_same() -> None:
    assert SECRET.startswith("whsec_")
    assert len(b64decode(SECRET.removeprefix("whsec_"), validate=True)) == 32
    assert SECRET != EARLIER


def test_the_library_believes_it(now: datetime) -> None:
    headers = signed_headers(hook(), "msg_1", BODY, now)
    assert Webhook(SECRET).verify(BODY, headers) == {"type": "test", "text": "ä€😀"}
    assert headers["webhook-id"] == "msg_1"


def test_whatever_the_zone_of_the_clock(now: datetime) -> None:
    headers = signed_headers(hook(), "msg_1", BODY, now.astimezone(timezone(timedelta(hours=5))))
    assert headers == signed_headers(hook(), "msg_1", BODY, now)
    Webhook(SECRET).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_what_was_changed_on_the_way_is_not_believed(changed: str, now: datetime) -> None:
    headers = signed_headers(hook(), "msg_1", BODY, now)
    if changed in headers:
        headers[changed] = str(int(headers[changed]) + 1) if changed == "webhook-timestamp" else "msg_2"
    body = BODY.replace(b"test", b"fake") if changed == "body" else BODY
    with pytest.raises(WebhookVerificationError):
        Webhook(EARLIER if changed == "secret" else SECRET).verify(body, headers)


def test_both_secrets_are_believed_in_the_overlap(now: datetime) -> None:
    headers = signed_headers(hook(now + timedelta(seconds=1)), "msg_1", BODY, now)
    assert len(headers["webhook-signature"].split(" ")) == 2
    Webhook(SECRET).verify(BODY, headers)
    Webhook(EARLIER).verify(BODY, headers)


def test_only_the_new_one_after_it(now: datetime) -> None:
    headers = signed_headers(hook(now), "msg_1", BODY, now)
    Webhook(SECRET).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(EARLIER).verify(BODY, headers)
