"""What the demo models do with tools: they call one when they are told to, and tell what it answered."""

import json
import re
from collections.abc import Callable, Iterator

from contracts.content import ToolChoice
from services.inference.providers.scripts import Call, Conversation, Step, quote, say

COMMAND = re.compile(r"\bcall the tool ([\w-]+(?:[.:][\w-]+)*)(?:\s+with\s+(?={))?", re.IGNORECASE)
"""`call the tool weather with {"city": "Bern"}`; several in one message are several calls."""

Script = Callable[[Conversation], Iterator[Step]]


def with_tools(script: Script, choice: ToolChoice | None) -> Script:
    """The same script for somebody who may have tools, or their results."""

    def steps(talk: Conversation) -> Iterator[Step]:
        if talk.results:
            return say(_of_results(talk))
        calls = asked_calls(talk, choice or ToolChoice())
        return _calling(calls) if calls else script(talk)

    return steps


def asked_calls(talk: Conversation, choice: ToolChoice) -> list[Call]:
    """The calls that the last message asks for, as far as such tools were given; one if there has to be one."""
    names = [tool.name for tool in talk.tools]
    if choice.mode == "none" or not names:
        return []
    calls = [
        Call(match.group(1), _json_at(talk.last, match.end()))
        for match in COMMAND.finditer(talk.last)
        if match.group(1) in names and choice.name in (None, match.group(1))
    ]
    if not calls and choice.mode != "auto":
        calls = [Call(choice.name or names[0], "{}")]
    return calls


def _calling(calls: list[Call]) -> Iterator[Step]:
    yield from say(f"I ask {' and '.join(f'the tool {call.name}' for call in calls)}.")
    yield from calls


def _of_results(talk: Conversation) -> str:
    told = " ".join(
        f"The tool {result.name or result.call_id} {'failed' if result.failed else 'answered'}: {quote(result.output)}."
        for result in talk.results
    )
    return f"{told} You had said {quote(talk.last)}. I am a demo model, so I only repeat it."


def _json_at(text: str, position: int) -> str:
    """The JSON object that stands there, as it was written; an empty one if there is none."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, position)
    except ValueError:
        return "{}"
    found = text[position:end]
    return found if found.startswith("{") else "{}"
