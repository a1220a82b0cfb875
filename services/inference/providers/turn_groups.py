"""Turns as wires want them that know two sides only: system apart, and each side's turns in one piece."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from contracts.content import ToolUse, Turn


def system_of(turns: Iterable[Turn]) -> str:
    """All instructions together."""
    return "\n\n".join(turn.content for turn in turns if turn.role == "system" and turn.content)


def groups(turns: Sequence[Turn]) -> list[tuple[str, list[Turn]]]:
    """What was said, by whom: `user` (results of tools are theirs, too) and `assistant` take turns."""
    found: list[tuple[str, list[Turn]]] = []
    for turn in turns:
        if turn.role == "system":
            continue
        side = "assistant" if turn.role == "assistant" else "user"
        if found and found[-1][0] == side:
            found[-1][1].append(turn)
        else:
            found.append((side, [turn]))
    return found


def sides(turns: Sequence[Turn], blocks: Callable[[Turn], Iterable[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The same as messages of `blocks`, as Anthropic and Bedrock want them.

    The beginning of an answer must not end with blanks there; see `blanks_of`.
    """
    found = [(side, [block for turn in said for block in blocks(turn)]) for side, said in groups(turns)]
    told: list[dict[str, Any]] = [{"role": side, "content": some} for side, some in found if some]
    if told and told[-1]["role"] == "assistant":
        last = told[-1]["content"][-1]
        if "text" in last:
            last["text"] = last["text"].rstrip()
    return told


def blanks_of(turns: Sequence[Turn]) -> str:
    """The blanks with which the beginning of the answer ends: the model was told it without, and may say them again."""
    begun = turns[-1].content if turns and turns[-1].role == "assistant" else ""
    return begun[len(begun.rstrip()) :]


def tool_names(turns: Iterable[Turn]) -> dict[str, str]:
    """Which tool each call was for: some wires want its name beside the result."""
    return {call.call_id: call.name for turn in turns for call in turn.tool_calls}


def arguments_of(call: ToolUse) -> dict[str, Any]:
    """A call's arguments as an object, which some wires insist on; what is none is kept as a text."""
    try:
        value = msgspec.json.decode(call.arguments or "{}")
    except (ValueError, RecursionError):
        value = call.arguments
    return value if isinstance(value, dict) else {"arguments": value}


def answers_tools(turns: Sequence[Turn]) -> bool:
    """Whether the model is in the middle of a turn: it has asked for tools and now gets their results."""
    return bool(turns) and turns[-1].role == "tool"
