"""However a run is watched, the same is shown: live, from the log, in short, resumed from any cursor, by slow readers.

Runs are written by chance: lanes that speak, think, call tools, begin again, are taken over, and end each in its way.
"""

import asyncio
import random
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from contracts import events
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog import newest
from kit.runlog.follow import Follower
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.recent import Keep
from kit.runlog.writer import LaneWriter
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import connected_bus
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import Shown, fold, is_true, snapshots_in, whole_log, without_snapshots
from tests.integration.runlog.lane import DELTA, a_key

SILENCE_SECONDS = 0.2
STEPS = 300
SEEDS = 12


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


@pytest.fixture
async def reads(bus: Bus) -> LogReads:
    found = LogReads(bus, 4, Keep(bytes_=16 * 1024, seconds=5))  # some who come back find it here, others do not
    await found.start()
    return found


@dataclass
class Said:
    """What a lane adds up to."""

    text: str = ""
    reasoning: str = ""
    calls: list[events.ToolCall] = field(default_factory=list)

    @property
    def tool_calls(self) -> tuple[events.ToolCall, ...]:
        return tuple(self.calls)


class Lane:
    """One generation, whose workers change."""

    def __init__(self, writers: LogWriters, key: RunKey, name: str, dice: random.Random) -> None:
        self.name, self.dice, self.said, self.attempt = name, dice, Said(), 1
        self._writers, self._key = writers, key
        self.zombies: list[LaneWriter] = []
        self.writer = self._open(last=0)

    def _open(self, last: int) -> LaneWriter:
        before = Said(self.said.text, self.said.reasoning, list(self.said.calls))
        writer = self._writers.open(self._key, self.name, attempt=self.attempt, last=last, before=before)
        writer.event(events.GenerationStarted(lane=self.name, at=1, attempt=self.attempt, model="m", provider="p"))
        return writer

    async def step(self) -> None:
        """Something happens."""
        dice = self.dice
        words = "".join(dice.choice('aé🌊\n"\\ ') for _ in range(dice.randrange(1, 120)))
        match dice.random():
            case x if x < 0.55:
                self.said.text += words
                self.writer.text(DELTA, words)
            case x if x < 0.75:
                self.said.reasoning += words
                self.writer.text("generation.reasoning", words)
            case x if x < 0.8:
                self.said.calls.append(events.ToolCall(str(dice.random()), "f", words))
                call = self.said.calls[-1]
                self.writer.event(
                    events.GenerationToolCall(
                        lane=self.name, at=1, call_id=call.call_id, name=call.name, arguments=call.arguments
                    )
                )
            case x if x < 0.82:
                self.said = Said()
                self.writer.event(events.GenerationRestarted(lane=self.name, at=1, attempt=self.attempt))
            case x if x < 0.85:
                await self._taken_over()
            case x if x < 0.95:
                await self.writer.stored()
        for zombie in self.zombies:
            zombie.text(DELTA, "zombie " * 50)

    async def _taken_over(self) -> None:
        last = await self.writer.stored()
        self.zombies.append(self.writer)
        self.attempt += 1
        self.writer = self._open(last)
        await self.writer.stored()  # before the zombie speaks: it is fenced

    async def end(self) -> None:
        """In one of the ways there are; who fails or is cancelled may leave the words out."""
        common = {"lane": self.name, "at": 1, "attempt": self.attempt, "model": "m"}
        said = {"text": self.said.text, "reasoning": self.said.reasoning or None, "tool_calls": self.said.tool_calls}
        match self.dice.randrange(4):
            case 0:
                ending: events.Event = events.GenerationCompleted(**common, **said, provider="p", finish_reason="stop")
            case 1:
                ending = events.GenerationCancelled(**common, **said)
            case 2:
                ending = events.GenerationFailed(**common, **said, error=events.Error("c", "m"))
            case _:
                ending = events.GenerationFailed(**common, error=events.Error("c", "m"))
        self.writer.event(ending)
        await self.writer.stored()


class HardOfHearing(Follower):
    """Some of what is live does not reach it. It must stay: the hole in one lane shows when that lane speaks again."""

    def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
        if zlib.crc32(payload) % 10:
            super()._on_live(lane, place, previous, payload)


