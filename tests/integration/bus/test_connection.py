"""A connection to the bus: it comes back however long the server was away, and notices a server that hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psutil
import pytest
from nats.aio.client import Client
from nats.errors import SlowConsumerError

from contracts import events
from kit.bus import connection
from kit.bus.connection import Bus, BusError
from kit.bus.streams import declare_streams
from kit.runlog.follow import Follower
from kit.runlog.reads import LogReads
from kit.runlog.writers import LogWriters
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import bus_to
from tests.fixtures.polling import until
from tests.integration.runlog.lane import DELTA, a_key

NATS_PY_GIVES_UP_AFTER = 60
"""Tries, if it is not told otherwise."""
LONG_SECONDS = 3600.0


@pytest.fixture
async def hasty(own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """A connection whose waits are short."""
    monkeypatch.setattr(connection, "RECONNECT_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(connection, "PING_INTERVAL_SECONDS", 0.1)
    async with bus_to(own_nats.url) as bus:
        yield bus


def counted_tries(client: Client) -> Callable[[], int]:
    """How often it has tried to come back by now; failed tries are told as errors."""
    errors: list[Exception] = []
    told = client._error_cb

    async def count(error: Exception) -> None:
        errors.append(error)
        await told(error)

    client._error_cb = count
    return lambda: len(errors)


async def test_it_comes_back_however_often_it_had_to_try(hasty: Bus, own_nats: EmbeddedNats) -> None:
    tries = counted_tries(hasty.client)
    await own_nats.kill()

    async def tried_long() -> bool:
        return tries() > NATS_PY_GIVES_UP_AFTER + 10

    await until(tried_long)
    await own_nats.start()

    async def back() -> bool:
        return hasty.connected

    await until(back)


async def test_a_server_that_hangs_is_noticed_by_its_silence(hasty: Bus, own_nats: EmbeddedNats) -> None:
    """Its connections stay open: nothing else would tell."""
    noticed = asyncio.Event()
    hasty.on_disconnect.append(noticed.set)
    assert own_nats._child is not None
    server = psutil.Process(own_nats._child.pid)
    server.suspend()
    try:
        async with asyncio.timeout(30):
            await noticed.wait()
    finally:
        server.resume()

    async def back() -> bool:
        return hasty.connected

    await until(back)


async def test_for_a_moment_after_it_came_back_it_is_known_that_others_may_not_be_back_yet(
    hasty: Bus, own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody answers to then may still be somebody's."""
    assert not hasty.settling, "who connects for the first time finds things as they are"
    back = asyncio.Event()

    async def came_back() -> None:
        back.set()

    hasty.on_reconnect.append(came_back)
    await own_nats.kill()

    async def away() -> bool:
        return not hasty.connected

    await until(away)
    assert hasty.settling
    await own_nats.start()
    async with asyncio.timeout(30):
        await back.wait()
    monkeypatch.setattr(connection, "SETTLING_SECONDS", 3600)
    assert hasty.settling
    monkeypatch.setattr(connection, "SETTLING_SECONDS", 0)
    assert not hasty.settling


class HardOfHearing(Follower):
    """Is not told of one message, as when a buffer was full for a moment."""

    def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
        if b"dropped" not in payload:
            super()._on_live(lane, place, previous, payload)


async def test_a_watcher_whose_connection_dropped_messages_reads_the_log_at_once(own_nats: EmbeddedNats) -> None:
    """Although what came later in another lane did reach it, and the lane of what was dropped says nothing more."""
    async with bus_to(own_nats.url) as writing, bus_to(own_nats.url) as watching:
        await declare_streams(writing.client, 1)
        key, writers, reads = a_key(), LogWriters(writing), LogReads(watching, 4)
        await writers.start()
        await reads.start()
        lanes = {lane: writers.open(key, lane, attempt=1, last=0) for lane in ("one", "two")}

        async def say(lane: str, text: str) -> None:
            lanes[lane].text(DELTA, text)
            await lanes[lane].stored()

        await say("one", "begin ")
        follower = HardOfHearing(reads, key, after=0, buffer_bytes=4096)
        await follower.start()
        seen = await follower.next(LONG_SECONDS)
        waiting = asyncio.create_task(follower.next(LONG_SECONDS))

        async def live() -> bool:
            return follower._live

        await until(live)
        await say("one", "dropped ")
        await say("two", "heard ")
        seen += await waiting
        waiting = asyncio.create_task(follower.next(LONG_SECONDS))
        await asyncio.sleep(0)
        subscription = reads.live._runs[key].subscription
        assert subscription is not None
        error = SlowConsumerError(subject=key.live, reply="", sid=1, sub=subscription)
        await watching.client._error_cb(error)  # as nats-py tells of a buffer that was full
        async with asyncio.timeout(30):
            seen += await waiting
        told = [events.decode(message.payload) for message in seen]
        assert [event.text for event in told if isinstance(event, events.GenerationDelta)] == [
            "begin ", "heard ", "dropped ",
        ]  # fmt: skip
        await follower.close()
        await writers.stop()


async def test_a_server_that_is_too_old_is_refused_with_its_version(
    own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MINIMUM_SERVER", (99, 0))
    bus = Bus(BusSettings(url=(own_nats.url,)), "test")
    with pytest.raises(BusError, match=r"too old: 99\.0 or newer"):
        await bus.connect()
    assert bus.client.is_closed
