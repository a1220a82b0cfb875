"""A watcher: everything from its cursor on, once, in order, however the bus treats it."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from contracts import events
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.clock import now_ms
from kit.ids import new_id
from kit.runlog.follow import Follower
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import connected_bus
from tests.fixtures.servers import Servers

BUFFER_BYTES = 256 * 1024
HEARTBEAT_SECONDS = 0.3


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


@pytest.fixture
async def reads(bus: Bus) -> LogReads:
    found = LogReads(bus, 4)
    await found.start()
    return found


class Run:
    """A run that is written while it is watched: lanes `run` and two generations."""

    def __init__(self, writers: LogWriters) -> None:
        self.key = RunKey("t", "u", new_id("chat"))
        self.lanes = {lane: writers.open(self.key, lane, attempt=1, last=0) for lane in ("run", "one", "two")}

    async def write(self, numbers: range, seed: int = 1) -> None:
        """Counts in both lanes, a little at a time."""
        dice = random.Random(seed)
        for number in numbers:
            for lane in ("one", "two"):
                self.lanes[lane].text("generation.delta", f"{number} ")
            if dice.random() < 0.3:
                await asyncio.sleep(dice.random() / 200)
        for lane in ("one", "two"):
            await self.lanes[lane].stored()

    async def begin(self) -> None:
        run = {"run_id": self.key.run, "kind": "chat", "generations": ()}
        self.lanes["run"].event(events.RunCreated(lane="run", at=now_ms(), **run))  # type: ignore[arg-type]
        await self.lanes["run"].stored()

    async def end(self, ends: tuple[events.LaneEnd, ...] = ()) -> None:
        ending = events.RunCompleted(lane="run", at=now_ms(), run_id=self.key.run, ends=ends)
        self.lanes["run"].event(ending)
        await self.lanes["run"].stored()


@pytest.fixture
async def run(bus: Bus) -> AsyncIterator[Run]:
    writers = LogWriters(bus)
    await writers.start()
    yield Run(writers)
    await writers.stop()


async def watch(reads: LogReads, run: Run, *, after: int = 0, buffer: int = BUFFER_BYTES, fresh: bool = False,
                pause: float = 0.0) -> list[LogMessage]:  # fmt: skip
    """Everything until the run's end."""
    follower = Follower(reads, run.key, after=after, buffer_bytes=buffer)
    await follower.start(fresh=fresh)
    try:
        seen: list[LogMessage] = []
        while not follower.ended:
            seen += await follower.next(HEARTBEAT_SECONDS)
            if pause:
                await asyncio.sleep(pause)
        return seen
    finally:
        await follower.close()


async def log_of(reads: LogReads, run: Run, after: int = 0) -> list[LogMessage]:
    found: list[LogMessage] = []
    while page := await reads.page(run.key.all_lanes, (found[-1].sequence if found else after) + 1):
        found += page
    return found


async def test_watchers_from_everywhere_see_the_same(reads: LogReads, run: Run) -> None:
    watchers = [asyncio.create_task(watch(reads, run, fresh=fresh)) for fresh in (True, False)]
    await asyncio.sleep(0)
    await run.begin()
    await run.write(range(200))
    middle = run.lanes["one"].last
    watchers += [asyncio.create_task(watch(reads, run, after=after)) for after in (0, middle)]
    await run.write(range(200, 400))
    await run.end()
    whole = await log_of(reads, run)
    seen = await asyncio.gather(*watchers)
    assert seen[:3] == [whole] * 3
    assert seen[3] == [message for message in whole if message.sequence > middle]
    assert await watch(reads, run) == whole


async def test_a_slow_watcher_with_a_small_buffer_sees_it_all(reads: LogReads, run: Run) -> None:
    watching = asyncio.create_task(watch(reads, run, buffer=4096, pause=0.05))
    await run.begin()
    await run.write(range(3000))
    await run.end()
    assert await watching == await log_of(reads, run)


async def test_what_waits_for_a_watcher_that_does_not_read_is_bounded(reads: LogReads, run: Run) -> None:
    follower = Follower(reads, run.key, after=0, buffer_bytes=4096)
    await run.begin()
    await follower.start()
    seen = await follower.next(HEARTBEAT_SECONDS)
    while not follower._live:
        seen += await follower.next(HEARTBEAT_SECONDS)
    for number in range(300):
        run.lanes["one"].text("generation.delta", f"{number} " * 50)
        await run.lanes["one"].stored()
        assert sum(len(message.payload) for message in follower._queue) < 3 * 4096
        assert sum(len(message.payload) for message, _ in follower._held) < 3 * 4096
    await run.end()
    assert seen + await all_of(follower) == await log_of(reads, run)


