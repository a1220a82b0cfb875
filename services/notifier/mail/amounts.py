"""Durations and costs as people say them."""

from decimal import Decimal, InvalidOperation

SECOND_MS = 1000
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
COARSE_SECONDS = 10 * MINUTE
"""From here on nobody cares for seconds."""
DIME, SMALL = Decimal("0.1"), Decimal("0.0001")
MAX_PLACES = 12


def duration(milliseconds: int | None) -> str:
    """E.g. `0.4 s`, `42 s`, `3 min 5 s`, `12 min`, `1 h 4 min`, `2 d 3 h`; nothing if it is not known."""
    if milliseconds is None:
        return ""
    milliseconds = max(milliseconds, 0)
    if milliseconds < 9_950:
        return f"{milliseconds / SECOND_MS:.1f} s"
    seconds = round(milliseconds / SECOND_MS)
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < COARSE_SECONDS:
        return _two(seconds, MINUTE, "min", "s")
    minutes = round(seconds / MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes} min"
    if minutes < DAY // MINUTE:
        return _two(minutes, HOUR // MINUTE, "h", "min")
    return _two(round(minutes * MINUTE / HOUR), DAY // HOUR, "d", "h")


def _two(amount: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, size)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def cost(usd: str | None) -> str:
    """E.g. `$0.000042`, `$0.0123`, `$12.40`; nothing if it is not known, or nothing was paid."""
    try:
        amount = Decimal(usd or 0)
    except InvalidOperation:
        return ""
    if not amount.is_finite() or amount <= 0:
        return ""
    if amount >= DIME:
        return f"${amount:,.2f}"
    places = 4 if amount >= SMALL else min(1 - amount.adjusted(), MAX_PLACES)
    return f"${amount:.{places}f}"
