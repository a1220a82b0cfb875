"""Going on with an answer that another worker began: values in, values out.

How depends on the model (`continuation:` in the catalogue). `prefill`: the text goes back as the beginning of the
answer, and the model goes on in mid-word. `reattach`: the provider has kept the answer and tells it again, nothing is
paid for twice. `continue`: a turn asks to go on where the text stops; models like to repeat
its last words first, which are trimmed. `restart`: from the beginning, when neither is possible or there is no text
yet.

Two kinds of answers can only be reattached to or begun again. One that has tool calls: after those every wire wants
their results and nothing else, so there is no way to say "you had asked for this already", and to leave the calls out
would get them asked for twice. And one that has to be of a certain form (`response_format`): the model server holds
every answer to the whole form, so a second half would be a second whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.content import Turn
from services.inference.cards import Continuation
from services.inference.pickup import Past
from services.inference.providers.base import Chunk, Reasoning, Text, ToolCall

Mode = Literal["reattach", "prefill", "continue", "restart"]

GO_ON = (
    "Your answer was interrupted. Go on exactly where it stops, in the same words and format. "
    "Do not repeat anything of it, do not greet, do not comment on the interruption."
)

MAX_OVERLAP_CHARACTERS = 400
"""How far back a model's repetition is looked for."""
MIN_OVERLAP_CHARACTERS = 8
"""Shorter repetitions happen by chance."""
MIN_BROKEN_WORD_CHARACTERS = 2
"""Unless they are the beginning of a word in which the text breaks off, and which the model says again as a whole."""


@dataclass(frozen=True, slots=True)
class Continuing:
    """How to go on, and with what."""

    mode: Mode
    text: str = ""
    reference: str | None = None


def plan(continuation: Continuation, past: Past, *, formed: bool = False) -> Continuing:
    """How a model goes on with this much of an answer; `formed`: it has to be of a certain form."""
    if continuation == "reattach" and past.reference is not None:
        return Continuing("reattach", past.text, past.reference)
    if not past.text or past.tool_calls or formed:  # thinking alone cannot be continued
        return Continuing("restart")
    match continuation:
        case "prefill":
            return Continuing("prefill", past.text)
        case "continue" | "reattach":
            return Continuing("continue", past.text)
        case "restart":
            return Continuing("restart")


def turns(asked: Sequence[Turn], going_on: Continuing) -> Sequence[Turn]:
    """The context for the model."""
    beginning = Turn(role="assistant", content=going_on.text)
    match going_on.mode:
        case "prefill":
            return [*asked, beginning]
        case "continue":
            return [*asked, beginning, Turn(role="user", content=GO_ON)]
        case "restart" | "reattach":
            return asked


class OverlapTrimmer:
    """Drops the words with which a model repeats the end of the text before it goes on.

    Holds back what may still be a repetition; the rest of the stream passes untouched.
    """

    def __init__(self, text: str) -> None:
        self._end = text[-MAX_OVERLAP_CHARACTERS:]
        self._held = ""
        self._done = False

    def take(self, piece: str) -> str:
        """What of the new text is new so far."""
        if self._done:
            return piece
        self._held += piece
        if self._held in self._end:  # all of it may be a repetition
            return ""
        self._done = True
        return self._held[self._overlap() :]

    def rest(self) -> str:
        """What was held back, at the end of the stream."""
        held, self._held, done, self._done = self._held, "", self._done, True
        return "" if done or self._end.endswith(held) else held

    def _overlap(self) -> int:
        for size in range(min(len(self._held), len(self._end)), MIN_OVERLAP_CHARACTERS - 1, -1):
            if self._end.endswith(self._held[:size]):
                return size
        broken = re.split(r"\s", self._end)[-1]
        again = len(broken) >= MIN_BROKEN_WORD_CHARACTERS and self._held.startswith(broken)
        return len(broken) if again and not self._held[len(broken)].isspace() else 0


class Repetition:
    """Drops what a kept answer, told again from its start, has of the words that are there already."""

    def __init__(self, past: Past) -> None:
        self._text, self._reasoning = len(past.text), len(past.reasoning)
        self._calls = {call.call_id for call in past.tool_calls}

    def new(self, chunk: Chunk) -> Chunk | None:
        """What of a chunk is new."""
        match chunk:
            case Text(text):
                self._text, rest = _skipped(text, self._text)
                return Text(rest) if rest else None
            case Reasoning(text):
                self._reasoning, rest = _skipped(text, self._reasoning)
                return Reasoning(rest) if rest else None
            case ToolCall(call_id) if call_id in self._calls:
                return None
        return chunk


def _skipped(text: str, skip: int) -> tuple[int, str]:
    """How much is still to be skipped after a text, and what is left of it."""
    return max(0, skip - len(text)), text[skip:]
