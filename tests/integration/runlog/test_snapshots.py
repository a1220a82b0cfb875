"""Snapshots in the log: true, fenced on their lane, and never in the way of a token."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from contracts import events
from kit.bus.api import last_message
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import LogReads
from kit.runlog.snapshots import FIRST_CHARACTERS, MAX_EVENT_BYTES
from kit.runlog.writer import SNAPSHOT_REPLY, FencedError, LaneWriter
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import api, connected_bus
from tests.fixtures.cluster import Cluster
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import is_true, snapshots_in, whole_log
from tests.integration.runlog.lane import DELTA, DeafWriters, a_key

SNAPSHOTS = f"main{SNAPSHOT_SUFFIX}"
LONG = "x" * FIRST_CHARACTERS


@dataclass
class Before:
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[events.ToolCall, ...] = ()


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


@pytest.fixture
async def writers(bus: Bus) -> AsyncIterator[DeafWriters]:
    found = DeafWriters(bus)
    found._blobs = Blobs(bus, 1)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def reads(bus: Bus) -> LogReads:
    found = LogReads(bus, 4)
    await found.start()
    return found


def opened(writers: LogWriters, key: RunKey, attempt: int = 1, last: int = 0, before: str = "") -> LaneWriter:
    """A writer that leaves snapshots and has said that it begins."""
    writer = writers.open(key, "main", attempt=attempt, last=last, before=Before(before))
    writer.event(events.GenerationStarted(lane="main", at=1, attempt=attempt, model="m", provider="p"))
    return writer


def at_the_snapshot(writer: LaneWriter, do: Callable[[bytes], None]) -> None:
    """Have something done the moment a snapshot is sent, and send it."""
    send = writer._send_command

    def sent(command: bytes) -> None:
        if SNAPSHOT_SUFFIX.encode() in command:
            do(command)
        send(command)

    writer._send_command = sent


async def test_a_growing_lane_leaves_true_snapshots(writers: LogWriters, reads: LogReads) -> None:
    key = a_key()
    writer = opened(writers, key)
    for number in range(2000):
        writer.text(DELTA, f"{number} ")
        writer.text("generation.reasoning", "hm ")
        if number % 7 == 0:
            await asyncio.sleep(0)
    await writer.stored()
    log = await whole_log(reads, key)
    found = snapshots_in(log)
    assert len(found) > 5
    assert all(is_true(*snapshot, log) for snapshot in found)


async def test_a_lane_that_is_not_asked_for_them_leaves_none(writers: LogWriters, reads: LogReads) -> None:
    key = a_key()
    writer = writers.open(key, "main", attempt=1, last=0)
    writer.event(events.GenerationStarted(lane="main", at=1, attempt=1, model="m", provider="p"))
    writer.text(DELTA, LONG)
    await writer.stored()
    assert snapshots_in(await whole_log(reads, key)) == []


async def test_a_long_one_goes_by_reference_and_the_lane_does_not_wait(
    writers: LogWriters, reads: LogReads, bus: Bus
) -> None:
    key, blobs = a_key(), Blobs(bus, 1)
    writer = opened(writers, key)
    piece = "🌊" * 30_000
    for _ in range(3):
        writer.text(DELTA, piece)
    await writer.stored()

    async def there() -> bool:
        return any(s.text_ref for _, _, s in snapshots_in(await whole_log(reads, key)))

    await until(there)
    for number in range(100):
        writer.text(DELTA, f"{number}")
    await writer.stored()
    log = await whole_log(reads, key)
    long = [(lane, place, s) for lane, place, s in snapshots_in(log) if s.text_ref]
    for lane, place, snapshot in long:
        text = await blobs.text(snapshot.text, snapshot.text_ref)
        whole = events.with_texts(snapshot, text, "")
        assert isinstance(whole, events.GenerationSnapshot)
        assert is_true(lane, place, whole, log)
    assert len({snapshot.text_ref for _, _, snapshot in long}) == len(long), "each has a text of its own"


async def test_a_long_one_whose_text_cannot_be_kept_is_followed_by_another(
    writers: LogWriters, reads: LogReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    keep = Blobs.inline_or_kept

    async def fails_once(*arguments: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise TimeoutError
        return await keep(*arguments)

    monkeypatch.setattr(Blobs, "inline_or_kept", fails_once)
    key = a_key()
    writer = opened(writers, key)
    writer.text(DELTA, "x" * (MAX_EVENT_BYTES * 2))
    await writer.stored()

    async def there() -> bool:
        writer.text(DELTA, "y" * 100_000)
        await writer.stored()
        return any(s.text_ref for _, _, s in snapshots_in(await whole_log(reads, key)))

    await until(there)
    assert tried > 1


async def test_the_lanes_next_message_waits_for_its_answer(writers: DeafWriters) -> None:
    """In a cluster the one would be refused because of the other."""
    writer = opened(writers, a_key())
    await writer.stored()
    heard: list[int] = []

    def say_more(_: bytes) -> None:
        heard.append(len(writers.heard))
        writer.text(DELTA, "next ")

    at_the_snapshot(writer, say_more)
    publish = writer._publish

    def published(event: events.Event, payload: bytes) -> None:
        heard.append(len(writers.heard))
        publish(event, payload)

    writer._publish = published  # type: ignore[method-assign]
    writer.text(DELTA, LONG)
    await writer.stored()
    text_at, snapshot_at, next_at = heard
    assert (snapshot_at, next_at) == (text_at + 1, text_at + 2), "each has heard the answer to the one before"


async def test_a_lost_answer_costs_no_word(writers: DeafWriters, reads: LogReads) -> None:
    """The sweep goes on without it; the lane is what it would have been."""
    key = a_key()
    writer = opened(writers, key)
    await writer.stored()

    def lose_its_answer(_: bytes) -> None:
        writers.lose = 1
        writer.text(DELTA, "next ")

    at_the_snapshot(writer, lose_its_answer)
    writer.text(DELTA, LONG)
    await writer.stored()
    assert len(writers.lost) == 1
    log = await whole_log(reads, key)
    assert [m.lane for m in log].count(b"main") == 3
    assert all(is_true(*snapshot, log) for snapshot in snapshots_in(log))


async def test_a_refusal_that_is_looked_into_late_does_not_say_a_word_twice(
    writers: DeafWriters, reads: LogReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look finds the lane's message, which has been acknowledged meanwhile, while a snapshot is on its way."""
    key = a_key()
    writer = opened(writers, key)
    await writer.stored()
    resolving: list[asyncio.Task[None]] = []
    publish = writer._publish

    def published(event: events.Event, payload: bytes) -> None:
        publish(event, payload)
        resolving.append(asyncio.create_task(writers._resolve(writer, 10071)))

    writer._publish = published  # type: ignore[method-assign]
    at_the_snapshot(writer, lambda _: setattr(writers, "lose", 1))
    writer.text(DELTA, LONG)
    await asyncio.gather(*resolving)
    assert len(writers.lost) <= 1
    await writer.stored()
    del writer._publish
    writer._send_command = writers._bus.fast.send
    writer.text(DELTA, LONG)
    await writer.stored()
    log = await whole_log(reads, key)
    assert len(snapshots_in(log)) == 2
    assert all(is_true(*snapshot, log) for snapshot in snapshots_in(log))


