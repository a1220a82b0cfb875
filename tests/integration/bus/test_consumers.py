"""The consumers of facts: declared with the streams, and those of a version that had its own made are not disturbed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.subjects import DELIVERIES
from kit.bus.api import publish_stored
from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.streams import BusError, declare_streams, ready_streams
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import api, bus_to

NAME = "chat-generation-ended"
SUBJECT = "evt.inference.generation.completed"


@pytest.fixture
async def bus(own_nats: EmbeddedNats) -> AsyncIterator[Bus]:
    async with bus_to(own_nats.url) as connected:
        yield connected


async def consumer(bus: Bus) -> dict[str, Any]:
    return dict((await api(bus.client, f"CONSUMER.INFO.EVENTS.{NAME}"))["config"])


async def as_before(bus: Bus) -> None:
    """What FastStream's subscribers made: the same consumer, whose messages go to an inbox."""
    await declare_streams(bus.client, 1)
    config = await consumer(bus)
    await api(bus.client, f"CONSUMER.DELETE.EVENTS.{NAME}")
    old = {**config, "deliver_subject": "_INBOX.of-before"}
    await api(bus.client, f"CONSUMER.DURABLE.CREATE.EVENTS.{NAME}", {"stream_name": "EVENTS", "config": old})


async def test_a_version_before_keeps_its_facts_while_it_runs(bus: Bus) -> None:
    await as_before(bus)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(message: Any) -> None:
        heard.put_nowait(message.data)

    await bus.client.subscribe("_INBOX.of-before", queue=NAME, cb=hear)
    await bus.client.flush()
    await declare_streams(bus.client, 1)
    assert (await consumer(bus))["deliver_subject"] == "_INBOX.of-before"
    await publish_stored(bus.client, SUBJECT, b"told")
    async with asyncio.timeout(30):
        assert await heard.get() == b"told"


async def test_when_it_has_gone_the_consumer_is_as_it_is_declared(bus: Bus) -> None:
    await as_before(bus)
    await declare_streams(bus.client, 1)
    assert (await consumer(bus))["deliver_subject"] == DELIVERIES.format(consumer=NAME)


async def test_a_handler_hears_through_the_declared_consumer_and_through_one_of_before(
    bus: Bus, own_nats: EmbeddedNats
) -> None:
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def on_fact(body: dict[str, int]) -> None:
        """Note it."""
        heard.put_nowait(body["n"])

    for number, prepare in enumerate((declare, as_before)):
        await prepare(bus)
        broker = make_broker(BusSettings(url=(own_nats.url,)), "chat", bus)
        broker.subscriber("evt.inference.generation.*", **of_facts("chat", "generation-ended", 1))(on_fact)
        before = await consumer(bus)
        await broker.start()
        await publish_stored(bus.client, SUBJECT, b'{"n": %d}' % number)
        async with asyncio.timeout(30):
            while await heard.get() != number:
                pass
        assert await consumer(bus) == before
        await broker.stop()


async def declare(bus: Bus) -> None:
    await declare_streams(bus.client, 1)


async def test_a_service_that_may_not_declare_says_what_is_missing(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.bus.streams._WAIT_FOR_JETSTREAM_SECONDS", 0.3)
    with pytest.raises(BusError, match=r"chat-generation-ended is not there .* `python -m services declare`"):
        await ready_streams(bus.client, BusSettings(declare=False), "chat")
