"""The short way on a real connection: what it uses of nats-py is there, and it delivers what nats-py would."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import NoRespondersError

from kit.bus.connection import Bus
from kit.bus.fastpath import _SplittingProtocol
from kit.bus.frames import hpub
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import connected_bus
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers

Heard = list[tuple[bytes, bytes, bytes]]


def is_wrapped(bus: Bus) -> bool:
    return isinstance(bus.client._transport._io_writer.transport.get_protocol(), _SplittingProtocol)


def test_the_private_parts_of_nats_py_that_we_use_exist() -> None:
    client = Client()
    for name in ("_ps", "_pending", "_pending_data_size", "_flush_queue", "_transport", "_process_connect_init",
                 "_remove_sub"):  # fmt: skip
        assert hasattr(client, name), name
    assert callable(Subscription._stop_processing)
    assert client._ps.buf == b""


async def test_a_connection_is_wrapped_and_ordinary_subscriptions_work_on(servers: Servers) -> None:
    async with connected_bus(servers) as bus:
        assert is_wrapped(bus)
        fast: Heard = []
        slow: list[bytes] = []

        async def hear(message: object) -> None:
            slow.append(message.data)  # type: ignore[attr-defined]

        await bus.fast.subscribe("fast.*", lambda *message: fast.append(message))
        await bus.client.subscribe("fast.*", cb=hear)
        for number in range(500):
            headers = b"NATS/1.0\r\nStudio-Number: %d\r\n\r\n" % number
            bus.fast.send(hpub(b"fast.a", b"", headers, b"x" * number))

        async def all_there() -> bool:
            return len(fast) == len(slow) == 500

        await until(all_there)
    assert [payload for _, _, payload in fast] == slow == [b"x" * number for number in range(500)]
    assert all(b"Studio-Number: %d\r\n" % number in fast[number][1] for number in range(500))


async def test_the_end_of_a_subscription_is_an_end(servers: Servers) -> None:
    async with connected_bus(servers) as bus:
        heard: Heard = []
        subscription = await bus.fast.subscribe("fast.end", lambda *message: heard.append(message))
        await bus.fast.unsubscribe(subscription)
        await bus.client.publish("fast.end", b"late")
        await bus.client.flush()
    assert heard == []


async def test_a_subscription_that_is_dropped_at_once_is_unknown_to_the_server(servers: Servers) -> None:
    async with connected_bus(servers) as bus:
        heard: Heard = []
        before = len(bus.client._subs)
        subscription = await bus.fast.subscribe("fast.dropped", lambda *message: heard.append(message))
        bus.fast.drop(subscription)
        assert len(bus.client._subs) == before
        await asyncio.sleep(0)  # what was sent in this turn goes out
        with pytest.raises(NoRespondersError):
            await bus.client.request("fast.dropped", b"late", timeout=30)
    assert heard == []


async def test_it_works_again_after_the_server_was_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    nats = EmbeddedNats(tmp_path_factory.mktemp("nats"))
    await nats.start()
    bus = Bus(BusSettings(url=(nats.url,)), "test")
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    bus.on_reconnect.append(reconnected)
    try:
        await bus.connect()
        heard: Heard = []
        await bus.fast.subscribe("fast.again", lambda *message: heard.append(message))
        await nats.kill()
        bus.fast.send(hpub(b"fast.lost", b"", b"NATS/1.0\r\n\r\n", b"while it is away"))
        await nats.start()
        async with asyncio.timeout(30):
            await back.wait()
        assert is_wrapped(bus)
        await bus.client.publish("fast.again", b"one")

        async def heard_it() -> bool:
            return [payload for _, _, payload in heard] == [b"one"]

        await until(heard_it)
    finally:
        await bus.close()
        await nats.stop()
