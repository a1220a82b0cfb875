"""A text that grows."""

import random

import pytest

from kit.growing_text import PIECES, GrowingText


@pytest.mark.parametrize("pieces", [0, 1, PIECES - 1, PIECES, PIECES + 1, 5 * PIECES + 3])
def test_it_is_all_of_its_pieces(pieces: int) -> None:
    chance = random.Random(pieces)
    text, told = GrowingText("It begins: "), "It begins: "
    for number in range(pieces):
        piece = f"{number} " * chance.randrange(3)
        text.add(piece)
        told += piece
        if chance.random() < 0.01:
            assert text.whole() == told
    assert (text.whole(), text.length) == (told, len(told))
    assert text.whole() == told
