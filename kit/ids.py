"""New ids: sortable by time, unguessable enough to be unique, safe in subjects."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, lower case
_RANDOM_BITS = 80
_LENGTH = 26


def new_id(prefix: str) -> str:
    """`prefix_` and a ULID in lower case: 48 bits of milliseconds, 80 random bits."""
    value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    digits = [_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return f"{prefix}_{''.join(digits)}"
