"""Which model is called next, until the answer is there or nothing is left to try."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from contracts import events
from kit.settings import InferenceSettings
from services.inference import continuation, tries
from services.inference.answer import Answer
from services.inference.attempt import Attempt
from services.inference.cards import ModelCard
from services.inference.pickup import Begin, Past
from services.inference.tries import Failure


@dataclass(frozen=True, slots=True)
class Next:
    """Another call, after so many seconds, and what those who wait are told."""

    attempt: Attempt
    delay: float
    code: str
    started: bool
    """It is a new attempt or another model: the lane is told who begins."""


class Calls:
    """The calls of one generation."""

    def __init__(
        self, cards: Sequence[ModelCard], begin: Begin, settings: InferenceSettings, *, formed: bool = False
    ) -> None:
        """`cards` are the models in the order in which they are asked; `formed`: see `continuation.plan`."""
        self._cards, self._settings = list(cards), settings
        self._formed = formed
        self._fruitless = 0
        self._interruptions = 0
        self.first = Attempt(begin.attempt, self._cards[0], self._going_on(begin.past))

    def after(self, last: Attempt, failure: Failure, answer: Answer) -> Next | events.Error:
        """What follows a failed call; an error if nothing does."""
        self._fruitless = 1 if answer.grew else self._fruitless + 1
        self._interruptions += answer.grew
        if not answer.grew:
            answer.bill.refused()
        tried = tries.Tried(
            calls=self._fruitless,
            interruptions=self._interruptions,
            has_words=answer.has_words,
            fallbacks=len(self._cards) - 1,
        )
        if failure.nothing_kept:
            answer.reference = None
        match tries.after_failure(failure, tried, self._settings, random.random()):  # noqa: S311
            case tries.Again(delay):
                number = last.number + answer.grew
                again = Attempt(number, last.card, self._going_on(answer.past()))
                return Next(again, delay, "retrying", started=answer.grew)
            case tries.Fallback():
                self._cards.pop(0)
                self._fruitless = 0
                return Next(Attempt(last.number, self._cards[0], self._going_on(Past())), 0.0, "fallback", started=True)
            case tries.Stop():
                return failure.error

    def _going_on(self, past: Past) -> continuation.Continuing:
        return continuation.plan(self._cards[0].continuation, past, formed=self._formed)
