"""New ids: sortable by time, unguessable enough to be unique, safe in subjects."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, lower case
RANDOM_BITS = 80
_LENGTH = 26


def new_id(prefix: str) -> str:
    """`prefix_` and a ULID in lower case: 48 bits of milliseconds, 80 random bits."""
    return id_at(prefix, time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))


def id_at(prefix: str, at: int, bits: int) -> str:
    """The id of a moment (Unix milliseconds) and of 80 bits, wherever these are from."""
    value = at << RANDOM_BITS | bits
    digits = [_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)]
    return f"{prefix}_{''.join(digits)}"
