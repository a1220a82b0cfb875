"""What is told, where, and when it is tried again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.message import Owner
from contracts.session import Presence
from kit.settings import NotifierSettings
from services.notifier import core
from services.notifier.core import Happened, Place, Wanted
from services.notifier.models import ContactRow, PreferenceRow, WebhookRow

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = NotifierSettings(longer_than_seconds=60, late_seconds=3600)
OWNER = {"tenant": "t", "user": "u"}
HOUR_MS, SECOND_MS = 3_600_000, 1_000


def happened(**more: Any) -> Happened:
    values = {"owner": Owner(**OWNER), "run_id": "chat_1", "outcome": "completed", "total_ms": HOUR_MS, "at": NOW}
    return Happened.model_validate({**values, **more})


def preference(**more: Any) -> PreferenceRow:
    return PreferenceRow(**OWNER, **more)


def contact(**more: Any) -> ContactRow:
    return ContactRow(**OWNER, email="ada@example.com", unsubscribe_token="t", seen_at=NOW, **more)


def hook(number: int, **more: Any) -> WebhookRow:
    return WebhookRow(id=f"whk_{number}", **OWNER, url=f"https://h/{number}", secret="s", created_at=NOW, **more)


TOLD, ALWAYS = Wanted("when_away", None), Wanted("always", None)
NEVER = Wanted("never", "policy_never")


@pytest.mark.parametrize(
    ("run", "said", "want"),
    [
        ({}, None, TOLD),
        ({"total_ms": 60 * SECOND_MS}, None, TOLD),
        ({"total_ms": 60 * SECOND_MS - 1}, None, None),
        ({"total_ms": None}, None, None),
        ({"total_ms": SECOND_MS}, {"longer_than_seconds": 1}, TOLD),
        ({"total_ms": SECOND_MS}, {"longer_than_seconds": 0}, TOLD),
        ({"total_ms": HOUR_MS}, {"longer_than_seconds": 7200}, None),
        ({"total_ms": SECOND_MS}, {"policy": "always"}, ALWAYS),
        ({}, {"policy": "never"}, NEVER),
        ({"total_ms": SECOND_MS}, {"policy": "never"}, None),
        ({"notify": "never"}, {"policy": "always"}, NEVER),
        ({"notify": "never", "total_ms": SECOND_MS}, {"policy": "always"}, None),
        ({"notify": "always", "total_ms": 1}, {"policy": "never"}, ALWAYS),
        ({"notify": "when_away", "total_ms": 1}, None, TOLD),
        ({"outcome": "cancelled"}, None, Wanted("when_away", "stopped_by_owner")),
        ({"outcome": "cancelled", "notify": "always"}, None, ALWAYS),
        ({"outcome": "failed"}, None, TOLD),
        ({"at": NOW - timedelta(seconds=3601)}, None, Wanted("when_away", "too_late")),
        ({"at": NOW - timedelta(seconds=3601), "total_ms": 1}, None, None),
        ({"about": "approval.draft", "outcome": None, "total_ms": None}, None, TOLD),
        ({"about": "approval.draft", "outcome": None, "total_ms": None}, {"policy": "never"}, NEVER),
    ],
)
def test_what_the_owner_wants(run: dict[str, Any], said: dict[str, Any] | None, want: Wanted | None) -> None:
    row = None if said is None else preference(**said)
    assert core.wanted(happened(**run), row, LIMITS, NOW) == want


def test_an_end_has_to_be_seen_and_an_approval_only_to_be_watched() -> None:
    opened, seen = Presence(watching=1), Presence(watching=0, seen=True)
    assert [core.is_watched("ended", each) for each in (None, opened, seen)] == [False, False, True]
    assert [core.is_watched("approval.a", each) for each in (None, opened, seen)] == [False, True, True]


MAIL = Place("email", "", "ada@example.com")


@pytest.mark.parametrize(
    ("said", "to", "hooks", "mail", "found"),
    [
        (None, contact(), [], True, (MAIL,)),
        (None, None, [], True, (Place("email", "", ""),)),
        (None, contact(), [], False, "no_channel"),
        ({"email": False}, contact(), [], True, "unsubscribed"),
        ({"email": False}, contact(), [hook(1)], True, (Place("webhook", "whk_1", "https://h/1"),)),
        (None, contact(refused={"code": "c"}), [], True, "address_refused"),
        (None, contact(), [hook(1), hook(2, enabled=False)], True, (MAIL, Place("webhook", "whk_1", "https://h/1"))),
        ({"webhook": False}, contact(), [hook(1)], True, (MAIL,)),
        ({"webhook": False, "email": False}, contact(), [hook(1)], True, "unsubscribed"),
    ],
)
def test_where_it_is_told(
    said: dict[str, Any] | None, to: ContactRow | None, hooks: list[WebhookRow], mail: bool, found: Any
) -> None:
    assert core.places(None if said is None else preference(**said), to, hooks, mail=mail) == found


def waits(channel: Any, limits: NotifierSettings, asked: float | None = None) -> list[float]:
    """The seconds between the attempts at something that never works."""
    found, now = [], NOW
    for attempts in range(1, 1000):
        at = core.next_attempt(channel, attempts, NOW, now, asked, limits)
        if at is None:
            return found
        found.append((at - now).total_seconds())
        now = at
    raise AssertionError("it is never given up")


def test_mails_are_tried_with_growing_waits_until_they_are_given_up() -> None:
    limits = NotifierSettings(mail_retry_base_seconds=5, mail_retry_max_seconds=30, mail_give_up_seconds=100)
    assert waits("email", limits) == [5, 10, 20, 30, 30]
    assert waits("email", limits, asked=50) == [50, 50]


def test_webhooks_are_tried_as_the_settings_say_and_longer_if_asked() -> None:
    limits = NotifierSettings(hook_retry_seconds=(1, 2, 3))
    assert waits("webhook", limits) == [1, 2, 3]
    assert waits("webhook", limits, asked=2.5) == [2.5, 2.5, 3]
    assert sum(waits("webhook", NotifierSettings())) > 24 * 3600, "a day"


def test_every_reason_has_words() -> None:
    reasons = set(core.Reason.__args__)  # type: ignore[attr-defined]
    assert reasons <= core.WORDS.keys()
    assert all(words.endswith(".") for words in core.WORDS.values())


def test_a_step_that_waits_is_found_in_what_a_notice_is_about() -> None:
    assert core.waiting_step(core.about_approval("draft.2")) == "draft.2"
    assert core.waiting_step(core.ENDED) is None


def test_a_claim_that_ends_before_its_attempt_is_refused() -> None:
    with pytest.raises(ValueError, match="CLAIM_SECONDS must be more"):
        NotifierSettings(send_seconds=30, claim_seconds=30)
