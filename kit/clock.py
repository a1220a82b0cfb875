"""The clock of events and requests."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def utc_now() -> datetime:
    """Now, with a time zone."""
    return datetime.now(UTC)
