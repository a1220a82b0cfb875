"""The streams: what their settings promise, and that nobody changes them by the way."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.streams import INFERENCE_CONSUMER, LEASE_SECONDS, NANOSECONDS, declare_streams, stream_configs
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import api, bus_to
from tests.fixtures.cluster import SIZE, Cluster

UNLIMITED = -1
LATE_SECONDS = 7.0
"""Longer than nats-py waits for an answer of JetStream."""
NAMES = ("RUNS", "WORK", "EVENTS", "DEAD", "TIMERS")


@pytest.fixture
async def bus(own_nats: EmbeddedNats) -> AsyncIterator[Bus]:
    async with bus_to(own_nats.url) as connected:
        await declare_streams(connected.client, 1)
        yield connected


async def settings(bus: Bus) -> dict[str, dict[str, Any]]:
    """Of every stream, as the server has them."""
    return {name: (await api(bus.client, f"STREAM.INFO.{name}"))["config"] for name in NAMES}


async def test_nothing_cuts_a_run_that_is_still_going(bus: Bus) -> None:
    """Neither age nor size: a lane that has lost its last message has lost its fence."""
    runs = (await settings(bus))["RUNS"]
    assert runs.get("max_age", 0) == 0
    assert {runs[name] for name in ("max_msgs", "max_bytes", "max_msgs_per_subject")} == {UNLIMITED}
    assert runs["storage"] == "file"


async def test_a_log_message_is_republished_with_its_place_and_the_place_of_the_one_before(bus: Bus) -> None:
    heard: list[tuple[str, str, bytes]] = []
    all_heard = asyncio.Event()

    async def hear(message: Any) -> None:
        heard.append((message.headers["Nats-Sequence"], message.headers["Nats-Last-Sequence"], message.data))
        if len(heard) == 3:
            all_heard.set()

    await bus.client.subscribe("live.t.u.run.*", cb=hear)
    await bus.client.flush()
    stored = [
        (await bus.client.jetstream().publish(f"log.t.u.run.{lane}", lane.encode())).seq for lane in ("a", "b", "a")
    ]
    async with asyncio.timeout(30):
        await all_heard.wait()
    first, second, third = map(str, stored)
    assert heard == [(first, "0", b"a"), (second, "0", b"b"), (third, first, b"a")]


async def test_what_is_refused_is_not_republished(bus: Bus) -> None:
    """Nobody ever sees what a worker that was replaced has said."""
    heard: list[bytes] = []
    end = asyncio.Event()

    async def hear(message: Any) -> None:
        heard.append(message.data)
        if message.data == b"end":
            end.set()

    await bus.client.subscribe("live.>", cb=hear)
    await bus.client.flush()
    for word, expected in ((b"first", "0"), (b"refused", "0"), (b"end", "1")):
        headers = {"Nats-Expected-Last-Subject-Sequence": expected}
        answer = await bus.client.request("log.t.u.run.main", word, headers=headers, timeout=30)
        assert ("error" in json.loads(answer.data)) == (word == b"refused")
    async with asyncio.timeout(30):
        await end.wait()
    assert heard == [b"first", b"end"]


async def test_work_is_offered_again_however_often_it_failed_and_is_gone_when_it_is_done(bus: Bus) -> None:
    """Attempts are counted in the log: a deploy every day must not turn a long run into poison."""
    await bus.client.jetstream().publish("work.inference.generate.interactive", b"{}")
    consumer = await bus.client.jetstream().pull_subscribe_bind(INFERENCE_CONSUMER, "WORK")
    for delivery in range(1, 31):
        (message,) = await consumer.fetch(1, timeout=30)
        assert message.metadata.num_delivered == delivery
        await message.nak()
    (message,) = await consumer.fetch(1, timeout=30)
    await message.ack_sync(timeout=30)
    assert (await api(bus.client, "STREAM.INFO.WORK"))["state"]["messages"] == 0


async def test_work_of_a_worker_that_fell_silent_is_free_after_its_lease(bus: Bus) -> None:
    config = (await api(bus.client, f"CONSUMER.INFO.WORK.{INFERENCE_CONSUMER}"))["config"]
    assert config["ack_wait"] == LEASE_SECONDS * NANOSECONDS
    assert LEASE_SECONDS < 10, "the next token comes within ten seconds of a worker's death"


async def test_declaring_again_changes_nothing_and_brings_old_settings_up_to_date(bus: Bus) -> None:
    before = await settings(bus)
    await asyncio.gather(*(declare_streams(bus.client, 1) for _ in range(5)))
    assert await settings(bus) == before
    (runs,) = (config for config in stream_configs(1) if config["name"] == "RUNS")
    await api(bus.client, "STREAM.UPDATE.RUNS", {**runs, "max_age": 3600 * NANOSECONDS})
    await declare_streams(bus.client, 1)
    assert await settings(bus) == before


async def test_a_subscriber_of_facts_leaves_the_streams_as_they_are(bus: Bus, own_nats: EmbeddedNats) -> None:
    """FastStream rewrites the settings of a stream that it is given by name."""
    before = await settings(bus)
    broker = make_broker(BusSettings(url=(own_nats.url,)), "test", bus)

    async def handler(body: dict[str, Any]) -> None:
        """Nothing."""

    broker.subscriber("evt.test.thing.happened", **of_facts("test", "thing", 1))(handler)
    await broker.start()
    await broker.stop()
    assert await settings(bus) == before


async def test_a_publish_that_would_not_wait_to_be_stored_is_refused(bus: Bus, own_nats: EmbeddedNats) -> None:
    broker = make_broker(BusSettings(url=(own_nats.url,)), "test", bus)
    await broker.start()
    for subject in ("evt.test.thing.happened", "log.t.u.run.main", "work.inference.generate.interactive", "dead.x"):
        with pytest.raises(RuntimeError, match="belongs to a stream"):
            await broker.publish({}, subject)
    await broker.publish({}, "rpc.test.nobody")
    await broker.publish({}, "evt.test.thing.happened", stream="EVENTS")
    await broker.stop()
    assert (await api(bus.client, "STREAM.INFO.EVENTS"))["state"]["messages"] == 1


async def test_they_are_declared_though_the_cluster_has_no_leader_yet(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    try:
        await cluster.nodes[0].start()
        environment = {**os.environ, "STUDIO_NATS_URL": cluster.urls[0], "STUDIO_NATS_REPLICAS": str(SIZE)}
        environment |= {"STUDIO_AUTH_SECRET": "a secret for tests that is long enough"}
        command = (sys.executable, "-m", "services", "declare")
        declaring = await asyncio.create_subprocess_exec(*command, env=environment)
        await asyncio.sleep(LATE_SECONDS)
        await asyncio.gather(*(node.start() for node in cluster.nodes[1:]))
        assert await declaring.wait() == 0
    finally:
        await cluster.stop()