def hearing(reads: LogReads, run: Run, hears: Callable[[bytes], bool]) -> Follower:
    """A watcher that is not told everything, as when a route between two servers breaks for a moment."""

    class HardOfHearing(Follower):
        def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
            if hears(payload):
                super()._on_live(lane, place, previous, payload)

    return HardOfHearing(reads, run.key, after=0, buffer_bytes=BUFFER_BYTES)


async def all_of(follower: Follower) -> list[LogMessage]:
    seen: list[LogMessage] = []
    while not follower.ended:
        seen += await follower.next(HEARTBEAT_SECONDS)
    await follower.close()
    return seen


@pytest.mark.parametrize("seed", range(5))
async def test_live_messages_that_are_lost_are_read_from_the_log(reads: LogReads, run: Run, seed: int) -> None:
    dice = random.Random(seed)
    follower = hearing(reads, run, lambda _: dice.random() > 0.2)
    await follower.start()
    watching = asyncio.create_task(all_of(follower))
    await run.begin()
    for number in range(400):
        run.lanes["run"].text("generation.delta", f"{number} ")
        if number % 3 == 0:
            await run.lanes["run"].stored()
    await run.end()
    assert await watching == await log_of(reads, run)


def by_lane(seen: list[LogMessage]) -> dict[bytes, list[bytes]]:
    return {lane: [m.payload for m in seen if m.lane == lane] for lane in {m.lane for m in seen}}


def cursors(seen: list[LogMessage]) -> list[int]:
    return [message.sequence for message in seen]


async def test_a_message_that_is_lost_in_one_lane_is_not_stepped_over_by_another(reads: LogReads, run: Run) -> None:
    follower = hearing(reads, run, lambda payload: b"lost" not in payload)
    await run.begin()
    await follower.start()
    seen = await follower.next(HEARTBEAT_SECONDS)
    for lane, text in (("one", "a "), ("one", "lost "), ("two", "b ")):
        run.lanes[lane].text("generation.delta", text)
        await run.lanes[lane].stored()
    while b'"b "' not in seen[-1].payload:
        seen += await follower.next(HEARTBEAT_SECONDS)
    run.lanes["one"].text("generation.delta", "c ")
    await run.lanes["one"].stored()
    await run.end()
    seen += await all_of(follower)
    assert by_lane(seen) == by_lane(await log_of(reads, run))
    assert cursors(seen) == sorted(cursors(seen)), "a cursor went back"


async def test_the_end_of_a_run_does_not_hide_a_lost_end_of_its_generation(reads: LogReads, run: Run) -> None:
    follower = hearing(reads, run, lambda payload: b"last words" not in payload)
    await run.begin()
    await follower.start()
    seen = await follower.next(HEARTBEAT_SECONDS)
    run.lanes["one"].text("generation.delta", "last words")
    await run.end((events.LaneEnd("one", await run.lanes["one"].stored()),))
    seen += await all_of(follower)
    assert by_lane(seen) == by_lane(await log_of(reads, run))
    assert cursors(seen) == sorted(cursors(seen)), "a cursor went back"


async def test_a_lost_last_message_is_found_at_the_next_silence(reads: LogReads, run: Run) -> None:
    follower = hearing(reads, run, lambda payload: b"run.completed" not in payload)
    await run.begin()
    await follower.start()
    assert await follower.next(HEARTBEAT_SECONDS)
    await run.end()
    assert [events.event_type(message.payload) for message in await all_of(follower)] == ["run.completed"]


async def test_silence_is_an_empty_answer_and_an_interrupt_ends_the_wait(reads: LogReads, run: Run) -> None:
    await run.begin()
    follower = Follower(reads, run.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    assert len(await follower.next(HEARTBEAT_SECONDS)) == 1
    assert await follower.next(HEARTBEAT_SECONDS) == []
    waiting = asyncio.create_task(follower.next(3600))
    await asyncio.sleep(0)
    follower.interrupt()
    assert await waiting == []
    await follower.close()


async def test_a_cut_connection_loses_nothing(servers: Servers, run: Run) -> None:
    async with connected_bus(servers, "cut") as bus:
        reads = LogReads(bus, 4)
        await reads.start()
        watching = asyncio.create_task(watch(reads, run))
        await run.begin()
        for start in range(0, 600, 100):
            await run.write(range(start, start + 100))
            bus.client._transport._io_writer.transport.abort()
        await run.end()
        assert await watching == await log_of(reads, run)


async def test_a_closed_watcher_leaves_nothing_behind(reads: LogReads, run: Run, bus: Bus) -> None:
    await run.begin()
    await run.end()
    before = len(bus.on_disconnect), len(bus.on_loss), len(bus.client._subs)
    for _ in range(20):
        await watch(reads, run)
    assert (len(bus.on_disconnect), len(bus.on_loss), len(bus.client._subs)) == before
