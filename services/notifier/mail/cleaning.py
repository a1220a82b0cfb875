"""Texts that users and models made up, without what could break a mail or show it as something else."""

import re
import unicodedata

ELLIPSIS = "…"
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls
    "\ud800-\udfff"  # halves of a surrogate pair: no text that can be encoded
    "\u202a-\u202e\u2066-\u2069"  # what turns round the text after it (Trojan Source, CVE-2021-42574)
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"  # marks that nobody sees
)
_JOINERS = {"\u200c", "\u200d"}
"""Invisible, and yet part of words (Persian) and of emoji."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Cn"}


def clean(text: str) -> str:
    """A text of several lines; every line ends with LF."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str, limit: int) -> str:
    """A text on one line with at most `limit` characters, cut at a word if possible; without anything invisible."""
    seen = (
        letter
        for letter in _LINE_ENDS.sub(" ", text)
        if letter in _JOINERS or letter.isspace() or unicodedata.category(letter) not in _INVISIBLE
    )
    line = " ".join("".join(seen).split()).strip("\u200c\u200d")
    if len(line) <= limit:
        return line
    head = whole_letters(line, limit - 1)
    word = head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head
    return word.rstrip() + ELLIPSIS


def whole_letters(text: str, limit: int) -> str:
    """The beginning of a text, not cut between a letter and its accents or inside a joined emoji."""
    end = min(limit, len(text))
    while 0 < end < len(text) and (_continues(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end] if end else text[:limit]


def _continues(letter: str) -> bool:
    return letter == "\u200d" or bool(unicodedata.combining(letter)) or unicodedata.category(letter) in {"Mn", "Me"}
