"""The leaderboard of a tenant, from its votes and answers: values in, values out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import median

from contracts.compare_values import Leaderboard, Standing
from services.compare.ballots import Answer, Ballot, decisions, ratings
from services.compare.strengths import Strength, strengths

STRENGTH_DIGITS = 1
"""A tenth of a point: far less than any interval, and more than another machine's arithmetic changes."""
RATE_DIGITS = 4
SPEED_DIGITS = 2
COST_DIGITS = Decimal("0.000000000001")


@dataclass(slots=True)
class _Record:
    """What is counted of one model."""

    duels: int = 0
    wins: float = 0.0
    votes: int = 0
    all_bad: int = 0
    thumbs: Counter[str] = field(default_factory=Counter)
    answers: list[Answer] = field(default_factory=list)


def leaderboard(ballots: Sequence[Ballot], answers: Sequence[Answer], computed_at: datetime) -> Leaderboard:
    """Every model that was voted on or answered: the strongest first, those without a duel last, both by name."""
    records: dict[str, _Record] = defaultdict(_Record)
    for ballot in ballots:
        for model in {lane.model for lane in ballot.completed()}:
            records[model].votes += 1
            records[model].all_bad += ballot.outcome == "all_bad"
    for model, thumb in ratings(ballots):
        records[model].thumbs[thumb] += 1
    decided = list(decisions(ballots))
    for duel in (duel for decision in decided for duel in decision.duels):
        for model, score in ((duel.first, duel.score), (duel.second, 1 - duel.score)):
            records[model].duels += 1
            records[model].wins += score
    for answer in answers:
        if answer.outcome != "running":
            records[answer.model].answers.append(answer)
    found = strengths(decided)
    items = [_standing(model, record, found.get(model)) for model, record in records.items()]
    items.sort(key=lambda item: (item.strength is None, -(item.strength or 0), item.model))
    return Leaderboard(items=tuple(items), votes=len(ballots), computed_at=computed_at)


def _standing(model: str, record: _Record, found: Strength | None) -> Standing:
    completed = [answer for answer in record.answers if answer.outcome == "completed"]
    waits = [answer.first_token_ms for answer in completed if answer.first_token_ms is not None]
    speeds = [answer.tokens_per_second for answer in completed if answer.tokens_per_second is not None]
    costs = [Decimal(answer.cost_usd) for answer in completed if answer.cost_usd is not None]
    return Standing(
        model=model,
        strength=None if found is None else round(found.strength, STRENGTH_DIGITS),
        low=None if found is None else round(found.low, STRENGTH_DIGITS),
        high=None if found is None else round(found.high, STRENGTH_DIGITS),
        duels=record.duels,
        wins=record.wins,
        win_rate=round(record.wins / record.duels, RATE_DIGITS) if record.duels else None,
        votes=record.votes,
        all_bad=record.all_bad,
        thumbs_up=record.thumbs["up"],
        thumbs_down=record.thumbs["down"],
        first_token_ms=round(median(waits)) if waits else None,
        tokens_per_second=round(median(speeds), SPEED_DIGITS) if speeds else None,
        cost_usd=_mean(costs) if costs else None,
        answers=len(record.answers),
        failures=sum(answer.outcome == "failed" for answer in record.answers),
    )


def _mean(costs: Sequence[Decimal]) -> str:
    """USD, as a decimal number in plain digits."""
    mean = (sum(costs) / Decimal(len(costs))).quantize(COST_DIGITS)
    text = format(mean, "f").rstrip("0").rstrip(".")
    return text or "0"
