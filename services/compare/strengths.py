"""Bradley-Terry strengths with confidence intervals, from the duels of votes.

The model: a beats b with probability 1 / (1 + exp(b - a)). A draw is half a win for each.

A weak prior (each strength is normal around the mean of all) keeps every estimate finite: also of a model that won or
lost everything, and of models that no chain of duels connects. It says less than one duel between equals does.

An interval is 1.96 standard errors to each side, of the strength against the mean of all, by the inverse of the
observed information. The duels of one vote are not independent: the winner of eight answers decides seven of them at
once. Where the answers are equally good, a vote on n of them tells as much as if each duel counted 2 / n; so much it
counts there. (A bootstrap over votes would know that by itself, but is sure of everything where a model has won or lost
all of few votes.)
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from services.compare.ballots import Decision

Floats = npt.NDArray[np.float64]

ELO = 400 / math.log(10)
"""Points of Elo's scale in one unit of log odds."""
MEAN = 1000.0
PRIOR_ELO = 400.0
"""The standard deviation of the prior: most models lie within it, and ten to one is no surprise."""
CONFIDENCE = 0.95
_ERRORS = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

MAX_STEPS = 100
ENOUGH = 1e-10
"""A step in log odds that is too small to matter."""


@dataclass(frozen=True, slots=True)
class Strength:
    """On Elo's scale, the mean of all models being 1000."""

    strength: float
    low: float
    high: float


def strengths(decisions: Iterable[Decision], prior_elo: float = PRIOR_ELO) -> dict[str, Strength]:
    """The strength of every model that had a duel. The order of the votes changes nothing, not even a last digit."""
    votes = Counter(decisions)
    models = sorted({name for vote in votes for duel in vote.duels for name in (duel.first, duel.second)})
    if not models:
        return {}
    place = {name: number for number, name in enumerate(models)}
    wins = np.zeros((len(models), len(models)))
    told = np.zeros_like(wins)
    for vote, count in sorted(votes.items()):
        for duel in vote.duels:
            first, second = place[duel.first], place[duel.second]
            wins[first, second] += count * duel.score
            wins[second, first] += count * (1 - duel.score)
            told[first, second] += count * 2 / vote.answers
            told[second, first] += count * 2 / vote.answers
    precision = (ELO / prior_elo) ** 2
    odds = fit(wins, precision)
    reach = _ERRORS * standard_errors(odds, told, precision)
    return {
        name: Strength(
            MEAN + ELO * float(odds[number]),
            MEAN + ELO * float(odds[number] - reach[number]),
            MEAN + ELO * float(odds[number] + reach[number]),
        )
        for name, number in place.items()
    }


def fit(wins: Floats, precision: float) -> Floats:
    """The most probable log odds, around zero; `wins[a, b]`: how often a beat b. By Newton's method.

    `precision` is the prior's: one by its variance. With any of it the maximum exists, and there is only one.
    """
    fought = wins + wins.T
    odds = np.zeros(len(wins))
    height = _height(odds, wins, precision)
    for _ in range(MAX_STEPS):
        slope = (wins - fought * _wins(odds)).sum(axis=1) - precision * odds
        step = np.linalg.solve(information(odds, fought, precision), slope)
        # Halved where it would go down: far from the top the method may step over it.
        while (higher := _height(odds + step, wins, precision)) < height and np.abs(step).max() > ENOUGH:
            step /= 2
        odds, height = odds + step, higher
        if np.abs(step).max() <= ENOUGH:
            break
    return np.asarray(odds - odds.mean(), dtype=np.float64)


def standard_errors(odds: Floats, told: Floats, precision: float) -> Floats:
    """Of each strength against the mean of all; `told[a, b]`: how many independent duels of these two are known."""
    covariance = np.linalg.inv(information(odds, told, precision))
    rows = covariance.mean(axis=1)
    return np.asarray(np.sqrt(np.maximum(np.diag(covariance) - 2 * rows + covariance.mean(), 0)), dtype=np.float64)


def _wins(odds: Floats) -> Floats:
    """How probable it is that one (row) beats another (column)."""
    return np.asarray(1 / (1 + np.exp(odds[None, :] - odds[:, None])), dtype=np.float64)


def _height(odds: Floats, wins: Floats, precision: float) -> float:
    """The logarithm of the posterior, but for a constant."""
    likelihood = -(wins * np.logaddexp(0, odds[None, :] - odds[:, None])).sum()
    return float(likelihood - precision / 2 * (odds**2).sum())


def information(odds: Floats, fought: Floats, precision: float) -> Floats:
    """The negative second derivatives of it."""
    chance = _wins(odds)
    weight = fought * chance * (1 - chance)
    return np.asarray(np.diag(weight.sum(axis=1) + precision) - weight, dtype=np.float64)
