"""What the leaderboard is computed from: votes and answers, as values, and the duels that a vote decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from contracts.compare_values import LaneStatus, Outcome, Thumb

WIN, DRAW = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote. `models` are those of the completed lanes: one that is there twice is named twice."""

    models: tuple[str, ...]
    outcome: Outcome
    winner: str | None = None
    ratings: tuple[tuple[str, Thumb], ...] = ()
    """Of lanes, by their model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One lane that has ended, in the comparison that generated it."""

    model: str
    outcome: LaneStatus
    first_token_ms: int | None = None
    tokens_per_second: float | None = None
    cost_usd: str | None = None


class Duel(NamedTuple):
    """Two answers of one vote. `score` is the first one's: 1 if it won, a half for a draw."""

    first: str
    second: str
    score: float


def duels(ballot: Ballot) -> Iterator[Duel]:
    """The winner beats every other completed answer; `tie` and `all_bad` draw every pair of them.

    A model does not fight itself, and an answer that was not completed fights nobody.
    """
    if ballot.outcome != "winner":
        for first, second in combinations(sorted(ballot.models), 2):
            if first != second:
                yield Duel(first, second, DRAW)
    elif ballot.winner is not None and ballot.winner in ballot.models:
        for other in sorted(ballot.models):
            if other != ballot.winner:
                yield Duel(ballot.winner, other, WIN)
