"""A message that was stored and did not reach a watcher is told nevertheless, whatever the others did meanwhile."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts import events
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog import holes
from kit.runlog.follow import Follower
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import connected_bus
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import fold, whole_log
from tests.integration.runlog.lane import DELTA, a_key
from tests.integration.runlog.old_replica import leader_and_old_replica

SILENCE_SECONDS = 0.2


class HardOfHearing(Follower):
    """Hears what the test lets through."""

    hears: Callable[[bytes], bool] = staticmethod(lambda payload: b"lost" not in payload)

    def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
        if self.hears(payload):
            super()._on_live(lane, place, previous, payload)


class Run:
    """Lanes `run`, `one` and `two`, and a watcher who is live already."""

    def __init__(self, writers: LogWriters, reads: LogReads) -> None:
        self.key, self.reads = a_key(), reads
        self.lanes = {lane: writers.open(self.key, lane, attempt=1, last=0) for lane in ("run", "one", "two")}
        self.watcher = HardOfHearing(reads, self.key, after=0, buffer_bytes=64 * 1024)
        self.seen: list[LogMessage] = []

    async def begin(self) -> None:
        self.lanes["run"].event(
            events.RunCreated(lane="run", at=1, run_id=self.key.run, kind="compare", generations=())
        )
        await self.lanes["run"].stored()
        await self.watcher.start()
        while not self.watcher._live:
            self.seen += await self.watcher.next(SILENCE_SECONDS)

    async def say(self, lane: str, *texts: str) -> int:
        for text in texts:
            self.lanes[lane].text(DELTA, text)
            await self.lanes[lane].stored()
        return self.lanes[lane].last

    async def silence(self) -> None:
        while batch := await self.watcher.next(SILENCE_SECONDS):
            self.seen += batch

    async def told(self) -> None:
        """All of it, sooner or later."""

        async def look() -> bool:
            self.seen += await self.watcher.next(SILENCE_SECONDS)
            return len(self.seen) >= len(await whole_log(self.reads, self.key))

        await until(look)
        assert await self.whole()

    async def whole(self) -> bool:
        """All of it was seen, each once, and no cursor went back."""
        places = [message.sequence for message in self.seen]
        log = await whole_log(self.reads, self.key)
        return places == sorted(places) and len(places) == len(log) and fold(self.seen) == fold(log)


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


@pytest.fixture
async def run(bus: Bus) -> AsyncIterator[Run]:
    writers, reads = LogWriters(bus), LogReads(bus, 4)
    await writers.start()
    await reads.start()
    found = Run(writers, reads)
    await found.begin()
    yield found
    await found.watcher.close()
    await writers.stop()


@pytest.mark.parametrize("lost", [1, holes.REPAIR_MESSAGES, 3 * holes.REPAIR_MESSAGES + 1])
async def test_a_page_of_the_log_does_not_hide_what_was_lost_before_it(run: Run, lost: int) -> None:
    """The lane speaks again, but in a page, which does not say what came before."""
    await run.say("one", "a", *["lost"] * lost)
    await run.say("two", "b")
    await run.silence()
    run.watcher.hears = lambda payload: False
    await run.say("one", "c")
    await run.say("two", "d")
    await run.told()


async def test_a_lane_whose_only_word_was_lost_is_not_forgotten(run: Run) -> None:
    await run.say("one", "lost")
    await run.say("two", "b")
    await run.silence()
    run.watcher.hears = lambda payload: False
    await run.say("one", "c")
    await run.told()


@pytest.mark.parametrize("hears", [True, False], ids=["live", "in a page"])
async def test_the_runs_ending_tells_of_an_ending_that_was_lost(run: Run, hears: bool) -> None:
    last = await run.say("one", "a", "lost")
    await run.say("two", "b")
    await run.silence()
    run.watcher.hears = lambda payload: hears
    ends = events.LaneEnd("two", await run.say("two", "c")), events.LaneEnd("one", last)
    run.lanes["run"].event(events.RunCompleted(lane="run", at=1, run_id=run.key.run, ends=ends))
    await run.lanes["run"].stored()
    while not run.watcher.ended:
        run.seen += await run.watcher.next(SILENCE_SECONDS)
    assert await run.whole()
    assert run.seen[-1].lane == b"run"


async def test_a_repair_that_is_interrupted_goes_on_where_it_was(run: Run) -> None:
    """What comes late has the cursor of what came before; it is no sign that the lane is whole."""
    await run.say("one", "a", *["lost"] * 3 * holes.REPAIR_MESSAGES)
    await run.say("two", "b")
    await run.silence()
    await run.say("one", "c")
    run.seen += await run.watcher.next(SILENCE_SECONDS)
    run.watcher._lost()
    await run.told()


async def test_a_replica_that_has_not_heard_of_what_was_lost_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with leader_and_old_replica(tmp_path, monkeypatch) as (leader, reader, replica):
        writers, reads = LogWriters(leader), LogReads(reader, 4)
        await writers.start()
        await reads.start()
        run = Run(writers, reads)
        await run.begin()
        await run.say("one", "a")
        await run.silence()
        await replica.stay_behind()
        await run.say("one", "lost")
        await run.say("two", "b")
        run.seen += await run.watcher.next(SILENCE_SECONDS)
        assert run.seen[-1].lane == b"two"
        await run.say("one", "c")
        before = replica.asked

        async def asked() -> bool:
            run.seen += await run.watcher.next(SILENCE_SECONDS)
            return replica.asked > before + 3

        await until(asked)
        replica.catch_up()
        await run.told()
        await run.watcher.close()
        await writers.stop()


async def test_a_replica_that_is_behind_does_not_hide_what_was_lost_before_a_page(run: Run) -> None:
    """It answers when the lane is asked; another one has given the page."""
    await run.say("one", "a", "lost")
    await run.say("two", "b")
    await run.silence()
    page, behind = run.reads.page, 3

    async def now_and_then(subject: str, *arguments: int, **options: int) -> list[LogMessage]:
        nonlocal behind
        if subject != run.key.all_lanes and behind:
            behind -= 1
            return []
        return await page(subject, *arguments, **options)

    run.reads.page = now_and_then  # type: ignore[method-assign]
    run.watcher.hears = lambda payload: False
    await run.say("one", "c")
    await run.told()
    assert behind == 0


async def test_who_was_never_live_is_not_asked_for_more(run: Run) -> None:
    """A join reads the log in order: there is nothing to doubt."""
    await run.say("one", *"abc")
    watcher = Follower(run.reads, run.key, after=1, buffer_bytes=64 * 1024)
    await watcher.start()
    read: list[str] = []
    page = run.reads.page

    async def remembered(subject: str, *arguments: int, **options: int) -> list[LogMessage]:
        read.append(subject)
        return await page(subject, *arguments, **options)

    run.reads.page = remembered  # type: ignore[method-assign]
    assert len(await watcher.next(SILENCE_SECONDS)) == 4
    assert read == [run.key.all_lanes]
    await watcher.close()
