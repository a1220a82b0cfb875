"""What of a context fits into a model's window: values in, values out.

Tokens are estimated (contracts/costs.py), so the last word is the provider's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.content import Turn
from contracts.costs import estimated_tokens
from contracts.generation import Parameters
from kit.refusal import Refused

TOKENS_PER_IMAGE = 1_500
"""An allowance: providers count a picture by its size, from some hundred to a few thousand."""
TOKENS_PER_TURN = 4
"""What providers put around each message."""
ANSWER_TOKENS = 4_096
"""Room for an answer whose limit nobody has said."""
LARGEST_ANSWER = 2
"""The answer gets at most this part of the window, whatever its limit: 1 by this."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of a model that matters to its context."""

    tokens: int | None = None
    """Of question and answer together; None: unknown, and nothing is left out."""
    answer_tokens: int | None = None
    sees: bool = True

    def question_tokens(self, parameters: Parameters) -> int | None:
        """How many tokens the context may have."""
        if self.tokens is None:
            return None
        answer = parameters.max_tokens or self.answer_tokens or ANSWER_TOKENS
        tools = estimated_tokens(tool.model_dump_json() for tool in parameters.tools)
        return self.tokens - min(answer, self.tokens // LARGEST_ANSWER) - tools


def window_of(card: dict[str, Any]) -> Window:
    """From a model's card in the catalogue. A card that does not say what the model can is believed to see."""
    can = card.get("capabilities")
    return Window(card.get("context_window"), card.get("max_output_tokens"), can is None or "vision" in can)


def fit(turns: Sequence[Turn], budget: int | None) -> tuple[tuple[Turn, ...], int]:
    """The turns that fit, and how many are left out: the oldest exchanges, whole.

    The system prompt and the last exchange stay: results of tools are of no use without their question. Refused if
    these alone are too long.
    """
    if budget is None:
        return tuple(turns), 0
    begins = [turn for turn in turns if turn.role == "system"]
    exchanges = _exchanges([turn for turn in turns if turn.role != "system"])
    left = budget - _tokens(begins)
    kept: list[Turn] = []
    for number, exchange in enumerate(reversed(exchanges)):
        left -= _tokens(exchange)
        if left < 0:
            if number == 0:
                raise Refused(
                    "context_too_long",
                    f"The message and the system prompt are longer than the {budget} tokens that this model takes.",
                )
            break
        kept = [*exchange, *kept]
    return (*begins, *kept), len(turns) - len(begins) - len(kept)


def _exchanges(turns: Sequence[Turn]) -> list[list[Turn]]:
    """A user's message and all that follows until the next one."""
    found: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "user" or not found:
            found.append([])
        found[-1].append(turn)
    return found


def _tokens(turns: Sequence[Turn]) -> int:
    texts = [turn.content for turn in turns]
    texts += [call.name + call.arguments for turn in turns for call in turn.tool_calls]
    texts += [result.output for turn in turns for result in turn.results]
    images = sum(len(turn.images) for turn in turns)
    return estimated_tokens(texts) + TOKENS_PER_IMAGE * images + TOKENS_PER_TURN * len(turns)
