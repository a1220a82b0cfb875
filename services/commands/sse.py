"""Reading server-sent events (WHATWG HTML, section 9.2) from a stream of bytes."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event; `id` is the last id seen so far on this stream, as the standard wants it."""

    id: str
    type: str
    data: str


async def read_events(chunks: AsyncIterable[bytes], last_id: str = "") -> AsyncIterator[Event]:
    """Yield each whole event. Comments keep a connection alive and are skipped; half an event at the end is dropped."""
    kind, data = "", list[str]()
    async for line in _lines(chunks):
        if not line:
            if data:
                yield Event(last_id, kind or "message", "\n".join(data))
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode(errors="replace")
