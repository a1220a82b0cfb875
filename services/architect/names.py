"""The names that a step may use: values in, sentences out."""

from collections.abc import Mapping
from typing import NamedTuple

from contracts.assistant import FieldKind
from services.architect.problems import quoted
from services.architect.variables import INPUTS, OF_FILE, OF_STEP, target

MAX_LISTED = 30
"""Names in a sentence."""
MAX_CHARACTERS = 64
"""Of a name there; a longer one is refused as such."""


class Names(NamedTuple):
    """What there is for one step."""

    fields: Mapping[str, FieldKind]
    steps: frozenset[str]
    before: tuple[str, ...]
    """Those of the steps that come before."""

    def problem_of(self, path: str, mapped: Mapping[str, str]) -> str | None:
        """Why a path cannot be used; None if it can."""
        found = target(path, mapped, self.fields, self.steps)
        if found is None:
            return f"there is no such variable. {self._there_is(mapped)}"
        if found.kind == INPUTS:
            kind = self.fields[found.name]
            if found.part and (kind != "file" or found.part not in OF_FILE):
                parts = f" It has {_joined(OF_FILE)}." if kind == "file" else ""
                return f"the field {found.name!r} has no {quoted(found.part)}.{parts}"
            return None
        if found.name not in self.before:
            return f"the step {found.name!r} does not come before. {self._there_is(mapped)}"
        if not found.part:
            return f"write `{found.name}.output` for the answer of this step."
        return None if found.part in OF_STEP else f"a step has no {quoted(found.part)}. It has {_joined(OF_STEP)}."

    def _there_is(self, mapped: Mapping[str, str]) -> str:
        there = [*(name[:MAX_CHARACTERS] for name in mapped), *self.fields, *(f"{name}.output" for name in self.before)]
        return f"There is: {_joined(there)}." if there else "There is none."


def _joined(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:MAX_LISTED]) + (" …" if len(names) > MAX_LISTED else "")
