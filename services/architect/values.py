"""What a path leads to in a run: inputs as they were given, steps as they ended. Values in, values out."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from contracts.content import Turn
from services.architect.variables import STEPS, target

Value = str | list[str]


class Done(NamedTuple):
    """How a step has ended. `turns`: what its model was asked."""

    output: str
    status: str
    error: str = ""
    turns: tuple[Turn, ...] = ()


NOT_YET = Done("", "waiting")


class Known(NamedTuple):
    """All that a step may use."""

    mapped: Mapping[str, str]
    steps: Collection[str]
    values: Mapping[str, Any]
    done: Mapping[str, Done]

    def value(self, path: str) -> Value:
        """What a path stands for; what is absent is the empty text."""
        found = target(path, self.mapped, self.values, self.steps)
        if found is None:
            return ""
        if found.kind == STEPS:
            ended = self.done.get(found.name, NOT_YET)
            return {"output": ended.output, "status": ended.status, "error": ended.error}.get(found.part, "")
        return _given(self.values[found.name], found.part)

    def text(self, path: str) -> str:
        """The same as a text: what was chosen is joined by commas."""
        value = self.value(path)
        return value if isinstance(value, str) else ", ".join(value)


def _given(value: Any, part: str) -> Value:
    if isinstance(value, str):
        return "" if part else value
    if not value or not isinstance(value[0], Mapping):
        return list(value) if value else ("" if part else [])
    if part == "name":
        return ", ".join(file["name"] for file in value)
    if len(value) == 1:
        return str(value[0]["text"])
    return "\n\n".join(f"## {file['name']}\n\n{file['text']}" for file in value)
