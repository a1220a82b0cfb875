"""Variables and conditions as the reference understands them: written from the rules, not from the product."""

import re
from collections.abc import Mapping
from typing import Any

_PATH = r"\s*([\w-]+(?:\.[\w-]+)*)\s*"
PLACE = re.compile(rf"\\(\$\{{|\{{\{{)|\$\{{{_PATH}\}}|\{{\{{{_PATH}\}}\}}")
CONDITION = re.compile(r"\s*([\w.-]+)\s*(==|!=)\s*'([^']*)'\s*")


class Lookup:
    """What names stand for when a step begins: inputs, steps that have ended, and names of the step's own."""

    def __init__(
        self, inputs: Mapping[str, Any], steps: Mapping[str, Mapping[str, str]], own: Mapping[str, str]
    ) -> None:
        """`steps`: of each its `output`, `status` and `error`."""
        self._inputs, self._steps, self._own = inputs, steps, own

    def text(self, path: str) -> str:
        """The text of a path. Raises LookupError."""
        if path in self._own:
            path = self._own[path]
        head, *rest = path.split(".")
        if head in ("inputs", "userInput"):
            return self._of_input(rest[0], rest[1:])
        if head == "steps":
            return self._of_step(rest[0], rest[1:])
        return self._of_input(head, rest) if head in self._inputs else self._of_step(head, rest)

    def _of_input(self, name: str, rest: list[str]) -> str:
        value = self._inputs[name]
        if isinstance(value, Mapping):  # a file
            return str(value[rest[0] if rest else "text"])
        if rest:
            raise LookupError(f"{name} has no {rest}")
        return "" if value is None else value if isinstance(value, str) else ", ".join(value)

    def _of_step(self, name: str, rest: list[str]) -> str:
        (part,) = rest
        return self._steps[name][part]


def fill(text: str, lookup: Lookup) -> str:
    """The text with its variables put in; what is put in is not looked at again."""

    def put(found: re.Match[str]) -> str:
        return found[1] or lookup.text(found[2] or found[3])

    return PLACE.sub(put, text)


def holds(condition: str, lookup: Lookup) -> bool:
    """Whether `path == 'text'` or `path != 'text'` is so. Raises ValueError for anything else."""
    found = CONDITION.fullmatch(condition)
    if found is None:
        raise ValueError(f"the reference does not know this condition: {condition}")
    return (lookup.text(found[1]) == found[3]) == (found[2] == "==")
