"""Texts that are too long for a mail: how much of each is told, and where it is cut."""

import re
from collections.abc import Sequence

from services.notifier.mail.cleaning import whole_letters

_FENCE = re.compile(r"^(?P<before>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})(?P<after>.*)$")
_PLACES = (re.compile(r"\n[ \t]*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s|(?<=[。！？])"), re.compile(r"\s"))
"""Where a text may be cut, the best first: after a paragraph, a line, a sentence, a word."""
FARTHEST_BACK = 0.6
"""A good place is looked for in what comes after this share of the limit."""


def shares(lengths: Sequence[int], limit: int) -> list[int]:
    """How many characters of each text are told, `limit` in all: short ones whole, the others as much as each other."""
    given = [0] * len(lengths)
    left = limit
    for rank, place in enumerate(sorted(range(len(lengths)), key=lambda place: lengths[place])):
        given[place] = min(lengths[place], left // (len(lengths) - rank))
        left -= given[place]
    return given


def cut(text: str, limit: int) -> str:
    """The beginning of a text in Markdown with at most `limit` characters; a block of code that is cut is closed."""
    if len(text) <= limit:
        return text
    head = whole_letters(text, limit)
    for place in _PLACES:
        ends = [found.start() for found in place.finditer(head, int(limit * FARTHEST_BACK))]
        if ends:
            head = head[: ends[-1]]
            break
    return _closed(head.rstrip())


def _closed(text: str) -> str:
    """With an end for the block of code in which it ends."""
    open_fence, indent = "", ""
    lines = text.split("\n")
    for line in lines:
        if (found := _FENCE.match(line)) is None:
            continue
        fence, after = found["fence"], found["after"]
        if not open_fence:
            if fence[0] == "~" or "`" not in after:
                open_fence, indent = fence, re.sub(r"[^ \t>]", " ", found["before"])
        elif fence[0] == open_fence[0] and len(fence) >= len(open_fence) and not after.strip():
            open_fence = ""
    return f"{text}\n{indent}{open_fence}" if open_fence else text
