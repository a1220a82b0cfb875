"""A handler that takes longer than a message is lent for does not run a second time beside itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faststream.nats import NatsBroker

from contracts import subjects
from contracts.architect_work import StartStep
from contracts.message import Owner
from kit.bus import beats
from kit.bus.broker import make_broker, of_work
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.streams import NANOSECONDS, consumer_configs, declare_streams
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import api, bus_to
from tests.fixtures.polling import until

LENT_SECONDS = 2.4
ORDER = StartStep(owner=Owner(tenant="t", user="u"), run_id="arc_1", step="draft", turn=1)


class Slow:
    """A handler that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def handle(self, message: StartStep) -> None:
        self.begun += 1
        await self.may_end.wait()


@pytest.fixture
async def bus(own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    monkeypatch.setattr(beats, "HANDLER_BEAT_SECONDS", LENT_SECONDS / 20)
    async with bus_to(own_nats.url) as connected:
        await declare_streams(connected.client, 1)
        for stream, config in consumer_configs():
            short = {**config, "ack_wait": int(LENT_SECONDS * NANOSECONDS)}
            request = {"stream_name": stream, "config": short}
            await api(connected.client, f"CONSUMER.DURABLE.CREATE.{stream}.{config['durable_name']}", request)
        yield connected


async def started(bus: Bus, own_nats: EmbeddedNats, slow: Slow) -> NatsBroker:
    broker = make_broker(BusSettings(url=(own_nats.url,)), "test", bus)
    broker.subscriber(subjects.START_STEP, **of_work(subjects.START_STEP, 2))(slow.handle)
    await broker.start()
    await publish(bus, ORDER)
    return broker


async def beats_heard(bus: Bus, least: int) -> None:
    heard: list[bytes] = []

    async def hear(message: object) -> None:
        heard.append(message.data)  # type: ignore[attr-defined]

    subscription = await bus.client.subscribe("$JS.ACK.WORK.architect-steps.>", cb=hear)

    async def look() -> bool:
        return heard.count(b"+WPI") >= least

    await until(look)
    await subscription.unsubscribe()


async def test_a_handler_that_takes_long_runs_once(bus: Bus, own_nats: EmbeddedNats) -> None:
    slow = Slow()
    broker = await started(bus, own_nats, slow)
    await beats_heard(bus, 30)
    assert slow.begun == 1, "it was lent for twenty beats"
    slow.may_end.set()

    async def done() -> bool:
        return (await api(bus.client, "STREAM.INFO.WORK"))["state"]["messages"] == 0

    await until(done)
    await broker.stop()
    assert slow.begun == 1


async def test_a_handler_that_hangs_loses_its_message(
    bus: Bus, own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats, "HANDLER_LONGEST_SECONDS", LENT_SECONDS)
    slow = Slow()
    broker = await started(bus, own_nats, slow)

    async def again() -> bool:
        return slow.begun == 2

    await until(again)
    slow.may_end.set()
    await broker.stop()
