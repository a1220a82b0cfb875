"""A TLS handshake with the bus that fails is one attempt, not the last."""

import asyncio

import pytest

from kit.bus import connection
from kit.bus.broker import make_broker
from kit.bus.connection import Bus, BusError
from kit.runtime.ports import free_port
from kit.settings import BusSettings
from tests.fixtures.cutting_proxy import cutting_proxy
from tests.fixtures.polling import until
from tests.fixtures.secure_bus import SecureBus

WITHIN_THE_HANDSHAKE = 600
"""Bytes that the server has sent by then: less than its certificate."""
CUTS = 3


def through(port: int, secure_bus: SecureBus) -> BusSettings:
    """How `chat` connects, by way of a port."""
    return secure_bus.bus_settings("chat").model_copy(update={"url": (f"tls://127.0.0.1:{port}",)})


async def test_the_first_connection_is_tried_again(secure_bus: SecureBus) -> None:
    async with cutting_proxy((secure_bus.port,), cuts=CUTS, most=WITHIN_THE_HANDSHAKE) as proxy:
        bus = Bus(through(proxy.port, secure_bus), "test")
        await bus.connect()
        assert (bus.connected, proxy.connections) == (True, CUTS + 1)
        proxy.cuts = CUTS
        broker = make_broker(through(proxy.port, secure_bus), "test", bus)
        await broker.connect()
        assert proxy.connections == 2 * (CUTS + 1)
        await broker.stop()
        await bus.close()


async def test_a_connection_that_was_lost_is_tried_again(secure_bus: SecureBus) -> None:
    async with cutting_proxy((secure_bus.port,), most=WITHIN_THE_HANDSHAKE) as proxy:
        bus = Bus(through(proxy.port, secure_bus), "test")
        await bus.connect()
        proxy.cuts = CUTS
        before = proxy.connections
        await proxy.stop()

        async def back() -> bool:
            return proxy.connections == before + CUTS + 1 and bus.connected

        await until(back)
        await bus.client.flush()
        await bus.close()


async def test_a_server_whom_nobody_vouches_for_is_told_of_in_bounded_time(
    secure_bus: SecureBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT_FOR_SERVER_SECONDS", 1)
    bus = Bus(secure_bus.bus_settings("chat").model_copy(update={"ca_file": None}), "test")
    with pytest.raises(BusError, match=r"CERTIFICATE_VERIFY_FAILED.*STUDIO_NATS_CA_FILE"):
        await bus.connect()


async def test_a_connection_that_does_not_hear_that_its_time_is_over_is_told_again(
    secure_bus: SecureBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11's `wait_for`, with which nats-py waits, loses a cancellation now and then: here it does so once."""
    monkeypatch.setattr(connection, "WAIT_FOR_SERVER_SECONDS", 0.2)
    bus = Bus(through(free_port(), secure_bus), "test")
    connect, lost = bus.client.connect, 0

    async def hard_of_hearing(**options: object) -> None:
        nonlocal lost
        try:
            await connect(**options)
        except asyncio.CancelledError:
            lost += 1
            await connect(**options)

    monkeypatch.setattr(bus.client, "connect", hard_of_hearing)
    with pytest.raises(BusError, match="cannot reach NATS"):
        await bus.connect()
    assert lost == 1
