"""Putting long texts back into the events that carry them by reference, before a client sees them."""

from contracts import events
from kit.bus.blobs import BlobGoneError, Blobs
from kit.runlog.reads import LogMessage

_ENDING = b'{"type":"generation.'
_REFERENCE = b'_ref":"'


class Expander:
    """Knows by a look at the bytes whether there is anything to do: nearly always there is not."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def expand(self, messages: list[LogMessage]) -> list[LogMessage]:
        """The same messages, with whole texts."""
        for message in messages:
            if _REFERENCE in message.payload:
                return [await self._one(each) for each in messages]
        return messages

    async def _one(self, message: LogMessage) -> LogMessage:
        if not message.payload.startswith(_ENDING) or _REFERENCE not in message.payload:
            return message
        event = events.decode(message.payload)
        if not isinstance(event, events.GenerationEnding):
            return message
        try:
            whole = events.with_texts(
                event,
                await self._blobs.text(event.text, event.text_ref),
                await self._blobs.text(event.reasoning, event.reasoning_ref),
            )
        except BlobGoneError:
            return message
        return LogMessage(message.sequence, message.lane, events.encode(whole))
