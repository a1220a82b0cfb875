"""Long texts come back one at a time, and everything else passes as it is."""

import gc
from typing import Any

from contracts import events
from kit.bus.blobs import BlobGoneError
from kit.runlog.reads import LogMessage
from services.edge.expand import Expander


class Kept:
    """What the object store has; it remembers what was asked for."""

    def __init__(self, **texts: str) -> None:
        self.texts, self.asked = texts, list[str]()

    async def text(self, text: str | None, reference: str | None) -> str:
        if reference is None:
            return text or ""
        self.asked.append(reference)
        if reference not in self.texts:
            raise BlobGoneError(reference)
        return self.texts[reference]


def message(number: int, event: events.Event) -> LogMessage:
    return LogMessage(number, event.lane.encode(), events.encode(event))


def delta(number: int, text: str = "x") -> LogMessage:
    return message(number, events.GenerationDelta(lane="main", at=1, text=text))


def snapshot(number: int, **fields: Any) -> LogMessage:
    common = {"lane": "main", "at": 1, "attempt": 1, "model": "m", "provider": "p", "covers": 1}
    return message(number, events.GenerationSnapshot(**common, **fields))


def failed(number: int, **fields: Any) -> LogMessage:
    error = events.Error("c", "m")
    return message(number, events.GenerationFailed(lane="main", at=1, attempt=1, model="m", error=error, **fields))


async def pieces(kept: Kept, *messages: LogMessage) -> list[list[LogMessage]]:
    return [piece async for piece in Expander(kept).pieces(messages)]  # type: ignore[arg-type]


async def test_what_carries_no_reference_passes_as_it_is() -> None:
    kept = Kept()
    messages = [delta(1), snapshot(2, text="whole"), delta(3, 'a text with text_ref":" in it')]
    assert not Expander(kept).concerns(messages[:2])  # type: ignore[arg-type]
    assert await pieces(kept, *messages) == [messages]


async def test_each_long_text_is_a_piece_of_its_own_and_not_fetched_before_its_turn() -> None:
    kept = Kept(one="1" * 10, two="2" * 10, thought="3" * 10)
    long = snapshot(2, text_ref="one", reasoning="r"), failed(3, text_ref="two", reasoning_ref="thought")
    messages = [delta(1), *long, delta(4)]
    assert Expander(kept).concerns(messages)  # type: ignore[arg-type]
    asked: list[tuple[list[int], list[str]]] = []
    told: list[LogMessage] = []
    async for piece in Expander(kept).pieces(messages):  # type: ignore[arg-type]
        asked.append(([each.sequence for each in piece], list(kept.asked)))
        told += piece
    assert asked == [([1], []), ([2], ["one"]), ([3], ["one", "two", "thought"]), ([4], ["one", "two", "thought"])]
    assert told == [
        delta(1), snapshot(2, text="1" * 10, reasoning="r"), failed(3, text="2" * 10, reasoning="3" * 10), delta(4),
    ]  # fmt: skip


async def test_a_text_that_is_gone_leaves_its_reference() -> None:
    assert await pieces(Kept(), failed(1, text_ref="gone")) == [[failed(1, text_ref="gone")]]


async def test_all_who_are_sent_a_long_text_at_the_same_time_share_it() -> None:
    kept = Kept(one="1" * 10)
    expander = Expander(kept)  # type: ignore[arg-type]
    readers = [expander.pieces([snapshot(number, text_ref="one")]) for number in (1, 2)]
    (first,), (second,) = [await anext(reader) for reader in readers]
    assert first.payload is second.payload
    assert (first.sequence, second.sequence) == (1, 2)
    assert kept.asked == ["one"]
    del first, second
    for reader in readers:
        assert [piece async for piece in reader] == []
    del reader, readers
    gc.collect()
    assert not expander._expanded, "nobody is sent it any more"
