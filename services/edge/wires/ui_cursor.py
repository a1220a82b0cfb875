"""The cursor of a UI message stream: a place in the log, and what the client has of its message by then.

The stream's parts have names and must be begun; which one is open depends on how the run was told to this client. So
the cursor says it: the edge keeps nothing, and any other one can go on.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from kit.runlog.cursor import Cursor, parse_cursor
from services.edge.wires.lane import FINISH, OTHER, Kind, Lane
from services.edge.wires.ui_parts import UiParts

_OPEN: dict[str, Kind | None] = {"n": None, "t": "text", "r": "reasoning"}
_FINISH = {"n": None, "s": FINISH["stop"], "l": FINISH["length"], "f": FINISH["content_filter"]}
_FINISH |= {"c": FINISH["tool_calls"], "o": OTHER}
_OPEN_LETTERS = {kind: letter for letter, kind in _OPEN.items()}
_FINISH_LETTERS = {reason: letter for letter, reason in _FINISH.items()}

_NUMBER, _CHECKSUM = r"(\d{1,10})", r"([0-9a-f]{1,8})"
STATE = rf"([ntr]){_NUMBER}([nslfco])-{_NUMBER}\.{_CHECKSUM}-{_NUMBER}\.{_CHECKSUM}"
"""The form of what a client has of one generation; seven groups."""
PLACE = rf"([^-]+-\d{{1,19}})-{_CHECKSUM}"
"""The form of a place in the log and the tag of its run; two groups."""
_FORM = re.compile(rf"{PLACE}-{STATE}", re.ASCII)

Text = tuple[int, int]
"""Of a text that was shown: how long it is, and its checksum."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client has of one generation."""

    open: Kind | None
    parts: int
    finish: str | None
    text: Text
    reasoning: Text

    def __str__(self) -> str:
        state = f"{_OPEN_LETTERS[self.open]}{self.parts}{_FINISH_LETTERS[self.finish]}"
        return f"{state}-{_shown(self.text)}-{_shown(self.reasoning)}"

    def give(self, lane: Lane, parts: UiParts) -> None:
        """Go on from here."""
        parts.open, parts.count, lane.finish = self.open, self.parts, self.finish
        lane.text.length, lane.text.checksum = self.text
        lane.reasoning.length, lane.reasoning.checksum = self.reasoning


def shown(lane: Lane, parts: UiParts) -> Shown:
    """What a client has by now."""
    text, reasoning = lane.text, lane.reasoning
    return Shown(
        parts.open,
        parts.count,
        lane.finish,
        (text.length, text.checksum),
        (reasoning.length, reasoning.checksum),
    )


def parse_shown(groups: Sequence[str]) -> Shown:
    """From the groups of `STATE`."""
    open_, parts, finish, *texts = groups
    return Shown(
        open=_OPEN[open_],
        parts=int(parts),
        finish=_FINISH[finish],
        text=(int(texts[0]), int(texts[1], 16)),
        reasoning=(int(texts[2]), int(texts[3], 16)),
    )


@dataclass(frozen=True, slots=True)
class UiCursor:
    """`tag` names the run: chats are resumed by their own id, and their newest run may be another one by then."""

    place: Cursor
    tag: str
    shown: Shown

    def __str__(self) -> str:
        return f"{self.place}-{self.tag}-{self.shown}"


def parse_ui_cursor(text: str) -> UiCursor | None:
    """The cursor in a client's text; None if it is none of these."""
    match = _FORM.fullmatch(text.strip())
    place = parse_cursor(match[1]) if match else None
    if match is None or place is None:
        return None
    return UiCursor(place, match[2], parse_shown(match.groups()[2:]))


def tag_of(name: str) -> str:
    """A run, or a lane, in a cursor."""
    return f"{zlib.crc32(name.encode()):x}"


def _shown(text: Text) -> str:
    return f"{text[0]}.{text[1]:x}"
