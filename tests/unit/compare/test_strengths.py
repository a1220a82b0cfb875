"""Bradley-Terry strengths: against published numbers, against another method, and where there is little to go by."""

import math
import random
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.compare import strengths as product
from services.compare.ballots import Ballot, decisions
from services.compare.strengths import ELO, MEAN, PRIOR_ELO, Strength, fit, information
from tests.unit.compare.reference import most_likely, most_probable
from tests.unit.compare.voting import ballot, times, won

NO_PRIOR = 1e-9

# Citations between four journals of statistics (Stigler 1994), and what the R package BradleyTerry2 makes of them, as
# published in the Journal of Statistical Software 48 (9), 2012: log odds against Biometrika, and their standard errors.
CITED = [[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]]
PUBLISHED = [(0.0, 0.0), (-2.94907, 0.10255), (-0.47957, 0.06059), (0.26895, 0.07083)]


def strengths(ballots: list[Ballot], prior_elo: float = PRIOR_ELO) -> dict[str, Strength]:
    return product.strengths(decisions(ballots), prior_elo)


def votes(seed: int, count: int = 60, models: int = 6) -> list[Ballot]:
    """Random votes on two to five of some models, which are not equally good."""
    chance = random.Random(seed)
    worth = {f"model-{number}": chance.lognormvariate(0, 1) for number in range(models)}
    found = []
    for _ in range(count):
        shown = tuple(chance.sample(sorted(worth), chance.randint(2, 5)))
        outcome: Any = chance.choices(["winner", "tie", "all_bad"], [6, 2, 1])[0]
        best = chance.choices(shown, [worth[name] for name in shown])[0]
        found.append(ballot(*shown, outcome=outcome, winner=best if outcome == "winner" else None))
    return found


def wins_of(ballots: list[Ballot]) -> dict[tuple[str, str], float]:
    wins: dict[tuple[str, str], float] = defaultdict(float)
    for decision in decisions(ballots):
        for duel in decision.duels:
            wins[duel.first, duel.second] += duel.score
            wins[duel.second, duel.first] += 1 - duel.score
    return wins


def test_published_strengths_and_errors_come_out() -> None:
    wins = np.array(CITED, dtype=np.float64)
    np.fill_diagonal(wins, 0)
    odds = fit(wins, NO_PRIOR)
    covariance = np.linalg.inv(information(odds, wins + wins.T, NO_PRIOR))
    for number, (strength, error) in enumerate(PUBLISHED):
        assert odds[number] - odds[0] == pytest.approx(strength, abs=1e-5)
        variance = covariance[0, 0] + covariance[number, number] - 2 * covariance[0, number]
        assert math.sqrt(variance) == pytest.approx(error, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_without_a_prior_another_method_finds_the_same(seed: int) -> None:
    ballots = votes(seed, count=200)
    expected = most_likely(wins_of(ballots))
    found = strengths(ballots, prior_elo=1e6)
    assert found.keys() == expected.keys()
    for model, odds in expected.items():
        assert found[model].strength == pytest.approx(MEAN + ELO * odds, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_with_the_prior_another_method_finds_the_same(seed: int) -> None:
    ballots = votes(seed, count=25)
    expected = most_probable(wins_of(ballots), PRIOR_ELO)
    for model, found in strengths(ballots).items():
        assert found.strength == pytest.approx(MEAN + ELO * expected[model], abs=0.001)


def test_the_order_of_the_votes_and_of_their_answers_changes_nothing() -> None:
    ballots = votes(5)
    expected = strengths(ballots)
    chance = random.Random(6)
    for _ in range(5):
        chance.shuffle(ballots)
        mixed = [replace(one, lanes=tuple(reversed(one.lanes))) for one in ballots]
        assert strengths(mixed) == expected


def test_an_interval_of_two_models_is_what_can_be_computed_by_hand() -> None:
    found = strengths(times(30, ("a", "b")) + times(10, ("b", "a")), prior_elo=1e6)
    error = ELO * math.sqrt(1 / (40 * 0.75 * 0.25)) / 2  # of the difference, which lies half on each side of the mean
    assert found["a"].strength == pytest.approx(MEAN + ELO * math.log(3) / 2, abs=0.01)
    assert found["a"].high - found["a"].strength == pytest.approx(1.959964 * error, abs=0.01)
    assert found["a"].strength - found["a"].low == pytest.approx(1.959964 * error, abs=0.01)


@pytest.mark.parametrize(("lanes", "count"), [(2, 40), (4, 40), (8, 20), (8, 120)])
def test_intervals_hold_the_truth_as_often_as_they_say(lanes: int, count: int) -> None:
    chance = random.Random(7)
    held = total = 0
    for _ in range(60):
        truth = {f"model-{number}": chance.gauss(0, 0.8) for number in range(8)}
        mean = sum(truth.values()) / len(truth)
        ballots = []
        for _ in range(count):
            shown = chance.sample(sorted(truth), lanes)
            best = chance.choices(shown, [math.exp(truth[name]) for name in shown])[0]
            ballots.append(ballot(*shown, outcome="winner", winner=best))
        for model, found in strengths(ballots).items():
            held += found.low <= MEAN + ELO * (truth[model] - mean) <= found.high
            total += 1
    assert 0.92 <= held / total <= 0.995


def test_more_votes_make_intervals_narrower() -> None:
    widths = [
        width(strengths([one for _ in range(repeated) for one in votes(8)])["model-0"]) for repeated in (1, 4, 16)
    ]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < widths[0] / 3


@pytest.mark.parametrize("count", [1, 3, 100, 20_000])
def test_who_won_everything_is_finite_and_unsure(count: int) -> None:
    found = strengths(times(count, ("best", "worst")))
    assert found["best"].low < found["best"].strength < found["best"].high < 3000
    assert found["best"].strength > MEAN > found["worst"].strength
    assert width(found["best"]) > 200, "nobody knows how much better it is"


def test_models_that_no_duels_connect_are_told_as_unsure_of_each_other() -> None:
    apart = strengths(times(500, ("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")))
    together = strengths(times(500, ("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")))
    assert all(each.strength == pytest.approx(MEAN, abs=1e-6) for each in apart.values())
    assert width(apart["a"]) > 5 * width(together["a"])


def test_models_that_only_drew_are_equally_strong() -> None:
    found = strengths([ballot("a", "b", "c"), ballot("a", "b", "c", outcome="all_bad")])
    assert len({round(each.strength, 6) for each in found.values()}) == 1
    assert len({round(each.high, 6) for each in found.values()}) == 1


def test_without_a_duel_there_is_no_strength() -> None:
    assert strengths([]) == {}
    assert strengths([won("a"), ballot(outcome="all_bad"), ballot("a", "a"), won("a", "a")]) == {}
    assert strengths([ballot("a", "b", outcome="winner"), ballot("a", "b", outcome="winner", winner="c")]) == {}


def test_a_vote_on_eight_answers_tells_less_than_seven_votes_on_two() -> None:
    others = [f"model-{number}" for number in range(7)]
    everybody = ["best", *others]
    once = [won(each, *(name for name in everybody if name != each)) for each in everybody for _ in range(5)]
    apart = [won(duel.first, duel.second) for decision in decisions(once) for duel in decision.duels]
    one, seven = strengths(once)["best"], strengths(apart)["best"]
    assert one.strength == pytest.approx(seven.strength, abs=1e-6)
    assert width(one) > 1.8 * width(seven)


def width(found: Strength) -> float:
    return found.high - found.low
