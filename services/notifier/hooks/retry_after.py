"""How long a receiver asks us to wait."""

import re
from collections.abc import Mapping
from datetime import datetime

from kit.http_date import seconds_until

_SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after_seconds(headers: Mapping[str, str], now: datetime, longest: float) -> float | None:
    """Seconds from `Retry-After` (RFC 9110 10.2.3: seconds, or an HTTP date), at most `longest`.

    `headers` must not care for case. What cannot be read is as good as absent: None.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), longest)
    wait = seconds_until(text, now)
    return None if wait is None else min(max(wait, 0.0), longest)
