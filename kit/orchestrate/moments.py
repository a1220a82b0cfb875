"""Moments as tables have them, and as events do: values in, values out."""

from datetime import UTC, datetime

_MILLISECONDS_PER_SECOND = 1000


def milliseconds(moment_: datetime) -> int:
    """Unix milliseconds of a moment."""
    return round(moment_.timestamp() * _MILLISECONDS_PER_SECOND)


def took(since: datetime, until: datetime | None) -> int | None:
    """Milliseconds from one moment to another, never less than none: two processes may have looked at two clocks."""
    return None if until is None else max(0, milliseconds(until) - milliseconds(since))


def moment(at: int) -> datetime:
    """The moment of Unix milliseconds."""
    return datetime.fromtimestamp(at / _MILLISECONDS_PER_SECOND, UTC)
