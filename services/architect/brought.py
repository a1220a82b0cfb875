"""Assistants that come from a file, before they are checked and stored: values in, values out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from contracts.assistant import Definition
from kit.refusal import Refused

MAX_PLACES = 5
"""Named in one refusal."""
QUOTED_CHARACTERS = 100
"""Of something from the file, in what is said about it."""


class Brought(NamedTuple):
    """One assistant of a file. `place`: where it is in the file."""

    place: str
    name: str
    description: str
    definition: Definition
    warnings: tuple[str, ...] = ()


class Models:
    """Which model of ours takes the place of one that a file names."""

    def __init__(self, given: Mapping[str, str], offered: Sequence[str]) -> None:
        self._given, self._offered = given, offered

    def known(self, name: str) -> str | None:
        """The model that was given for a name, or the one that has it; None if there is neither."""
        return self._given.get(name) or (name if name in self._offered else None)

    def instead(self, name: str, warnings: list[str], step: str) -> str:
        """The model for a step, with a warning if it is just the first there is. Raises Refused."""
        if (known := self.known(name)) is not None:
            return known
        if not self._offered:
            raise Refused("unavailable", "Nobody can tell which models there are. Try again in a moment.")
        first = self._offered[0]
        asked = f"There is no model {shortened(name)!r}" if name else "No model is named"
        warnings.append(f"Step {step!r}: {asked}; {first!r} takes its place.")
        return first


def shortened(text: str) -> str:
    """The beginning of something that may be long."""
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[: QUOTED_CHARACTERS - 1]}…"


def not_importable(place: str, why: str) -> Refused:
    """A refusal that names the place in the file."""
    return Refused("not_importable", f"{place}: {why}" if place else why)


def invalid(error: ValidationError, place: str = "") -> Refused:
    """A refusal that names the first places where a file is not as it should be."""
    told = []
    for problem in error.errors(include_url=False, include_input=False)[:MAX_PLACES]:
        where = place
        for part in problem["loc"]:
            where += f"[{part}]" if isinstance(part, int) else f".{shortened(part)}" if where else shortened(part)
        told.append(f"{where}: {problem['msg']}")
    return not_importable("", "; ".join(told))
