"""The cursor survives its own text, and nothing else is one."""

import pytest

from kit.runlog.cursor import Cursor, parse_cursor


@pytest.mark.parametrize("sequence", [0, 1, 10**18])
def test_it_survives_its_own_text(sequence: int) -> None:
    cursor = Cursor("0a1b2c3d4e", sequence)
    assert parse_cursor(str(cursor)) == cursor
    assert parse_cursor(f"  {cursor} ") == cursor


@pytest.mark.parametrize(
    "text", ["", "-", "abc", "abc-", "-1", "abc--1", "abc-1-2", "abc-1.5", "abc-x", "abc-٣", "a.b-1", "abc-" + "9" * 20]
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_cursor(text) is None
