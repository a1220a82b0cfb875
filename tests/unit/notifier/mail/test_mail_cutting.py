"""Texts that are too long for a mail."""

import random

import pytest

from services.notifier.mail.cutting import cut, shares


@pytest.mark.parametrize(
    ("lengths", "limit", "given"),
    [
        ([], 10, []),
        ([5], 10, [5]),
        ([50], 10, [10]),
        ([2, 50], 10, [2, 8]),
        ([50, 2, 50], 10, [4, 2, 4]),
        ([50, 0, 3], 0, [0, 0, 0]),
    ],
)
def test_short_texts_are_whole_and_long_ones_share_the_rest(lengths: list[int], limit: int, given: list[int]) -> None:
    assert shares(lengths, limit) == given


def test_the_limit_is_used_and_never_passed() -> None:
    dice = random.Random(1)
    for _ in range(200):
        lengths = [dice.randint(0, 100) for _ in range(dice.randint(1, 8))]
        limit = dice.randint(0, 300)
        given = shares(lengths, limit)
        assert all(share <= length for share, length in zip(given, lengths, strict=True))
        assert sum(given) == min(limit, sum(lengths))


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("one two three\n\nfour five six seven", 24, "one two three"),
        ("one two three\nfour five six", 20, "one two three"),
        ("One is here. Two is there", 18, "One is here."),
        ("one two three four", 12, "one two"),
        ("これは長い文です。次の文はここに", 12, "これは長い文です。"),
        ("abcdefghij", 4, "abcd"),
        ("abcdefghij", 0, ""),
        ("abe\u0301cdef", 3, "ab"),
        ("abc👩\u200d👩\u200d👧d", 5, "abc"),
    ],
)
def test_is_cut_at_a_good_place(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("a\n```py\nx = 1\ny = 2\nz = 3\n```\n", 22, "a\n```py\nx = 1\ny = 2\n```"),
        ("~~~~\n```\nabc def ghi\n~~~~", 18, "~~~~\n```\nabc def\n~~~~"),
        ("- a\n  ```\n  one\n  two\n  ```", 20, "- a\n  ```\n  one\n  ```"),
        ("> ```\n> one\n> two\n> ```", 15, "> ```\n> one\n> ```"),
        ("1. ```\n   one\n   two\n   ```", 17, "1. ```\n   one\n   ```"),
        ("```\na\n```\nb c d e f g", 15, "```\na\n```"),
        ("``` not `code`\na b c d e", 18, "``` not `code`"),
    ],
)
def test_a_block_of_code_that_is_cut_is_closed(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown
