"""A receiver that says what no HTTP server would."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Said:
    """Where it listens, and how far it has got with the first that called. `over`: it says no more."""

    url: str = ""
    drops: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


@contextlib.asynccontextmanager
async def saying(begin: bytes, *drop: bytes, pause: float = 0.02, times: int | None = None) -> AsyncIterator[Said]:
    """Says this to whoever calls, then a drop again and again: `times` times, or for ever."""
    said = Said()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(begin)
            while said.drops != times and not said.over.is_set():
                writer.writelines(drop)
                await writer.drain()
                said.drops += 1
                await asyncio.sleep(pause)
        said.over.set()
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    said.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield said
    finally:
        said.over.set()
        server.close()
