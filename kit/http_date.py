"""Dates in HTTP headers (RFC 9110, 5.6.7)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_until(text: str, now: datetime) -> float | None:
    """Seconds from now to an HTTP date, negative if it has passed; None for what is no date."""
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:  # "-0000": no zone is known, and HTTP dates are always GMT
            when = when.replace(tzinfo=UTC)
        return (when - now).total_seconds()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
