"""Moments as tables have them, and as events do: values in, values out."""

from datetime import UTC, datetime

_MILLISECONDS_PER_SECOND = 1000


def milliseconds(moment_: datetime) -> int:
    """Unix milliseconds of a moment."""
    return round(moment_.timestamp() * _MILLISECONDS_PER_SECOND)


def moment(at: int) -> datetime:
    """The moment of Unix milliseconds."""
    return datetime.fromtimestamp(at / _MILLISECONDS_PER_SECOND, UTC)
