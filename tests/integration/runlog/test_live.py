"""Many watchers of a run cost what one costs, and one that does not take what is there costs nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import events
from kit.bus.connection import Bus
from kit.bus.frames import FrameSplitter
from kit.bus.streams import declare_streams
from kit.runlog.follow import Follower
from kit.runlog.lane import RunKey
from kit.runlog.live import LiveRuns
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.recent import Keep
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import connected_bus
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import whole_log
from tests.integration.runlog.lane import DELTA, a_key

BUFFER_BYTES = 8 * 1024
SILENCE_SECONDS = 0.2
TEXT = "x" * 1000


class Run:
    """One lane that is written on one connection and watched on another, of which is known what comes in."""

    def __init__(self, watching: Bus, reads: LogReads, writing: Bus, writers: LogWriters) -> None:
        self.key, self.reads, self._watching, self._writing = a_key(), reads, watching, writing
        self._lane = writers.open(self.key, "main", attempt=1, last=0)
        self.run_lane = writers.open(self.key, "run", attempt=1, last=0)
        self.received = 0
        self.log_reads = 0

    async def say(self, times: int, text: str = TEXT) -> None:
        for _ in range(times):
            self._lane.text(DELTA, text)
            await self._lane.stored()

    async def begin(self) -> None:
        created = events.RunCreated(lane="run", at=1, run_id=self.key.run, kind="chat", generations=())
        self.run_lane.event(created)
        await self.run_lane.stored()

    async def end(self) -> None:
        self.run_lane.event(events.RunCompleted(lane="run", at=1, run_id=self.key.run, ends=()))
        await self.run_lane.stored()

    async def comes_back(self, cursor: int) -> list[LogMessage]:
        """What a watcher with a cursor is told at first; `log_reads` counts what it asks the log."""
        self.log_reads = 0
        follower = Follower(self.reads, self.key, after=cursor, buffer_bytes=BUFFER_BYTES)
        await follower.start()
        seen = await follower.next(SILENCE_SECONDS)
        await follower.close()
        return seen

    async def told(self) -> bool:
        """Whether NATS has anybody to tell."""
        try:
            await self._writing.client.request(self.key.live.replace("*", "asked"), timeout=0.05)
        except NoRespondersError:
            return False
        except NatsTimeoutError:
            return True
        raise AssertionError("nobody answers there")

    async def untold(self) -> bool:
        return not await self.told()

    async def arrived(self) -> int:
        """Bytes that have come in on the connection of the watchers."""
        await self._watching.client.flush()
        return self.received

    async def watcher(self) -> tuple[Follower, list[LogMessage]]:
        """One that is live."""
        follower = Follower(self.reads, self.key, after=0, buffer_bytes=BUFFER_BYTES)
        await follower.start()
        seen: list[LogMessage] = []
        while not follower._live:
            seen += await follower.next(SILENCE_SECONDS)
        return follower, seen


async def rest(follower: Follower, seen: list[LogMessage], whole: list[LogMessage]) -> list[LogMessage]:
    async with asyncio.timeout(30):
        while len(seen) < len(whole):
            seen += await follower.next(SILENCE_SECONDS)
    return seen


@pytest.fixture
def keep() -> Keep:
    return Keep()


@pytest.fixture
async def run(servers: Servers, monkeypatch: pytest.MonkeyPatch, keep: Keep) -> AsyncIterator[Run]:
    async with connected_bus(servers) as writing, connected_bus(servers) as watching:
        await declare_streams(writing.client, 1)
        writers, reads = LogWriters(writing), LogReads(watching, 4, keep)
        await writers.start()
        await reads.start()
        found = Run(watching, reads, writing, writers)
        splitter = watching.client._transport._io_writer.transport.get_protocol()._splitter
        feed = FrameSplitter.feed

        def counted(self: FrameSplitter, data: bytes) -> bytes:
            found.received += len(data) if self is splitter else 0
            return feed(self, data)

        async def newest(self: LogReads, subject: str) -> int:
            found.log_reads += 1
            return await ask(self, subject)

        ask = LogReads.newest
        monkeypatch.setattr(FrameSplitter, "feed", counted)
        monkeypatch.setattr(LogReads, "newest", newest)
        yield found
        await writers.stop()


async def test_many_watchers_of_a_run_are_sent_each_message_once(run: Run) -> None:
    await run.say(1)
    watchers = [await run.watcher() for _ in range(20)]
    before = await run.arrived()
    await run.say(5)
    assert (await run.arrived()) - before < 2 * 5 * len(TEXT)
    whole = await whole_log(run.reads, run.key)
    assert len(whole) == 6
    for follower, seen in watchers:
        assert await rest(follower, seen, whole) == whole
        assert await run.told()
        await follower.close()
    await until(run.untold)


async def test_a_watcher_that_takes_nothing_is_sent_nothing_until_it_takes_again(run: Run) -> None:
    await run.say(1)
    follower, seen = await run.watcher()
    await run.say(12)
    await until(run.untold)
    assert not follower._queue
    assert not follower._held
    before = await run.arrived()
    await run.say(50)
    assert (await run.arrived()) - before < len(TEXT)
    assert await rest(follower, seen, whole := await whole_log(run.reads, run.key)) == whole
    assert await run.told(), "it is live again"
    await run.say(1)
    assert await rest(follower, seen, whole := await whole_log(run.reads, run.key)) == whole
    await follower.close()


async def test_a_watcher_that_stops_while_it_reads_the_log_is_sent_nothing(run: Run) -> None:
    await run.say(60)
    follower = Follower(run.reads, run.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    seen = await follower.next(SILENCE_SECONDS)
    assert len(seen) < 60
    await run.say(12)
    await until(run.untold)
    assert not follower._held
    assert await rest(follower, seen, whole := await whole_log(run.reads, run.key)) == whole
    await follower.close()


async def test_one_that_takes_nothing_costs_the_others_of_its_run_nothing(run: Run) -> None:
    await run.say(1)
    (stuck, stuck_seen), (reading, seen) = await run.watcher(), await run.watcher()
    for _ in range(40):
        await run.say(1)
        seen += await reading.next(30)
    assert not run.reads.live.tells(run.key, stuck._on_live)
    assert run.reads.live.tells(run.key, reading._on_live)
    whole = await whole_log(run.reads, run.key)
    assert seen == whole
    assert await rest(stuck, stuck_seen, whole) == whole
    for follower in (stuck, reading):
        await follower.close()


async def test_what_is_read_at_once_is_no_more_than_may_wait(run: Run) -> None:
    await run.say(60)
    follower = Follower(run.reads, run.key, after=1, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    batch = await follower.next(SILENCE_SECONDS)
    assert 1 < sum(len(message.payload) for message in batch) < BUFFER_BYTES + 2 * len(TEXT)
    await follower.close()


async def test_who_gives_up_while_the_subscription_is_made_leaves_nothing_behind(run: Run) -> None:
    live, key = run.reads.live, RunKey("t", "u", "chat_nobody")
    subscriptions = len(run.reads.bus.client._subs)
    heard: list[int] = []

    def hear(lane: bytes, place: int, previous: int, payload: bytes) -> None:
        heard.append(place)

    joining = [asyncio.create_task(live.join(key, hear)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in joining:
        task.cancel()
    await asyncio.gather(*joining, return_exceptions=True)

    async def nothing_left() -> bool:
        return len(run.reads.bus.client._subs) == subscriptions

    await until(nothing_left)
    assert not live._runs


async def test_who_leaves_while_a_message_is_told_does_not_keep_it_from_the_others(run: Run) -> None:
    live: LiveRuns = run.reads.live
    first: list[int] = []
    second: list[int] = []

    def once(lane: bytes, place: int, previous: int, payload: bytes) -> None:
        first.append(place)
        live.leave(run.key, once)

    def always(lane: bytes, place: int, previous: int, payload: bytes) -> None:
        second.append(place)

    await live.join(run.key, once)
    await live.join(run.key, always)
    await run.reads.bus.client.flush()
    await run.say(3)

    async def all_told() -> bool:
        return len(second) == 3

    await until(all_told)
    assert first == second[:1]
    live.leave(run.key, always)
    live.leave(run.key, always)
    await until(run.untold)


BACK_SOON = Keep(bytes_=BUFFER_BYTES, seconds=60)


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_who_comes_back_soon_asks_nothing_of_the_log(run: Run) -> None:
    await run.begin()
    await run.say(1)
    follower, seen = await run.watcher()
    await follower.close()
    await run.say(3)
    await run.arrived()
    whole = await whole_log(run.reads, run.key)
    assert await run.comes_back(seen[-1].sequence) == whole[2:]
    assert run.log_reads == 0
    assert await run.comes_back(whole[3].sequence) == whole[4:]
    assert run.log_reads == 0
    assert await run.comes_back(whole[0].sequence) == whole[1:], "from before it was watched"
    assert run.log_reads == 1


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_a_run_that_is_watched_from_its_beginning_is_known_from_there(run: Run) -> None:
    follower = Follower(run.reads, run.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start(fresh=True)
    await run.reads.bus.client.flush()
    await run.begin()
    await run.say(3)
    await run.arrived()
    await follower.close()
    whole = await whole_log(run.reads, run.key)
    assert await run.comes_back(whole[0].sequence) == whole[1:]
    assert run.log_reads == 0


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_what_is_kept_of_a_run_is_bounded_and_the_rest_is_read(run: Run) -> None:
    await run.begin()
    follower, seen = await run.watcher()
    await run.say(30)
    await run.arrived()
    recent = run.reads.live.recent(run.key)
    assert recent is not None
    assert len(recent.after(0)) <= BUFFER_BYTES / len(TEXT)
    whole = await whole_log(run.reads, run.key)
    assert (await run.comes_back(seen[-1].sequence))[:3] == whole[1:4]
    assert run.log_reads == 1
    assert await run.comes_back(whole[-2].sequence) == whole[-1:]
    assert run.log_reads == 0
    await follower.close()


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_after_a_lost_connection_the_log_is_asked(run: Run) -> None:
    await run.begin()
    await run.say(1)
    follower, seen = await run.watcher()
    for lose in (*run.reads.bus.on_disconnect,):
        lose()
    await run.say(1)
    assert len(await run.comes_back(seen[-1].sequence)) == 1
    assert run.log_reads == 1
    await follower.close()


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_a_message_that_is_missing_among_those_that_are_kept_is_read(run: Run) -> None:
    await run.begin()
    await run.say(1)
    follower, seen = await run.watcher()
    await run.say(3)
    await run.arrived()
    recent = run.reads.live.recent(run.key)
    assert recent is not None
    del recent._told[1]
    whole = await whole_log(run.reads, run.key)
    assert await run.comes_back(seen[-1].sequence) == whole[2:]
    assert run.log_reads == 1
    await follower.close()


@pytest.mark.parametrize("keep", [Keep(bytes_=BUFFER_BYTES, seconds=0.1)])
async def test_nobody_is_waited_for_longer_than_that(run: Run) -> None:
    await run.begin()
    follower, _ = await run.watcher()
    await follower.close()
    await until(run.untold)
    assert run.reads.live.recent(run.key) is None


@pytest.mark.parametrize("keep", [BACK_SOON])
async def test_nobody_is_waited_for_when_the_run_has_ended(run: Run) -> None:
    await run.begin()
    follower, _ = await run.watcher()
    await run.end()
    while not follower.ended:
        await follower.next(SILENCE_SECONDS)
    await follower.close()
    await until(run.untold)
    assert run.reads.live.recent(run.key) is None
