"""A TLS handshake with the bus that fails is one attempt, not the last."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.bus import connection
from kit.bus.broker import make_broker
from kit.bus.connection import Bus, BusError
from kit.settings import BusSettings
from tests.fixtures.cutting_proxy import cutting_proxy
from tests.fixtures.polling import until
from tests.fixtures.secure_bus import SecureBus

WITHIN_THE_HANDSHAKE = 600
"""Bytes that the server has sent by then: less than its certificate."""
CUTS = 3


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SecureBus]:
    keyed = SecureBus(tmp_path / "bus")
    await keyed.start()
    yield keyed
    await keyed.stop()


def through(port: int, server: SecureBus) -> BusSettings:
    """How `chat` connects, by way of a port."""
    return server.bus_settings("chat").model_copy(update={"url": (f"tls://127.0.0.1:{port}",)})


async def test_the_first_connection_is_tried_again(server: SecureBus) -> None:
    async with cutting_proxy((server.port,), cuts=CUTS, most=WITHIN_THE_HANDSHAKE) as proxy:
        bus = Bus(through(proxy.port, server), "test")
        await bus.connect()
        assert (bus.connected, proxy.connections) == (True, CUTS + 1)
        proxy.cuts = CUTS
        broker = make_broker(through(proxy.port, server), "test", bus)
        await broker.connect()
        assert proxy.connections == 2 * (CUTS + 1)
        await broker.stop()
        await bus.close()


async def test_a_connection_that_was_lost_is_tried_again(server: SecureBus) -> None:
    async with cutting_proxy((server.port,), most=WITHIN_THE_HANDSHAKE) as proxy:
        bus = Bus(through(proxy.port, server), "test")
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
    server: SecureBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT_FOR_SERVER_SECONDS", 1)
    bus = Bus(server.bus_settings("chat").model_copy(update={"ca_file": None}), "test")
    with pytest.raises(BusError, match=r"CERTIFICATE_VERIFY_FAILED.*STUDIO_NATS_CA_FILE"):
        await bus.connect()
