"""The cursor of an assistant's run as a UI message: a place in the log, and what the client has by then.

Attempts that are over are one digit for each step, whatever they said; only those that go on say how far they are.
"""

import re
from dataclasses import dataclass, field

from kit.runlog.cursor import Cursor, parse_cursor
from services.edge.wires.ui_cursor import PLACE, STATE, Shown, parse_shown
from services.edge.wires.ui_step import Place

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ATTEMPT = re.compile(rf"_([1-9]\d{{0,3}})\.([1-9]\d?)\.{STATE}", re.ASCII)
_FORM = re.compile(rf"{PLACE}_(\d{{1,6}})\.([0-9a-z]{{0,1000}})((?:{_ATTEMPT.pattern})*)", re.ASCII)


@dataclass
class Over:
    """How many attempts of each step are over, by the step's place in the plan."""

    attempts: dict[int, int] = field(default_factory=dict)

    def add(self, place: Place) -> None:
        """An attempt is over, and so are those before it."""
        step, attempt = place
        self.attempts[step] = max(attempt, self.attempts.get(step, 0))

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and place[1] <= self.attempts.get(place[0], 0)

    def __str__(self) -> str:
        last = max(self.attempts, default=0)
        return "".join(_DIGITS[min(self.attempts.get(step, 0), len(_DIGITS) - 1)] for step in range(1, last + 1))


@dataclass(frozen=True)
class AssistantCursor:
    """`told` counts the run's own events that the client has: they are always told whole and in order."""

    place: Cursor
    tag: str
    told: int
    over: Over
    going: dict[Place, Shown]

    def __str__(self) -> str:
        going = "".join(f"_{step}.{attempt}.{state}" for (step, attempt), state in self.going.items())
        return f"{self.place}-{self.tag}_{self.told}.{self.over}{going}"


def parse_assistant_cursor(text: str) -> AssistantCursor | None:
    """The cursor in a client's text; None if it is none of these."""
    match = _FORM.fullmatch(text.strip())
    place = parse_cursor(match[1]) if match else None
    if match is None or place is None:
        return None
    over = Over({step: _DIGITS.index(digit) for step, digit in enumerate(match[4], start=1) if digit != "0"})
    going = {(int(found[1]), int(found[2])): parse_shown(found.groups()[2:]) for found in _ATTEMPT.finditer(match[5])}
    return AssistantCursor(place, match[2], int(match[3]), over, going)
