"""Cutting a NATS byte stream: chosen messages out, everything else on as it came, however the bytes are split."""

import random

import pytest

from kit.bus.frames import FrameSplitter, header_status, header_value

CHOSEN = 7
HEADERS = b"NATS/1.0\r\nNats-Sequence: 12\r\nNats-Last-Sequence: 9\r\n\r\n"
FRAMES = [
    (b'INFO {"server":"x"}\r\n', None),
    (b"MSG live.a 7 5\r\nhello\r\n", (b"live.a", b"", b"hello")),
    (b"MSG rpc.a 3 _INBOX.1 2\r\n\r\n\r\n", None),  # a payload that looks like an end of line
    (b"PING\r\n", None),
    (
        b"HMSG live.b 7 %d %d\r\n%bMSG x 7 1\r\n" % (len(HEADERS), len(HEADERS) + 9, HEADERS),
        (b"live.b", HEADERS, b"MSG x 7 1"),
    ),
    (b"MSG live.c 7 reply.to 0\r\n\r\n", (b"live.c", b"", b"")),
    (b"+OK\r\n", None),
    (b"-ERR 'slow consumer'\r\n", None),
    (b"MSG other 71 7\r\nMSG 7 1\r\n", None),
    ("MSG live.d 7 6\r\näöü\r\n".encode(), (b"live.d", b"", "äöü".encode())),
    (b"PONG\r\n", None),
]
STREAM = b"".join(frame for frame, _ in FRAMES)
EXPECTED = [message for _, message in FRAMES if message is not None]
OTHERS = b"".join(frame for frame, message in FRAMES if message is None)


def cut(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes, bytes]], bytes]:
    told: list[tuple[bytes, bytes, bytes]] = []
    splitter = FrameSplitter({CHOSEN: lambda *message: told.append(message)})
    return told, b"".join(splitter.feed(piece) for piece in pieces)


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_every_split_in_two_gives_the_same(at: int) -> None:
    assert cut([STREAM[:at], STREAM[at:]]) == (EXPECTED, OTHERS)


def test_single_bytes_give_the_same() -> None:
    assert cut([bytes([byte]) for byte in STREAM]) == (EXPECTED, OTHERS)


@pytest.mark.parametrize("seed", range(50))
def test_random_splits_of_a_long_stream_give_the_same(seed: int) -> None:
    chance = random.Random(seed)
    order = [chance.choice(FRAMES) for _ in range(200)]
    stream, pieces = b"".join(frame for frame, _ in order), []
    while stream:
        size = chance.randrange(1, 120)
        pieces.append(stream[:size])
        stream = stream[size:]
    told, others = cut(pieces)
    assert told == [message for _, message in order if message is not None]
    assert others == b"".join(frame for frame, message in order if message is None)


def test_an_unchosen_subscription_is_left_alone() -> None:
    splitter = FrameSplitter({})
    assert splitter.feed(STREAM) == STREAM


def test_header_values_are_found_by_their_whole_name() -> None:
    block = b"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 4\r\nNats-Sequence: 12\r\n\r\n"
    assert header_value(block, b"Nats-Sequence: ") == b"12"
    assert header_value(block, b"Nats-Last-Sequence: ") is None


def test_a_status_is_told_from_an_ordinary_message() -> None:
    assert header_status(b"NATS/1.0 503\r\n\r\n") == 503
    assert header_status(b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n") == 204
    assert header_status(HEADERS) is None
    assert header_status(b"") is None
