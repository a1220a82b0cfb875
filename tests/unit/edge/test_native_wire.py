"""Frames of the native stream: cut into parts they say the same, and a long event is not copied."""

import pytest

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.wires.native import LONG_BYTES, NativeWire


def wire() -> NativeWire:
    made = NativeWire()
    made.open("epoch")
    return made


def delta(number: int, characters: int) -> LogMessage:
    payload = events.encode(events.GenerationDelta(lane="main", at=1, text="x" * characters))
    return LogMessage(number, b"main", payload)


@pytest.mark.parametrize("lengths", [[1], [1, 2, 3], [LONG_BYTES], [1, 2 * LONG_BYTES], [LONG_BYTES - 100]])
def test_parts_are_the_frames(lengths: list[int]) -> None:
    batch = [delta(number, length) for number, length in enumerate(lengths, start=1)]
    assert b"".join(wire().parts(batch)) == wire().frames(batch)


def test_a_long_event_is_written_as_the_object_that_it_is() -> None:
    long = delta(7, LONG_BYTES)
    assert any(part is long.payload for part in wire().parts([long]))
