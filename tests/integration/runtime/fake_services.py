"""Stands in for `python -m services` where the real services do not matter: `run NAME` and `migrate`."""

import asyncio
import os
import sys

from kit.runtime import process
from kit.settings import Settings

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Fake:
    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        if os.environ.get("FAKE_FAILS") == self._name:
            raise RuntimeError("the fake was told to fail")
        if self._name == "edge":
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._settings.edge.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def wait(self) -> None:
        await asyncio.Event().wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()


def main() -> int:
    command, *rest = sys.argv[1:]
    if command == "migrate":
        return 0
    return process.run(rest[0], lambda settings: Fake(rest[0], settings), Settings())


if __name__ == "__main__":
    sys.exit(main())
