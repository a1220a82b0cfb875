"""What the log says of a generation that a fact tells to have ended."""

import logging

from contracts import events
from kit.bus.blobs import BlobGoneError, Blobs
from kit.orchestrate.heard import hear
from kit.runlog.lane import RunKey
from kit.runlog.once import Last
from kit.runlog.reads import LogReads

log = logging.getLogger(__name__)


class LogBehindError(Exception):
    """The log does not reach as far as the fact says: a new leader may need a moment."""


def ending_at(last: Last | None, sequence: int) -> events.GenerationEnding | None:
    """The lane's ending, as its leader tells it; None if the lane does not reach so far, or has none."""
    if last is None or last[0].sequence < sequence or not isinstance(last[1], events.GenerationEnding):
        return None
    return last[1]


async def texts_of(blobs: Blobs, reads: LogReads, key: RunKey, ending: events.GenerationEnding) -> tuple[str, str]:
    """The whole text of an ending, and its reasoning. What it refers to and is gone was streamed as well.

    Raises LogUnavailableError, TimeoutError.
    """
    try:
        text = await blobs.text(ending.text, ending.text_ref)
        return text, await blobs.text(ending.reasoning, ending.reasoning_ref)
    except BlobGoneError as error:
        log.warning("%s: %s; its lane is read instead", key.run, error)
        heard = hear(await reads.lane(key.lane(ending.lane)))
        return heard.text, heard.reasoning
