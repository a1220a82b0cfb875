"""The leaderboard: what is counted of votes and answers, and in which order models stand."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.compare_values import Leaderboard, Standing
from services.compare.ballots import Answer, Ballot, decisions
from services.compare.leaderboard import leaderboard
from services.compare.strengths import strengths
from tests.unit.compare.voting import ballot, times, won

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def board(ballots: list[Ballot], answers: list[Answer] | None = None) -> dict[str, Standing]:
    return {item.model: item for item in leaderboard(ballots, answers or [], NOW).items}


def test_votes_are_counted_by_model() -> None:
    found = board(
        [
            won("a", "b", "c", a="up", b="down"),
            ballot("a", "b", b="up"),
            ballot("b", "c", outcome="all_bad", b="down", c="down"),
        ]
    )
    counted = {name: (item.duels, item.wins, item.win_rate, item.votes, item.all_bad) for name, item in found.items()}
    assert counted == {
        "a": (3, 2.5, 0.8333, 2, 0),
        "b": (3, 1.0, 0.3333, 3, 1),
        "c": (2, 0.5, 0.25, 2, 1),
    }
    assert {name: (item.thumbs_up, item.thumbs_down) for name, item in found.items()} == {
        "a": (1, 0),
        "b": (1, 2),
        "c": (0, 1),
    }


def test_speed_and_cost_are_of_completed_answers_and_failures_of_all() -> None:
    found = board(
        [],
        [
            Answer("a", "completed", 100, 10.0, "0.000001"),
            Answer("a", "completed", 300, 20.0, "0.000002"),
            Answer("a", "completed", 200, 60.126, None),
            Answer("a", "completed", None, None, "0"),
            Answer("a", "failed", 9_000, 1.0, "5"),
            Answer("a", "cancelled", 9_000, 1.0, "5"),
            Answer("a", "running"),
            Answer("b", "failed"),
        ],
    )
    assert (found["a"].first_token_ms, found["a"].tokens_per_second, found["a"].cost_usd) == (200, 20.0, "0.000001")
    assert (found["a"].answers, found["a"].failures) == (6, 1)
    assert (found["b"].first_token_ms, found["b"].tokens_per_second, found["b"].cost_usd) == (None, None, None)
    assert (found["b"].answers, found["b"].failures, found["b"].strength, found["b"].win_rate) == (1, 1, None, None)


@pytest.mark.parametrize(
    ("costs", "mean"),
    [(["0"], "0"), (["0.10", "0.20"], "0.15"), (["1", "0", "0"], "0.333333333333"), (["100", "300"], "200")],
)
def test_a_mean_cost_is_told_in_plain_digits(costs: list[str], mean: str) -> None:
    assert board([], [Answer("a", "completed", cost_usd=cost) for cost in costs])["a"].cost_usd == mean


def test_the_strongest_is_first_and_who_had_no_duel_is_last() -> None:
    ballots = [*times(3, ("good", "bad")), *(ballot("same-2", "same-1") for _ in range(3)), won("alone-b")]
    order = [item.model for item in leaderboard(ballots, [Answer("alone-a", "completed")], NOW).items]
    assert order == ["good", "same-1", "same-2", "bad", "alone-a", "alone-b"]


def test_the_strengths_are_those_of_the_votes() -> None:
    ballots = [won("a", "b", "c"), won("b", "a"), ballot("b", "c")]
    expected = strengths(decisions(ballots))
    for model, item in board(ballots).items():
        assert item.strength == round(expected[model].strength, 1)
        assert (item.low, item.high) == (round(expected[model].low, 1), round(expected[model].high, 1))


def test_computed_again_from_the_same_votes_it_is_the_same() -> None:
    chance = random.Random(1)
    models = [f"m{number}" for number in range(7)]
    ballots, answers = [], []
    for _ in range(80):
        shown = chance.sample(models, 3)
        thumbs: Any = {shown[1]: "down"}
        ballots.append(won(*shown, **thumbs))
        cost, wait = f"0.{chance.randint(0, 9999):04}", chance.randint(1, 900)
        answers += [Answer(model, "completed", wait, chance.random() * 50, cost) for model in shown]
    before = leaderboard(ballots, answers, NOW).model_dump_json()
    for _ in range(3):
        chance.shuffle(ballots)
        chance.shuffle(answers)
        assert leaderboard(ballots, answers, NOW).model_dump_json() == before


def test_nothing_at_all_is_an_empty_board() -> None:
    assert leaderboard([], [], NOW) == Leaderboard(items=(), votes=0, computed_at=NOW)
