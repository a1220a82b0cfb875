"""What an answer has used and cost, over all calls it took.

Exact if one call brought it and the provider said so. Otherwise it is estimated from the texts and marked so: what was
stopped, broke off or was gone on with was paid for, but no provider tells.
"""

import msgspec

from contracts import events
from contracts.costs import Prices, cost_usd, estimated_usage
from services.inference.pickup import Past
from services.inference.providers.base import Usage
from services.inference.question import Weight


class Bill:
    """Counts the calls of one answer."""

    def __init__(self, past: Past) -> None:
        self.asked = Weight()
        """The question, for which every call is charged."""
        self._dropped = past.dropped  # words that nobody sees any more
        # An attempt that wrote nothing was most likely refused, and then it costs nothing.
        self._earlier = past.attempts if past.begun or past.dropped else 0
        self._open = False
        self._before = ""

    def call(self, mode: str, before: str) -> None:
        """A call goes out, with so many words there already. To take up a kept answer again costs nothing."""
        if self._open:
            self._earlier += 1
        self._before = before
        if mode == "reattach":
            self._earlier = max(0, self._earlier - 1)
            self._before = ""
        self._open = True

    def refused(self) -> None:
        """The call brought nothing at all."""
        self._open = False

    def drop(self, words: str) -> None:
        """Words that are begun again."""
        self._dropped += words
        self._before = ""

    def usage(self, told: Usage | None, text: str, reasoning: str) -> events.Usage:
        """What was used so far; `told` is what the provider says of the last call."""
        if told is None:
            return self._guess(self._dropped + text, reasoning, self._earlier + self._open)
        exact = events.Usage(told.input_tokens, told.output_tokens, told.reasoning_tokens, told.cached_input_tokens)
        if not self._earlier:
            return exact
        guess = self._guess(self._dropped + self._before, "", self._earlier)
        return msgspec.structs.replace(
            exact,
            input_tokens=exact.input_tokens + guess.input_tokens,
            output_tokens=exact.output_tokens + guess.output_tokens,
            estimated=True,
        )

    def _guess(self, text: str, reasoning: str, calls: int) -> events.Usage:
        return estimated_usage(self.asked.texts, text, reasoning, calls=calls, images=self.asked.images)

    @staticmethod
    def cost(prices: Prices, usage: events.Usage) -> str:
        """USD, as a decimal number in plain digits."""
        return format(cost_usd(prices, usage), "f")
