"""Names as ours may be, made of the predecessor's: values in, values out."""

import re
import unicodedata
from collections.abc import Iterable

RESERVED = frozenset({"inputs", "steps", "userinput"})
MAX_CHARACTERS = 56
"""Leaves room for a number within the 64 of a name."""


def plain(text: str, otherwise: str) -> str:
    """A name of letters, digits, `_` and `-` that begins with a letter or `_`."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", ascii_only.strip()).strip("_")[:MAX_CHARACTERS] or otherwise
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


class Names:
    """Gives every name once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken} | RESERVED

    def take(self, text: str, otherwise: str) -> str:
        """A name for this text; one that is taken gets a number."""
        first = name = plain(text, otherwise)
        number = 1
        while name.lower() in self._taken:
            number += 1
            name = f"{first}_{number}"
        self._taken.add(name.lower())
        return name
