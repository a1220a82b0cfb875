"""Votes become duels: every pair of answers at most once."""

import random
from typing import Any

import pytest

from services.compare.ballots import Ballot, Voted, decisions, ratings
from tests.unit.compare.voting import ballot, won


def duels(*ballots: Ballot) -> list[tuple[str, str, float]]:
    return [tuple(duel) for decision in decisions(ballots) for duel in decision.duels]


def voted(cast: str, winner: str, *answers: tuple[str, str], **rated: Any) -> Ballot:
    """A vote on answers, given as (model, answer)."""
    lanes = tuple(Voted(model, answer, rating=rated.get(model)) for model, answer in answers)
    return Ballot(lanes, "winner", winner, cast)


A, B, C = ("a", "run-1.a"), ("b", "run-1.b"), ("c", "run-2.c")


def test_the_winner_beats_every_other_completed_answer() -> None:
    assert duels(won("b", "c", "a")) == [("b", "a", 1), ("b", "c", 1)]


@pytest.mark.parametrize("outcome", ["tie", "all_bad"])
def test_a_draw_is_one_of_every_pair(outcome: Any) -> None:
    assert duels(ballot("c", "a", "b", outcome=outcome)) == [("a", "b", 0.5), ("a", "c", 0.5), ("b", "c", 0.5)]


def test_an_answer_that_was_not_completed_takes_no_part() -> None:
    lanes = (Voted("a", "1"), Voted("b", "2", completed=False), Voted("c", "3"))
    assert duels(Ballot(lanes, "winner", "1")) == [("a", "c", 1)]
    assert duels(Ballot(lanes, "tie")) == [("a", "c", 0.5)]
    assert duels(Ballot(lanes, "winner", "2")) == []
    assert [decision.answers for decision in decisions([Ballot(lanes, "tie")])] == [2]


def test_a_model_that_is_asked_twice_does_not_fight_itself() -> None:
    twice = (Voted("a", "1"), Voted("a", "2"), Voted("b", "3"))
    for winner in ("1", "2"):
        assert duels(Ballot(twice, "winner", winner)) == [("a", "b", 1)]
    assert duels(Ballot(twice, "winner", "3")) == [("b", "a", 1), ("b", "a", 1)]
    assert duels(Ballot(twice, "tie")) == [("a", "b", 0.5), ("a", "b", 0.5)]


def test_two_answers_that_are_voted_on_again_fight_once_and_the_later_vote_counts() -> None:
    first = voted("1", A[1], A, B)
    second = voted("2", C[1], A, B, C)
    assert sorted(duels(first, second)) == [("a", "b", 1), ("c", "a", 1), ("c", "b", 1)], "nobody said that they draw"
    changed = voted("3", B[1], A, B)
    assert sorted(duels(first, second, changed)) == [("b", "a", 1), ("c", "a", 1), ("c", "b", 1)]


def test_the_order_in_which_votes_are_given_changes_nothing() -> None:
    ballots = [voted("1", A[1], A, B), voted("3", B[1], A, B, C), voted("2", C[1], A, C), won("a", "b")]
    expected = sorted(duels(*ballots))
    for seed in range(6):
        random.Random(seed).shuffle(ballots)
        assert sorted(duels(*ballots)) == expected


def test_other_answers_of_the_same_models_are_other_duels() -> None:
    assert duels(won("a", "b"), won("a", "b")) == [("a", "b", 1), ("a", "b", 1)]


def test_an_answer_is_rated_once_and_the_last_word_counts() -> None:
    first = voted("1", A[1], A, B, a="up", b="up")
    second = voted("2", A[1], A, B, C, a="down")
    assert sorted(ratings([first, second])) == [("a", "down"), ("b", "up")]
    assert sorted(ratings([second, first])) == [("a", "down"), ("b", "up")]
