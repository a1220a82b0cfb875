"""How long a provider asks us to wait."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from kit.http_date import seconds_until

MAX_SECONDS = 24 * 3600.0
"""A longer wish is taken as this one, so that no timer overflows."""


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds from `Retry-After` (RFC 9110 10.2.3: seconds or an HTTP date) or OpenAI's `retry-after-ms`.

    `headers` are looked up as given: pass a case-insensitive mapping. What cannot be read is as good as absent: None.
    """
    seconds = _number(headers.get("retry-after-ms"), 0.001)
    if seconds is None:
        text = headers.get("Retry-After")
        seconds = _number(text, 1.0)
        if seconds is None and text:
            seconds = seconds_until(text, now or datetime.now(UTC))
    return None if seconds is None else min(max(seconds, 0.0), MAX_SECONDS)


def _number(text: str | None, unit: float) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value * unit if math.isfinite(value) else None
