"""Putting long texts back into the events that carry them by reference, before a client sees them.

A client that does not read may keep a long text for hours. All who are sent the same event share it: what they keep
grows with the number of texts, not with theirs.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from weakref import WeakValueDictionary

from contracts import events
from kit.bus.blobs import BlobGoneError, Blobs
from kit.runlog.reads import LogMessage

_GENERATION = b'{"type":"generation.'
_REFERENCE = b'_ref":"'


class _Expanded:
    """An event with its texts, for as long as somebody is sent it."""

    __slots__ = ("__weakref__", "fetching", "payload")

    def __init__(self) -> None:
        self.payload = b""
        self.fetching = asyncio.Lock()


class Expander:
    """Knows by a look at the bytes whether there is anything to do: nearly always there is not."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._expanded = WeakValueDictionary[bytes, _Expanded]()

    def concerns(self, messages: Sequence[LogMessage]) -> bool:
        """Whether some of them may carry a reference."""
        for message in messages:  # noqa: SIM110  (for every token: a generator costs more than the search)
            if _REFERENCE in message.payload:
                return True
        return False

    async def pieces(self, messages: Sequence[LogMessage]) -> AsyncIterator[list[LogMessage]]:
        """The same messages with whole texts, each long one by itself: a client is to hold one of them at a time."""
        short: list[LogMessage] = []
        for message in messages:
            if not message.payload.startswith(_GENERATION) or _REFERENCE not in message.payload:
                short.append(message)
                continue
            if short:
                yield short
                short = []
            # The name keeps it for the others while this client takes it.
            expanded = self._expanded.setdefault(message.payload, _Expanded())
            async with expanded.fetching:
                expanded.payload = expanded.payload or await self._whole(message.payload)
            yield [message._replace(payload=expanded.payload)]
        if short:
            yield short

    async def _whole(self, payload: bytes) -> bytes:
        event = events.decode(payload)
        if not isinstance(event, events.Whole):
            return payload
        try:
            whole = events.with_texts(
                event,
                await self._blobs.text(event.text, event.text_ref),
                await self._blobs.text(event.reasoning, event.reasoning_ref),
            )
        except BlobGoneError:
            return payload
        return events.encode(whole)
