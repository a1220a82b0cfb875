"""Whether a question fits into a model: values in, values out.

Tokens are estimated (contracts/costs.py), so the last word is the provider's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts import events
from contracts.content import Turn
from contracts.costs import estimated_tokens
from contracts.generation import Parameters

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
    """Of question and answer together; None: unknown, and everything fits."""
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


def tokens_of(turns: Sequence[Turn]) -> int:
    """Roughly how many tokens some turns are."""
    texts = [turn.content for turn in turns]
    texts += [call.name + call.arguments for turn in turns for call in turn.tool_calls]
    texts += [result.output for turn in turns for result in turn.results]
    images = sum(len(turn.images) for turn in turns)
    return estimated_tokens(texts) + TOKENS_PER_IMAGE * images + TOKENS_PER_TURN * len(turns)


def misfit(turns: Sequence[Turn], window: Window, parameters: Parameters) -> events.Error | None:
    """Why a model cannot be asked just this, with nothing left out; None if it can."""
    if not window.sees and any(turn.images for turn in turns):
        return events.Error("images_not_supported", "This model cannot see images.")
    budget = window.question_tokens(parameters)
    if budget is not None and tokens_of(turns) > budget:
        return events.Error(
            "context_too_long", f"The conversation is longer than the {budget} tokens that this model takes."
        )
    return None
