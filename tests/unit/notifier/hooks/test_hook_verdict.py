"""What a receiver's status means for the next attempt, and how long it may ask us to wait."""

from datetime import UTC, datetime

import pytest

from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks.retry_after import retry_after_seconds
from services.notifier.hooks.verdict import judge

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LONGEST = 3_600.0


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int) -> None:
    judge(status, {}, NOW, LONGEST)


@pytest.mark.parametrize("status", [101, 300, 301, 302, 307, 308, 400, 401, 403, 404, 413, 429, 500, 503, 599, 600])
def test_may_be_mended(status: int) -> None:
    with pytest.raises(LaterError) as caught:
        judge(status, {}, NOW, LONGEST)
    assert caught.value.code == "webhook_status"
    assert str(status) in str(caught.value)
    assert caught.value.after_seconds is None


def test_gone_is_gone() -> None:
    with pytest.raises(NeverError) as caught:
        judge(410, {}, NOW, LONGEST)
    assert (caught.value.code, caught.value.target_is_bad) == ("webhook_gone", True)


@pytest.mark.parametrize(("status", "wait"), [(429, 7.0), (503, 7.0), (500, None), (302, None)])
def test_waiting_is_asked_for_by_two(status: int, wait: float | None) -> None:
    with pytest.raises(LaterError) as caught:
        judge(status, {"Retry-After": "7"}, NOW, LONGEST)
    assert caught.value.after_seconds == wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("999999999", LONGEST),
        ("Fri, 27 Nov 2026 12:01:30 GMT", 90.0),
        ("Friday, 27-Nov-26 12:01:30 GMT", 90.0),
        ("Fri, 27 Nov 2026 12:01:30 -0000", 90.0),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 27 Nov 2027 12:00:00 GMT", LONGEST),
        ("", None),
        ("-1", None),
        ("1e9", None),
        ("inf", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        ("Fri, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_seconds({"Retry-After": text}, NOW, LONGEST) == seconds


def test_nobody_asks() -> None:
    assert retry_after_seconds({}, NOW, LONGEST) is None
