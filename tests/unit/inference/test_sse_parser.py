import random
from itertools import pairwise

import pytest

from services.inference.providers.sse import SseParser

STREAM = (
    b"\xef\xbb\xbfdata: first\n\n"
    b": keep-alive\n\n"
    b"event: message\nid: 7\nretry: 100\r\ndata:no blank\r\n\r\n"
    b"data:   \n\ndata:\n\ndatum: no\n data: indented\n\n" + "data: {“Größe”: 🦉}\n\n".encode() + b"data: [DONE]\n\n"
    b"data: never ends"
)
PAYLOADS = [b"first", b"no blank", "{“Größe”: 🦉}".encode(), b"[DONE]"]


def parse(pieces: list[bytes], limit: int = 1000) -> tuple[list[bytes], bool]:
    parser = SseParser(limit)
    payloads = [payload for piece in pieces for payload in parser.feed(piece)]
    return payloads, parser.too_long


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def test_takes_the_data_lines_and_nothing_else() -> None:
    assert parse([STREAM]) == (PAYLOADS, False)


def test_every_single_split_gives_the_same_payloads() -> None:
    for place in range(1, len(STREAM)):
        assert parse(cut(STREAM, [place])) == (PAYLOADS, False), place


def test_single_bytes_give_the_same_payloads() -> None:
    assert parse([STREAM[i : i + 1] for i in range(len(STREAM))]) == (PAYLOADS, False)


@pytest.mark.parametrize("seed", range(200))
def test_random_splits_with_empty_reads_give_the_same_payloads(seed: int) -> None:
    chance = random.Random(seed)
    places = [chance.randrange(len(STREAM) + 1) for _ in range(chance.randrange(40))]
    assert parse(cut(STREAM, places)) == (PAYLOADS, False)


@pytest.mark.parametrize("seed", range(50))
def test_the_length_limit_does_not_depend_on_how_the_bytes_arrive(seed: int) -> None:
    stream = b"data: a\ndata: " + b"x" * 100 + b"\ndata: b\n"
    chance = random.Random(seed)
    pieces = cut(stream, [chance.randrange(len(stream)) for _ in range(chance.randrange(60))])
    assert parse(pieces, limit=50) == ([b"a"], True)


def test_a_line_that_never_ends_is_given_up_at_the_limit() -> None:
    parser = SseParser(limit=100)
    for _ in range(20):
        parser.feed(b"data: xxxxxxxxxx")
    assert parser.too_long
    assert list(parser.feed(b"\ndata: later\n")) == []
