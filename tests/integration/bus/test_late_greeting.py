"""A bus that only keys open, and one of ours on a busy machine, whose first words of TLS come late."""

import asyncio
import contextlib
from pathlib import Path

from kit.bus.connection import Bus
from kit.bus.server_config import GREETING_DELAY_SECONDS
from tests.fixtures.secure_bus import SecureBus

LATE_SECONDS = GREETING_DELAY_SECONDS + 0.5


async def test_who_is_greeted_in_the_clear_for_being_late_tries_again(tmp_path: Path) -> None:
    server = SecureBus(tmp_path)
    await server.start()
    connections = 0

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float = 0) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await asyncio.sleep(delay)
                target.write(data)
                await target.drain()
        target.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        theirs, ours = await asyncio.open_connection("127.0.0.1", server.port)
        late = LATE_SECONDS if connections == 1 else 0
        await asyncio.gather(carry(reader, ours, late), carry(theirs, writer))

    listener = await asyncio.start_server(between, "127.0.0.1", 0)
    url = f"tls://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    bus = Bus(server.bus_settings("edge").model_copy(update={"url": (url,)}), "edge")
    await bus.connect()
    assert connections == 2
    await bus.close()
    listener.close()
    await server.stop()