async def test_a_zombies_is_refused(writers: LogWriters, reads: LogReads, bus: Bus) -> None:
    key = a_key()
    zombie = opened(writers, key)
    zombie.text(DELTA, LONG)
    last = await zombie.stored()
    first = await newest_snapshot(bus, key)
    other = opened(writers, key, attempt=2, last=last, before=LONG)
    other.text(DELTA, "new ")
    await other.stored()
    second = await newest_snapshot(bus, key)
    assert second > first
    zombie._snapshots.waiting = b'{"type":"generation.snapshot","false":true}'  # type: ignore[union-attr]
    zombie._go_on()
    await zombie.stored()
    assert await newest_snapshot(bus, key) == second
    zombie.text(DELTA, "zombie ")
    with pytest.raises(FencedError):
        await zombie.stored()


async def newest_snapshot(bus: Bus, key: RunKey) -> int:
    found = await last_message(bus, "RUNS", key.lane(SNAPSHOTS))
    return found.sequence if found else 0


@pytest.mark.parametrize("after", ["ending", "purge"])
async def test_none_is_stored_where_a_run_is_over(writers: LogWriters, bus: Bus, after: str) -> None:
    """Whoever asks for the newest message of a run finds its ending; a run that was purged stays away."""
    key = a_key()
    late = opened(writers, key)
    last = await late.stored()
    if after == "ending":
        other = writers.open(key, "main", attempt=2, last=last)
        other.event(events.GenerationCancelled(lane="main", at=1, attempt=2, model="m"))
        await other.stored()
    else:
        await api(bus.client, "STREAM.PURGE.RUNS", {"filter": key.all_lanes})
    late._snapshots.waiting = b'{"type":"generation.snapshot"}'  # type: ignore[union-attr]
    late._go_on()
    await late.stored()
    assert await newest_snapshot(bus, key) == 0


async def test_a_fenced_writer_leaves_none(writers: LogWriters) -> None:
    writer = opened(writers, a_key())
    last = await writer.stored()
    writer.text(DELTA, LONG)
    writer.fence("by the test")
    sent: list[bytes] = []
    writer._send_command = sent.append
    writer.acknowledge(last + 1)
    writer.snapshot_kept(b"{}")
    assert sent == []


async def test_in_a_cluster_no_token_is_refused_because_of_one(cluster: Cluster) -> None:
    async with cluster.bus() as bus:
        await declare_streams(bus.client, 3)
        writers, reads = DeafWriters(bus), LogReads(bus, 4)
        await writers.start()
        await reads.start()
        key = a_key()
        writer = opened(writers, key)
        for number in range(3000):
            writer.text(DELTA, f"{number} ")
            if number % 20 == 0:
                await writer.stored()
        last = await writer.stored()

        async def caught_up() -> bool:
            return (await whole_log(reads, key))[-1].sequence >= last

        await until(caught_up)
        log = await whole_log(reads, key)
        await writers.stop()
    assert len(snapshots_in(log)) > 5
    assert all(is_true(*snapshot, log) for snapshot in snapshots_in(log))
    assert [answer for answer in map(json.loads, writers.heard) if "error" in answer] == []


def test_the_answer_to_a_snapshot_has_a_subject_of_its_own() -> None:
    assert not b"123".endswith(SNAPSHOT_REPLY), "a token of a reply subject is a number"
