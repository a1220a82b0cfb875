"""What the leaderboard is computed from: votes and answers, as values, and the duels that votes decide."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from contracts.compare_values import LaneStatus, Outcome, Thumb

WIN, DRAW = 1.0, 0.5


class Voted(NamedTuple):
    """One lane as it was voted on. `answer` is the same for a lane that shows an earlier one again."""

    model: str
    answer: str
    completed: bool = True
    rating: Thumb | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote. `winner` is an answer; `cast` sorts votes by their time."""

    lanes: tuple[Voted, ...]
    outcome: Outcome
    winner: str | None = None
    cast: str = ""

    def completed(self) -> list[Voted]:
        """Those that take part, in an order of their own."""
        return sorted((lane for lane in self.lanes if lane.completed), key=lambda lane: (lane.model, lane.answer))


@dataclass(frozen=True, slots=True)
class Answer:
    """One lane that has ended, in the comparison that generated it."""

    model: str
    outcome: LaneStatus
    first_token_ms: int | None = None
    tokens_per_second: float | None = None
    cost_usd: str | None = None


class Duel(NamedTuple):
    """Two models, of which one answered better. `score` is the first one's: 1 if it won, a half for a draw."""

    first: str
    second: str
    score: float


class Decision(NamedTuple):
    """The duels that one vote decided, and among how many answers."""

    duels: tuple[Duel, ...]
    answers: int


def decisions(ballots: Iterable[Ballot]) -> Iterator[Decision]:
    """What each vote decides; the order of the votes changes nothing but the order of the decisions.

    The winner beats every other completed answer; `tie` and `all_bad` draw every pair of them. A model does not fight
    itself, and an answer that was not completed fights nobody. Of two votes on the same two answers, which a comparison
    and the one that goes on from it may have, the later one counts.
    """
    newest_first = sorted(ballots, key=lambda ballot: ballot.cast, reverse=True)
    shown = Counter(lane.answer for ballot in newest_first for lane in ballot.lanes)
    decided: set[tuple[str, str]] = set()
    for ballot in newest_first:
        lanes = ballot.completed()
        duels = []
        for one, other, score in _pairs(lanes, ballot):
            if one.model == other.model:
                continue
            if shown[one.answer] > 1 and shown[other.answer] > 1:
                pair = (min(one.answer, other.answer), max(one.answer, other.answer))
                if pair in decided:
                    continue
                decided.add(pair)
            duels.append(Duel(one.model, other.model, score))
        if duels:
            yield Decision(tuple(duels), len(lanes))


def _pairs(lanes: list[Voted], ballot: Ballot) -> Iterator[tuple[Voted, Voted, float]]:
    if ballot.outcome != "winner":
        yield from ((one, other, DRAW) for one, other in combinations(lanes, 2))
        return
    for best in (lane for lane in lanes if lane.answer == ballot.winner):
        yield from ((best, other, WIN) for other in lanes if other is not best)


def ratings(ballots: Iterable[Ballot]) -> Iterator[tuple[str, Thumb]]:
    """What was said of single answers, by their model; of each answer what was said last."""
    rated: set[str] = set()
    for ballot in sorted(ballots, key=lambda each: each.cast, reverse=True):
        for lane in ballot.lanes:
            if lane.rating is not None and lane.answer not in rated:
                rated.add(lane.answer)
                yield lane.model, lane.rating
