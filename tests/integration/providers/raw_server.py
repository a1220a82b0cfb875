"""A TCP server that answers with whatever bytes a test wants, for faults that no decent mock can make."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"


@dataclass
class Exchange:
    """One request, and the connection to answer it on."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        """Each piece as one write, which is on the way before the next one begins."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self, status: str, body: bytes, *headers: str) -> None:
        """A whole answer that keeps the connection open."""
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        await self.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    async def chunked(self, *pieces: bytes) -> None:
        """An event stream in chunked encoding, without its end."""
        await self.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self.send(*(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces))

    async def gone(self) -> None:
        """Return when the client has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(1024):
                pass


class RawServer:
    """`exchanges` has every request; `connections` counts what was accepted."""

    def __init__(self, handle: Callable[[Exchange], Awaitable[None]]) -> None:
        self._handle = handle
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.base_url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                body = json.loads(raw) if raw else {}
                exchange = Exchange(lines[0].split(" ")[1], headers, body, number, reader, writer)
                self.exchanges.append(exchange)
                await self._handle(exchange)
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def raw_server(handle: Callable[[Exchange], Awaitable[None]]) -> AsyncIterator[RawServer]:
    """A server on a free port; `handle` answers one request, and closes `writer` to end the connection."""
    raw = RawServer(handle)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield raw
    finally:
        server.close()


def event(**fields: Any) -> bytes:
    """One chunk of a stream: `content="…"`, or `finish="stop"`."""
    finish = fields.pop("finish", None)
    chunk = {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


END = event(finish="stop") + b"data: [DONE]\n\n"
