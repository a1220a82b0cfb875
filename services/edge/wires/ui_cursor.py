"""The cursor of a UI message stream: a place in the log, and what the client has of its message by then.

The stream's parts have names and must be begun; which one is open depends on how the run was told to this client. So
the cursor says it: the edge keeps nothing, and any other one can go on.
"""

import re
import zlib
from dataclasses import dataclass

from kit.runlog.cursor import Cursor, parse_cursor
from services.edge.wires.telling import FINISH, OTHER, Kind

_OPEN: dict[str, Kind | None] = {"n": None, "t": "text", "r": "reasoning"}
_FINISH = {"n": None, "s": FINISH["stop"], "l": FINISH["length"], "f": FINISH["content_filter"]}
_FINISH |= {"c": FINISH["tool_calls"], "o": OTHER}
_OPEN_LETTERS = {kind: letter for letter, kind in _OPEN.items()}
_FINISH_LETTERS = {reason: letter for letter, reason in _FINISH.items()}

_NUMBER, _CHECKSUM = r"(\d{1,10})", r"([0-9a-f]{1,8})"
_FORM = re.compile(
    rf"([^-]+-\d{{1,19}})-{_CHECKSUM}-([ntr]){_NUMBER}([nslfco])-{_NUMBER}\.{_CHECKSUM}-{_NUMBER}\.{_CHECKSUM}",
    re.ASCII,
)

Shown = tuple[int, int]
"""Of a text that was shown: how long it is, and its checksum."""


@dataclass(frozen=True, slots=True)
class UiCursor:
    """`tag` names the run: chats are resumed by their own id, and their newest run may be another one by then."""

    place: Cursor
    tag: str
    open: Kind | None
    parts: int
    finish: str | None
    text: Shown
    reasoning: Shown

    def __str__(self) -> str:
        state = f"{_OPEN_LETTERS[self.open]}{self.parts}{_FINISH_LETTERS[self.finish]}"
        return f"{self.place}-{self.tag}-{state}-{_shown(self.text)}-{_shown(self.reasoning)}"


def parse_ui_cursor(text: str) -> UiCursor | None:
    """The cursor in a client's text; None if it is none of these."""
    match = _FORM.fullmatch(text.strip())
    place = parse_cursor(match[1]) if match else None
    if match is None or place is None:
        return None
    _, tag, open_, parts, finish, *shown = match.groups()
    return UiCursor(
        place=place,
        tag=tag,
        open=_OPEN[open_],
        parts=int(parts),
        finish=_FINISH[finish],
        text=(int(shown[0]), int(shown[1], 16)),
        reasoning=(int(shown[2]), int(shown[3], 16)),
    )


def tag_of(run_id: str) -> str:
    """A run in a cursor."""
    return f"{zlib.crc32(run_id.encode()):x}"


def _shown(shown: Shown) -> str:
    return f"{shown[0]}.{shown[1]:x}"
