"""Texts and moments as tables hold them."""

import pytest

from kit.orchestrate import wording
from kit.orchestrate.moments import milliseconds, moment, took


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Hello", "Hello"),
        ("  two\n lines ", "two lines"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("word " * 20, ("word " * 11).strip() + "…"),
    ],
)
def test_a_title_is_the_beginning_of_the_message(content: str, title: str) -> None:
    assert wording.title_from(content) == title
    assert len(title) <= wording.TITLE_CHARACTERS


def test_a_moment_is_the_same_after_it_was_told_in_milliseconds() -> None:
    assert milliseconds(moment(1_795_453_254_663)) == 1_795_453_254_663


def test_what_has_not_ended_took_no_time_that_is_known_and_two_clocks_make_none_that_is_negative() -> None:
    since = moment(1_795_453_254_663)
    assert [took(since, until) for until in (None, moment(1_795_453_254_665), since, moment(0))] == [None, 2, 0, 0]
