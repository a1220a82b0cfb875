"""A run told from its very start, in short: what is told of each lane, and where a client may go on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contracts import events
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog import newest, replay
from kit.runlog.follow import Follower
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.snapshots import FIRST_CHARACTERS
from kit.runlog.writer import LaneWriter
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import api, connected_bus
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import fold, snapshots_in, whole_log, without_snapshots
from tests.integration.runlog.lane import DELTA, a_key
from tests.integration.runlog.old_replica import leader_and_old_replica

BUFFER_BYTES = 256 * 1024
SILENCE_SECONDS = 0.3
LONG = "x" * FIRST_CHARACTERS


@dataclass
class Before:
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[events.ToolCall, ...] = ()


@dataclass
class Run:
    """A run that a test writes, message by message."""

    writers: LogWriters
    reads: LogReads
    lanes: dict[str, LaneWriter] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = a_key()

    async def tell(self, event: events.Event) -> int:
        lane = event.lane
        if lane not in self.lanes:
            self.lanes[lane] = self.writers.open(self.key, lane, attempt=1, last=0, before=Before())
        self.lanes[lane].event(event)
        return await self.lanes[lane].stored()

    async def create(self) -> int:
        return await self.tell(events.RunCreated(lane="run", at=1, run_id=self.key.run, kind="compare", generations=()))

    async def start(self, *lanes: str) -> None:
        for lane in lanes:
            await self.tell(events.GenerationStarted(lane=lane, at=1, attempt=1, model="m", provider="p"))

    async def say(self, lane: str, *texts: str) -> int:
        for text in texts:
            self.said[lane] = self.said.get(lane, "") + text
            self.lanes[lane].text(DELTA, text)
            await self.lanes[lane].stored()
        return self.lanes[lane].last

    async def complete(self, lane: str, **fields: Any) -> int:
        whole = {"text": self.said.get(lane, ""), "finish_reason": "stop", "provider": "p", **fields}
        return await self.tell(events.GenerationCompleted(lane=lane, at=1, attempt=1, model="m", **whole))

    async def end(self) -> int:
        return await self.tell(events.RunCompleted(lane="run", at=1, run_id=self.key.run))

    def follower(self, after: int = 0, **options: Any) -> Follower:
        return Follower(self.reads, self.key, after=after, **{"buffer_bytes": BUFFER_BYTES, **options})

    async def told(self, after: int = 0) -> list[LogMessage]:
        """What a watcher is told who comes now, until silence or the end."""
        return await all_told(self.follower(after))

    async def log(self) -> list[LogMessage]:
        return await whole_log(self.reads, self.key)


async def all_told(follower: Follower) -> list[LogMessage]:
    await follower.start()
    seen: list[LogMessage] = []
    try:
        while not follower.ended and (batch := await follower.next(SILENCE_SECONDS)):
            seen += batch
    finally:
        await follower.close()
    return seen


async def until_the_end(follower: Follower) -> list[LogMessage]:
    await follower.start()
    seen: list[LogMessage] = []
    while not follower.ended:
        seen += await follower.next(SILENCE_SECONDS)
    await follower.close()
    return seen


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
    yield Run(writers, reads)
    await writers.stop()


def kinds(told: list[LogMessage]) -> list[tuple[str, str]]:
    return [(message.lane.decode(), events.event_type(message.payload)) for message in told]


def short(kind: str) -> str:
    return f"generation.{kind}"


async def test_a_run_without_snapshots_is_told_as_it_is(run: Run) -> None:
    await run.create()
    await run.start("one", "two")
    await run.say("one", "a", "b")
    await run.complete("one")
    await run.end()
    assert await run.told() == await run.log()


async def test_a_lane_that_goes_on_is_told_by_its_snapshot_and_what_follows(run: Run) -> None:
    created = await run.create()
    await run.start("main")
    covers = await run.say("main", LONG)
    last = await run.say("main", "a", "b")
    told = await run.told()
    assert kinds(told) == [
        ("run", "run.created"), ("main", short("snapshot")), ("main", short("delta")), ("main", short("delta")),
    ]  # fmt: skip
    assert created < covers < last
    assert [message.sequence for message in told] == [0, covers, last - 1, last]
    assert fold(told) == fold(without_snapshots(await run.log()))


async def test_a_lane_that_has_ended_is_told_by_its_ending(run: Run) -> None:
    await run.create()
    await run.start("main")
    await run.say("main", LONG, "a")
    ending, end = await run.complete("main"), await run.end()
    told = await run.told()
    assert kinds(told) == [("run", "run.created"), ("main", short("completed")), ("run", "run.completed")]
    assert [message.sequence for message in told] == [0, ending, end]


@pytest.mark.parametrize("missing", ["text", "reasoning", "tool_calls"])
async def test_an_ending_that_carries_less_than_the_lane_says_does_not_stand_for_it(run: Run, missing: str) -> None:
    await run.create()
    await run.start("main")
    run.lanes["main"].text("generation.reasoning", "hm")
    await run.tell(events.GenerationToolCall(lane="main", at=1, call_id="c", name="f", arguments="{}"))
    await run.say("main", LONG)
    whole = {"text": LONG, "reasoning": "hm", "tool_calls": (events.ToolCall("c", "f", "{}"),)}
    await run.complete("main", **{**whole, missing: () if missing == "tool_calls" else None})
    told = kinds(await run.told())
    assert told == [("run", "run.created"), ("main", short("snapshot")), ("main", short("completed"))]


async def test_a_lane_that_began_again_since_its_snapshot_says_so(run: Run) -> None:
    await run.create()
    await run.start("main")
    await run.say("main", LONG)
    await run.tell(events.GenerationRestarted(lane="main", at=1, attempt=2))
    await run.say("main", "new")
    told = await run.told()
    assert short("snapshot") in dict(map(reversed, kinds(told)))  # type: ignore[arg-type]
    assert fold(told).lanes["main"].text == "new"


async def test_lanes_of_each_kind_together(run: Run) -> None:
    """Places: run 1, short 2, long 3, over 4, then they speak by turns."""
    await run.create()
    await run.start("short", "long", "over")
    for _ in range(3):
        await run.say("short", "s")
        await run.say("long", LONG)
        await run.say("over", LONG)
    await run.tell(events.Notice(lane="run", at=1, code="c", message="m"))
    await run.complete("over")
    await run.say("long", "l")
    last = await run.say("short", "s")
    told, log = await run.told(), await run.log()
    assert kinds(told) == [
        ("run", "run.created"),
        ("run", "notice"),
        ("over", short("completed")),
        ("long", short("snapshot")),
        ("long", short("delta")),
        ("short", short("started")),
        *[("short", short("delta"))] * 4,
    ]
    assert fold(told) == fold(without_snapshots(log))
    assert [message.sequence for message in told] == [0] * 9 + [last], "until the last lane is told there is no place"
    await run.complete("short")
    assert [kind for _, kind in kinds(await run.told(last))] == [short("completed")]


async def test_the_last_lane_has_places_from_where_the_others_end(run: Run) -> None:
    await run.create()
    await run.start("first", "second")
    await run.say("first", LONG)
    await run.say("second", LONG, "a")
    other = await run.say("first", "b")
    more = await run.say("second", "c", "d")
    told = await run.told()
    assert [message.sequence for message in told if message.sequence] == [more - 1, more]
    assert other < more - 1
    for message in told:
        if message.sequence:
            before = [m for m in told if m.sequence <= message.sequence and told.index(m) <= told.index(message)]
            rest = await run.told(message.sequence)
            assert fold(before + rest) == fold(without_snapshots(await run.log()))


async def test_what_begins_and_ends_after_the_opening_is_told_live(run: Run) -> None:
    await run.create()
    await run.start("main")
    await run.say("main", LONG)
    follower = run.follower()
    await follower.start()
    seen = await follower.next(SILENCE_SECONDS)
    assert kinds(seen)[-1] == ("main", short("snapshot"))
    await run.start("late")
    await run.say("late", LONG, "b")
    await run.say("main", LONG, "c")
    await run.complete("main")
    await run.complete("late")
    await run.end()
    while not follower.ended:
        seen += await follower.next(SILENCE_SECONDS)
    await follower.close()
    assert [lane for lane, kind in kinds(seen) if kind == short("snapshot")] == ["main"], "live tells none"
    log = await run.log()
    assert {lane for lane, _, _ in snapshots_in(log)} == {"main", "late"}
    assert fold(seen) == fold(without_snapshots(log))
    assert [m.sequence for m in seen[2:]] == [
        m.sequence for m in without_snapshots(log) if m.sequence > seen[1].sequence
    ]


async def test_by_a_cursor_no_snapshot_is_told(run: Run) -> None:
    created = await run.create()
    await run.start("main")
    await run.say("main", LONG, "a", LONG, "b")
    log = await run.log()
    assert snapshots_in(log)
    assert await run.told(created) == without_snapshots(log)[1:]


async def test_who_was_there_before_the_run_sees_every_delta(run: Run) -> None:
    follower = run.follower()
    await follower.start(fresh=True)
    await run.create()
    await run.start("main")
    await run.say("main", LONG, "a", LONG, "b")
    seen: list[LogMessage] = []
    while len(seen) < len(log := without_snapshots(await run.log())):
        seen += await follower.next(SILENCE_SECONDS)
    await follower.close()
    assert seen == log


async def test_who_was_there_before_the_run_is_not_told_it_again_from_its_start(run: Run) -> None:
    follower = run.follower()
    await follower.start(fresh=True)
    await run.create()
    await run.start("main")
    await run.say("main", LONG, "a")
    seen = await follower.next(SILENCE_SECONDS)
    follower._rejoin()
    await run.say("main", LONG, "b")
    while len(seen) < len(log := without_snapshots(await run.log())):
        seen += await follower.next(SILENCE_SECONDS)
    await follower.close()
    assert seen == log


async def test_a_snapshot_that_is_stored_is_nothing_to_a_live_watcher(run: Run) -> None:
    await run.create()
    await run.start("main")
    follower = run.follower(buffer_bytes=4096)
    await follower.start()
    while not follower._live:
        await follower.next(SILENCE_SECONDS)
    await run.say("main", LONG)
    assert len(await follower.next(SILENCE_SECONDS)) == 1
    waiting = asyncio.create_task(follower.next(3600))
    await run.say("main", LONG)
    await asyncio.wait({waiting})
    waiting = asyncio.create_task(follower.next(3600))
    found = snapshots_in(await run.log())
    assert len(found) == 2
    await asyncio.sleep(0)
    assert not waiting.done()
    assert follower._queue == []
    follower.interrupt()
    await waiting
    await follower.close()


@pytest.mark.parametrize("held", [1, 2000, 10**6])
async def test_many_long_lanes_are_held_a_few_at_a_time(run: Run, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """A reader that never comes back costs so much and no more."""
    monkeypatch.setattr(newest, "HELD_BYTES", held)
    names = [f"lane{number}" for number in range(12)]
    await run.create()
    await run.start(*names)
    for name in names:
        await run.say(name, LONG, "a")
    for name in names[::2]:
        await run.complete(name)
    follower = run.follower()
    await follower.start()
    seen: list[LogMessage] = []
    while batch := await follower.next(SILENCE_SECONDS):
        assert sum(len(message.payload) for message in batch) <= held + 1000
        blocks = (follower._replay._blocks if follower._replay else None) or ()
        assert sum(len(block.head.payload) for block in blocks if block.head) <= held + 200
        seen += batch
    await follower.close()
    assert fold(seen) == fold(without_snapshots(await run.log()))
    assert len([kind for _, kind in kinds(seen) if kind == short("snapshot")]) == 6


async def test_a_look_at_many_lanes_goes_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.runlog.reads.PAGE_BYTES", 1000)
    names = [f"lane{number}" for number in range(12)]
    await run.create()
    await run.start(*names)
    for name in names:
        await run.say(name, LONG, "a")
    seen = await newest.look(run.reads, run.key)
    assert seen is not None
    assert {name.decode(): lane.message.sequence for name, lane in seen.items()} == {
        name: lane.last for name, lane in run.lanes.items()
    }
    assert all(lane.snapshot for name, lane in seen.items() if name != b"run")


async def test_more_lanes_than_can_be_asked_for_are_told_as_they_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    await run.create()
    await run.start("main")
    await run.say("main", LONG, "a")
    for number in range(1030):
        await run.reads.bus.client.publish(run.key.lane(f"lane{number}"), b'{"type":"notice","lane":"x","at":1}')
    await run.reads.bus.client.flush()

    async def all_there() -> bool:
        return len(await run.log()) > 1030

    await until(all_there)
    assert await newest.look(run.reads, run.key) is None
    assert await run.told() == without_snapshots(await run.log())


async def test_a_long_lane_run_is_told_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_RUN_LANE_BYTES", 2000)
    monkeypatch.setattr("kit.runlog.reads.PAGE_BYTES", 1000)
    await run.create()
    await run.start("main")
    await run.say("main", LONG, "a")
    for number in range(30):
        await run.tell(events.Notice(lane="run", at=number, code="c", message="m" * 100))
    assert await run.told() == without_snapshots(await run.log())
    monkeypatch.undo()
    told = await run.told()
    assert ("main", short("snapshot")) in kinds(told)
    assert fold(told) == fold(without_snapshots(await run.log()))


async def test_a_log_that_is_away_in_the_middle_is_asked_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.runlog.reads.PAGE_TIMEOUT_SECONDS", 0.05)
    await run.create()
    await run.start("one", "two")
    for lane in ("one", "two"):
        await run.say(lane, LONG, "a", "b")
    publish, number = run.reads.bus.client.publish, 0

    async def now_and_then(*arguments: Any, reply: str = "", **options: Any) -> None:
        nonlocal number
        page = reply.startswith(run.reads._inbox.decode())
        number += page
        if number % 2 or not page:
            await publish(*arguments, reply=reply, **options)

    monkeypatch.setattr(run.reads.bus.client, "publish", now_and_then)
    follower = run.follower()
    await follower.start()
    seen: list[LogMessage] = []
    while follower._replay is not None or not follower._live:
        seen += await follower.next(SILENCE_SECONDS)
    await follower.close()
    monkeypatch.undo()
    assert fold(seen) == fold(without_snapshots(await run.log()))


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_connection_that_is_lost_in_the_middle_repeats_nothing(run: Run, steps: int) -> None:
    await run.create()
    await run.start("one", "two")
    for lane in ("one", "two"):
        await run.say(lane, LONG, "a", "b")
    follower = run.follower()
    await follower.start()
    seen: list[LogMessage] = []
    for _ in range(steps):
        seen += await follower.next(SILENCE_SECONDS)
    follower._lost()
    while batch := await follower.next(SILENCE_SECONDS):
        seen += batch
    await follower.close()
    assert fold(seen) == fold(without_snapshots(await run.log()))


async def test_a_hole_behind_a_snapshot_is_repaired_from_where_the_lane_was_told(run: Run) -> None:
    class HardOfHearing(Follower):
        def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
            if b"lost" not in payload:
                super()._on_live(lane, place, previous, payload)

    await run.create()
    await run.start("one", "two")
    for lane in ("one", "two"):
        await run.say(lane, LONG, "a")
    follower = HardOfHearing(run.reads, run.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    seen: list[LogMessage] = []
    while not follower._live:
        seen += await follower.next(SILENCE_SECONDS)
    await run.say("one", "lost")
    await run.say("two", "b")
    await run.say("one", "c")
    while batch := await follower.next(SILENCE_SECONDS):
        seen += batch
    await follower.close()
    assert fold(seen) == fold(without_snapshots(await run.log()))


async def test_a_run_that_is_purged_meanwhile_ends_the_stream(run: Run, bus: Bus) -> None:
    """Its client comes back and is told what is stored."""
    await run.create()
    await run.start("one", "two")
    for lane in ("one", "two"):
        await run.say(lane, LONG, "a")
    last = await run.say("one", "b")
    halfway, by_cursor, unlucky = run.follower(), run.follower(last), run.follower(known=last)
    for follower in (halfway, by_cursor, unlucky):
        await follower.start()
    assert await halfway.next(SILENCE_SECONDS)
    await api(bus.client, "STREAM.PURGE.RUNS", {"filter": run.key.all_lanes})
    for follower in (halfway, by_cursor, unlucky):
        while not follower.ended:
            await follower.next(SILENCE_SECONDS)
        await follower.close()


async def test_a_run_that_is_not_there_yet_is_waited_for(run: Run) -> None:
    follower = run.follower()
    await follower.start()
    assert await follower.next(SILENCE_SECONDS) == []
    assert not follower.ended
    await run.create()
    assert kinds(await follower.next(SILENCE_SECONDS)) == [("run", "run.created")]
    await follower.close()


async def test_a_replica_that_is_behind_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows a snapshot, and neither the lane's last words nor its ending."""
    async with leader_and_old_replica(tmp_path, monkeypatch) as (leader, reader, replica):
        writers, reads = LogWriters(leader), LogReads(reader, 4)
        await writers.start()
        await reads.start()
        run = Run(writers, reads)
        await run.create()
        await run.start("main")
        await run.say("main", LONG, "a")
        await replica.stay_behind()
        await run.say("main", "b")
        await run.complete("main")
        await run.end()
        telling = asyncio.create_task(until_the_end(run.follower()))
        before = replica.asked

        async def asked() -> bool:
            return replica.asked > before + 3

        await until(asked)
        assert not telling.done()
        replica.catch_up()
        assert kinds(await telling) == [("run", "run.created"), ("main", short("completed")), ("run", "run.completed")]
        await writers.stop()
