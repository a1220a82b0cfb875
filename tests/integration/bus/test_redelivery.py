"""A fact whose handler fails comes again, later and later, and is parked with its reason when that does not help."""

import asyncio
import itertools
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from faststream.nats import NatsBroker

from kit.bus import redelivery
from kit.bus.api import parse_headers
from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.redelivery import RETRY_DELAYS_SECONDS, DeadLetterError, delay_after
from kit.bus.streams import declare_streams
from kit.settings import BusSettings
from kit.telemetry import measures
from tests.fixtures.bus import api, connected_bus
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers

_numbers = itertools.count(1)


class GoneError(Exception):
    """Something the handler needs is away."""


class Handled:
    """A subscriber that does what it is told."""

    def __init__(self, broker: NatsBroker, bus: Bus, does: Callable[[int], None]) -> None:
        self.calls = 0
        self.subject = f"evt.test.thing{next(_numbers)}.happened"
        self.name = f"thing-{self.subject.split('.')[2]}"
        self._bus = bus
        self._newest = 0

        async def handler(body: dict[str, Any]) -> None:
            self.calls += 1
            does(self.calls)

        broker.subscriber(self.subject, **of_facts("test", self.name, 4))(handler)

    async def happened(self, body: bytes = b"{}") -> None:
        stored = await self._bus.client.jetstream().publish(self.subject, body, headers={"Studio-Test": "kept"})
        self._newest = stored.seq

    async def settled(self) -> None:
        async def idle() -> bool:
            info = await api(self._bus.client, f"CONSUMER.INFO.EVENTS.test-{self.name}")
            delivered = info["delivered"]["stream_seq"] >= self._newest  # a consumer hears of it a moment later
            return delivered and info["num_pending"] == 0 and info["num_ack_pending"] == 0

        await until(idle)

    async def parked(self) -> dict[str, Any] | None:
        """What was parked of it: headers and body."""
        answer = await self._bus.client.request(
            "$JS.API.STREAM.MSG.GET.DEAD", b'{"last_by_subj": "dead.%b"}' % self.subject.encode(), timeout=30
        )
        message = json.loads(answer.data).get("message")
        if message is None:
            return None
        return {**parse_headers(b64decode(message["hdrs"])), "body": b64decode(message["data"])}


Make = Callable[[Callable[[int], None]], Awaitable[Handled]]


@pytest.fixture
async def make(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Starts a subscriber; the delays are short."""
    monkeypatch.setattr(redelivery, "RETRY_DELAYS_SECONDS", (0.05, 0.05, 0.05))
    monkeypatch.setattr(redelivery, "TRANSIENT_DELAY_SECONDS", 0.05)
    logging.getLogger("kit.bus.redelivery").setLevel(logging.CRITICAL)
    brokers: list[NatsBroker] = []
    async with connected_bus(servers) as bus:
        await declare_streams(bus.client, 1)

        async def one(does: Callable[[int], None]) -> Handled:
            broker = make_broker(BusSettings(url=(servers.nats_url,)), "test", bus, transient=(GoneError,))
            brokers.append(broker)
            handled = Handled(broker, bus, does)
            await broker.start()
            return handled

        yield one
        for broker in brokers:
            await broker.stop()


def raising(error: Exception, until_call: int = 10**9) -> Callable[[int], None]:
    def does(call: int) -> None:
        if call < until_call:
            raise error

    return does


def test_the_delays_grow_and_end() -> None:
    delays = [delay_after(number) for number in range(1, len(RETRY_DELAYS_SECONDS) + 1)]
    assert delays == sorted(delays)  # type: ignore[type-var]
    assert delay_after(len(RETRY_DELAYS_SECONDS) + 1) is None


async def test_what_was_handled_does_not_come_again(make: Make) -> None:
    handled = await make(lambda _: None)
    await handled.happened()
    await handled.settled()
    assert handled.calls == 1
    assert await handled.parked() is None


async def test_what_fails_is_tried_again_until_it_works(make: Make) -> None:
    handled = await make(raising(ValueError("not yet"), until_call=3))
    await handled.happened()
    await handled.settled()
    assert handled.calls == 3
    assert await handled.parked() is None


async def test_between_two_tries_there_is_a_pause(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastStream's own way is to try again every millisecond."""
    monkeypatch.setattr(redelivery, "RETRY_DELAYS_SECONDS", (0.2, 0.2))
    moments: list[float] = []

    def does(call: int) -> None:
        moments.append(asyncio.get_running_loop().time())
        raise ValueError("never")

    handled = await make(does)
    await handled.happened()
    await handled.settled()
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(pauses) == 2
    assert min(pauses) > 0.1


async def test_what_keeps_failing_is_parked_with_its_reason(make: Make) -> None:
    handled = await make(raising(ValueError("never\never \u2028 and éver")))
    await handled.happened(b'{"a": 1}')
    await handled.settled()
    assert handled.calls == 4, "once, and once after each delay"
    parked = await handled.parked()
    assert parked is not None
    assert parked["body"] == b'{"a": 1}'
    assert parked["Studio-Test"] == "kept"
    assert "never" in parked["Studio-Dead-Reason"]
    assert parked["Studio-Dead-Deliveries"] == "4"


async def test_what_no_retry_can_help_is_parked_at_once_and_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(measures, "sent", counted.append)
    handled = await make(raising(DeadLetterError("hopeless")))
    await handled.happened()
    await handled.settled()
    assert handled.calls == 1
    parked = await handled.parked()
    assert parked is not None
    assert "hopeless" in parked["Studio-Dead-Reason"]
    assert counted == [f"dead.{handled.subject}"]


async def test_while_something_is_away_it_is_tried_for_as_long_as_it_takes(make: Make) -> None:
    handled = await make(raising(GoneError(), until_call=10))
    await handled.happened()
    await handled.settled()
    assert handled.calls == 10
    assert await handled.parked() is None


async def test_the_time_that_something_was_away_is_not_held_against_the_message(make: Make) -> None:
    def does(call: int) -> None:
        if call <= 8:
            raise GoneError
        if call <= 10:
            raise ValueError("and then it failed")

    handled = await make(does)
    await handled.happened()
    await handled.settled()
    assert handled.calls == 11
    assert await handled.parked() is None


async def test_a_message_that_cannot_be_read_is_parked_in_the_end(make: Make) -> None:
    handled = await make(lambda _: None)
    await handled.happened(b'{"a": ')
    await handled.settled()
    assert handled.calls == 0
    assert await handled.parked() is not None


async def test_one_that_fails_does_not_hold_up_the_others(make: Make) -> None:
    seen: list[int] = []

    def does(call: int) -> None:
        if call == 1:
            raise ValueError("the first")
        seen.append(call)

    handled = await make(does)
    await asyncio.gather(*(handled.happened() for _ in range(20)))
    await handled.settled()
    assert len(seen) == 20