class Watching:
    """Clients that come at any moment, read at any pace, leave and come back."""

    def __init__(self, reads: LogReads, key: RunKey, dice: random.Random) -> None:
        self._reads, self._key, self._dice = reads, key, dice
        self.tasks: list[asyncio.Task[Shown]] = []

    def begin(self, *, stays: bool) -> None:
        seed = self._dice.random()
        self.tasks.append(asyncio.create_task(self._watch(random.Random(seed), stays=stays)))

    async def _watch(self, dice: random.Random, *, stays: bool) -> Shown:
        shown, cursor, ended = Shown(), 0, False
        leaves = 0.0 if stays else 0.3
        while not ended:
            told, ended = await self._connection(dice, cursor, leaves)
            if told:
                if cursor == 0:
                    shown = Shown()
                shown.take(told)
                cursor = told[-1].sequence
                if cursor == 0:  # it is told all of it again, and would never come to the end
                    leaves /= 2
        return shown

    async def _connection(self, dice: random.Random, cursor: int, leaves: float) -> tuple[list[LogMessage], bool]:
        buffer = dice.choice([4096, 65536])
        kind = dice.choice([Follower, HardOfHearing]) if leaves == 0 else Follower
        follower = kind(self._reads, self._key, after=cursor, buffer_bytes=buffer)
        await follower.start()
        told: list[LogMessage] = []
        try:
            while not follower.ended:
                batch = await follower.next(SILENCE_SECONDS)
                await asyncio.sleep(dice.random() / 100)
                if batch and dice.random() < leaves:  # cut in the middle of what was sent
                    told += batch[: dice.randrange(1, len(batch) + 1)]
                    return told, events.event_type(told[-1].payload) in events.RUN_ENDINGS
                told += batch
        finally:
            await follower.close()
        return told, True


async def written(writers: LogWriters, key: RunKey, dice: random.Random, watching: Watching) -> None:
    """A run from its first event to its last, with watchers who come on the way."""
    run = writers.open(key, "run", attempt=1, last=0)
    run.event(events.RunCreated(lane="run", at=1, run_id=key.run, kind="compare", generations=()))
    await run.stored()
    watching.begin(stays=True)
    lanes = [Lane(writers, key, f"lane{number}", dice) for number in range(dice.randrange(1, 5))]
    running = list(lanes)
    for step in range(STEPS):
        if running:
            lane = dice.choice(running)
            await lane.step()
            if dice.random() < 0.02:
                running.remove(lane)
                await lane.end()
        if dice.random() < 0.03:
            run.event(events.Notice(lane="run", at=step, code="c", message="m"))
        if dice.random() < 0.1:
            watching.begin(stays=dice.random() < 0.3)
        if dice.random() < 0.2:
            await asyncio.sleep(dice.random() / 100)
    for lane in running:
        await lane.end()
    ends = tuple(events.LaneEnd(lane.name, lane.writer.last) for lane in lanes)
    run.event(events.RunCompleted(lane="run", at=1, run_id=key.run, ends=ends))
    await run.stored()
    for stays in (True, False, False):
        watching.begin(stays=stays)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_every_way_to_watch_shows_the_same(
    bus: Bus, reads: LogReads, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    monkeypatch.setattr(newest, "HELD_BYTES", dice.choice([1, 3000, 10**6]))
    monkeypatch.setattr("kit.runlog.reads.PAGE_BYTES", dice.choice([1000, 10**6]))
    writers, key = LogWriters(bus), a_key()
    await writers.start()
    watching = Watching(reads, key, dice)
    await written(writers, key, dice, watching)
    shown = await asyncio.gather(*watching.tasks)
    log = await whole_log(reads, key)
    expected = fold(without_snapshots(log))
    assert all(lane.ending for lane in expected.lanes.values())
    assert "zombie" not in str(expected)
    for one in shown:
        assert one == expected
    found = snapshots_in(log)
    assert all(is_true(*snapshot, log) for snapshot in found)
    for cursor in [message.sequence for message in dice.sample(log[:-1], min(10, len(log) - 1))]:
        follower = Follower(reads, key, after=cursor, buffer_bytes=65536)
        await follower.start()
        rest: list[LogMessage] = []
        while not follower.ended:
            rest += await follower.next(SILENCE_SECONDS)
        await follower.close()
        assert rest == [message for message in without_snapshots(log) if message.sequence > cursor]
    await writers.stop()
