"""In a cluster a direct get may be answered by a replica that lags: nobody takes its answer for the end of the log.

`replica` stands for such a one, in a state that the test chooses; the last test has a real one.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.bus.api import last_message
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog.follow import Follower
from kit.runlog.lane import SNAPSHOT_SUFFIX
from kit.runlog.once import newest_event
from kit.runlog.reads import LogMessage, LogReads
from kit.runlog.writers import LogWriters
from tests.fixtures.cluster import Cluster
from tests.fixtures.polling import until
from tests.integration.runlog.lane import DELTA, a_key, texts
from tests.integration.runlog.old_replica import OldReplica, leader_and_old_replica

BUFFER_BYTES = 256 * 1024
SILENCE_SECONDS = 0.3
LONG_SECONDS = 3600.0


class Log:
    """A run with two lanes, one connection to write and one to read it."""

    def __init__(self, leader: Bus, reader: Bus, replica: OldReplica) -> None:
        self.key, self.leader, self.reader, self.replica = a_key(), leader, reader, replica
        self.writers, self.reads, self.truth = LogWriters(leader), LogReads(reader, 4), LogReads(leader, 4)

    async def start(self) -> None:
        await self.writers.start()
        await self.reads.start()
        await self.truth.start()
        self.lanes = {lane: self.writers.open(self.key, lane, attempt=1, last=0) for lane in ("one", "two")}

    async def say(self, lane: str, text: str) -> int:
        self.lanes[lane].text(DELTA, text)
        return await self.lanes[lane].stored()

    async def stored(self) -> list[LogMessage]:
        """What the leader has of the run."""
        page = await self.truth.page(self.key.all_lanes, 1)
        return [message for message in page if not message.lane.endswith(SNAPSHOT_SUFFIX.encode())]

    async def asked_again(self) -> None:
        """Wait until the replica was asked some more times, and had nothing to tell."""
        before = self.replica.asked

        async def look() -> bool:
            return self.replica.asked > before + 3

        await until(look)


@pytest.fixture
async def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Log]:
    async with leader_and_old_replica(tmp_path, monkeypatch) as (leader, reader, replica):
        found = Log(leader, reader, replica)
        await found.start()
        yield found
        await found.writers.stop()


async def test_the_newest_message_is_the_leaders(log: Log) -> None:
    await log.say("one", "a ")
    await log.replica.stay_behind()
    last = await log.say("two", "b ")
    found = await last_message(log.reader, "RUNS", log.key.all_lanes)
    newest = await newest_event(log.reader, log.key)
    assert found is not None
    assert newest is not None
    assert found.sequence == newest.sequence == await log.reads.newest(log.key.all_lanes) == last


async def test_a_lane_is_read_to_where_the_leader_says_it_ends(log: Log) -> None:
    """What a worker that takes over, or who ends a lane in its place, goes on from."""
    await log.say("one", "a ")
    await log.replica.stay_behind()
    await log.say("one", "b ")
    reading = asyncio.create_task(texts(log.reads, log.key, "one"))
    await log.asked_again()
    assert not reading.done()
    log.replica.catch_up()
    assert await reading == ["a ", "b "]


async def joined(log: Log, count: int) -> list[LogMessage]:
    """What a watcher sees that joins now, until it has seen so many; they are compared with what the leader has."""
    follower = Follower(log.reads, log.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    seen: list[LogMessage] = []
    try:
        while len(seen) < count:
            seen += await follower.next(SILENCE_SECONDS)
    finally:
        await follower.close()
    return seen


async def test_a_join_does_not_step_over_what_the_replica_has_not_heard_of(log: Log) -> None:
    """The hole is in one lane and the other one speaks: nothing but the leader's word can show it."""
    await log.say("one", "a ")
    await log.replica.stay_behind()
    await log.say("one", "in the hole ")
    joining = asyncio.create_task(joined(log, 3))
    await log.asked_again()
    await log.say("two", "live ")
    log.replica.catch_up()
    assert await joining == await log.stored()


async def test_a_join_again_after_a_reconnect_does_not_either(log: Log) -> None:
    follower = Follower(log.reads, log.key, after=0, buffer_bytes=BUFFER_BYTES)
    await follower.start()
    await log.say("one", "a ")
    seen: list[LogMessage] = []

    async def live() -> bool:
        seen.extend(await follower.next(SILENCE_SECONDS))
        return follower._live

    await until(live)
    await log.replica.stay_behind()
    log.reader.client._transport._io_writer.transport.abort()
    await log.say("one", "while it was away ")

    async def watch() -> None:
        while len(seen) < 3:
            seen.extend(await follower.next(LONG_SECONDS))

    watching = asyncio.create_task(watch())
    await log.asked_again()
    await log.say("two", "live ")
    log.replica.catch_up()
    await watching
    await follower.close()
    assert seen == await log.stored()


@pytest.mark.parametrize("round_", range(3))
async def test_watchers_at_a_follower_that_was_stopped_for_a_while_see_it_all(cluster: Cluster, round_: int) -> None:
    """Continued, it has the live messages at once and their stored ones a moment later."""
    async with cluster.bus() as writing:
        await declare_streams(writing.client, 3)
        follower, _ = await cluster.followers("RUNS")
        others = [node for node in cluster.nodes if node is not follower]
        async with cluster.bus(*others) as elsewhere, cluster.bus(follower) as here:
            log = Log(elsewhere, here, None)  # type: ignore[arg-type]
            await log.start()
            await log.say("one", "begin ")
            follower.pause()
            joining = [asyncio.create_task(joined(log, 401)) for _ in range(5)]
            for number in range(200):
                await log.say("one", f"{number} ")
                await log.say("two", f"{number} ")
                if number == 100:
                    follower.go_on()
            for seen in await asyncio.gather(*joining):
                assert seen == await log.stored()
            await log.writers.stop()
