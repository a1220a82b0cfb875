"""What a model is given: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from contracts.content import Image, ToolResult, ToolUse, Turn

Parts = tuple[dict[str, Any], ...]

UNSEEN = "[image]"
"""What is said of an image to a model that cannot see."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the path, as it is stored."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    images: Parts = ()
    tool_calls: Parts = ()
    tool_results: Parts = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What a conversation has before a new message."""

    system: str | None = None
    said: Sequence[Said] = ()
    """The path to the message that the new one follows, oldest first."""
    last_position: int = 0
    waiting: int = 0
    """Runs that wait in the conversation."""
    head_id: str | None = None
    """The newest message that is shown."""
    known: bool = True
    """Whether the message is there that was named."""

    @property
    def end(self) -> Said | None:
        """The message that the new one follows."""
        return self.said[-1] if self.said else None


def turns(past: Past, new: Said | None, *, sees: bool = True) -> tuple[Turn, ...]:
    """The system prompt, what was said, and the new message if there is one.

    A call of a tool is told only with its result: no provider takes one without the other.
    """
    path = [*past.said, *([] if new is None else [new])]
    told = [Turn(role="system", content=past.system)] if past.system else []
    for number, said in enumerate(path):
        following = path[number + 1] if number + 1 < len(path) else None
        turn = _answer(said, following) if said.role == "assistant" else _question(said, sees)
        if turn is not None:
            told.append(turn)
    return tuple(told)


def _answer(said: Said, following: Said | None) -> Turn | None:
    answered = {result["call_id"] for result in following.tool_results} if following else set()
    calls = tuple(ToolUse(**call) for call in said.tool_calls if call["call_id"] in answered)
    return Turn(role="assistant", content=said.content, tool_calls=calls) if said.content or calls else None


def _question(said: Said, sees: bool) -> Turn | None:
    if said.tool_results:
        return Turn(role="tool", results=tuple(ToolResult(**result) for result in said.tool_results))
    images = tuple(Image(**image) for image in said.images) if sees else ()
    content = said.content or (UNSEEN if said.images and not sees else "")
    return Turn(role="user", content=content, images=images) if content or images else None
