"""Turns from what clients send: what belongs together becomes one turn, whatever the dialect."""

from typing import Any, Literal

from contracts.content import Image, ToolResult, ToolUse, Turn
from services.edge.openai.errors import Mistake

MAX_ID = 256
"""Characters of a tool's name and of a call's id, as in contracts/content.py."""


class Turns:
    """Collects turns. Results that follow each other are one turn; so are an assistant's words and its calls."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._names: dict[str, str] = {}
        self._open = False  # the last turn is an assistant's, and calls may be added to it

    def say(self, role: Literal["system", "user", "assistant"], text: str, images: tuple[Image, ...] = ()) -> None:
        """Words of somebody."""
        self._open = False
        self._turns.append(Turn(role=role, content=text, images=images))

    def answer(self, text: str, calls: tuple[ToolUse, ...] = ()) -> None:
        """Words of the assistant, and calls that it asked for with them. The results of calls follow them at once:
        words between are told before.
        """
        if self._open and self._turns[-1].tool_calls:
            last = self._turns[-1]
            self._turns[-1] = last.model_copy(update={"content": last.content + text})
        else:
            self.say("assistant", text)
        self._open = True
        for call in calls:
            self.call(call)

    def call(self, call: ToolUse) -> None:
        """One more call of the assistant."""
        if not self._open:
            self.answer("")
        last = self._turns[-1]
        self._turns[-1] = last.model_copy(update={"tool_calls": (*last.tool_calls, call)})
        self._names[call.call_id] = call.name

    def result(self, call_id: str, output: str, where: str, *, known: bool) -> None:
        """What a tool answered. `known`: the call must stand before it. Raises Mistake."""
        if known and call_id not in self._names:
            raise Mistake(where, f"{where}: no assistant's message before it has a call with this id.")
        self._open = False
        result = ToolResult(call_id=call_id, name=self._names.get(call_id), output=output)
        last = self._turns[-1] if self._turns else None
        if last is not None and last.role == "tool":
            self._turns[-1] = last.model_copy(update={"results": (*last.results, result)})
        else:
            self._turns.append(Turn(role="tool", results=(result,)))

    def all(self, where: str) -> tuple[Turn, ...]:
        """The turns. Raises Mistake if there are none."""
        if not self._turns:
            raise Mistake(where, f"{where} must not be empty.")
        return tuple(self._turns)


def tool_use(call_id: Any, name: Any, arguments: Any, where: str) -> ToolUse:
    """A call as a client repeats it. Raises Mistake."""
    for field, value in (("id", call_id), ("name", name)):
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID:
            raise Mistake(f"{where}.{field}", f"{where}: its {field} must be a text of 1 to {MAX_ID} characters.")
    if not isinstance(arguments, str):
        raise Mistake(f"{where}.arguments", f"{where}: its arguments must be a text, the JSON that the model wrote.")
    return ToolUse(call_id=call_id, name=name, arguments=arguments)
