"""Votes, made shortly."""

import itertools
from typing import Any

from contracts.compare_values import Outcome, Thumb
from services.compare.ballots import Ballot, Voted

_answers = itertools.count(1)


def ballot(*models: str, outcome: Outcome = "tie", winner: str | None = None, **rated: Thumb) -> Ballot:
    """A vote on new answers of these models; the winner is the first answer of that model."""
    lanes = [Voted(model, f"answer-{next(_answers)}", rating=rated.get(model)) for model in models]
    best = next((lane.answer for lane in lanes if lane.model == winner), None)
    return Ballot(tuple(lanes), outcome, best, cast=f"{next(_answers):08}")


def won(winner: str, *others: str, **rated: Any) -> Ballot:
    """A vote that the first model won."""
    return ballot(winner, *others, outcome="winner", winner=winner, **rated)


def times(count: int, *results: tuple[str, str]) -> list[Ballot]:
    """So many votes of each of these: who won, and against whom."""
    return [won(*result) for result in results for _ in range(count)]
