"""How long a receiver asks us to wait."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after_seconds(headers: Mapping[str, str], now: datetime, longest: float) -> float | None:
    """Seconds from `Retry-After` (RFC 9110 10.2.3: seconds, or an HTTP date), at most `longest`.

    `headers` must not care for case. What cannot be read is as good as absent: None.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), longest)
    try:
        when = parsedate_to_datetime(text)
        wait = (when if when.tzinfo else when.replace(tzinfo=UTC)) - now  # HTTP dates are always GMT
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return min(max(wait.total_seconds(), 0.0), longest)
