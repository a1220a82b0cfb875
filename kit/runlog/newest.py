"""The newest event and the newest snapshot of every lane of a run, by one read that costs next to nothing."""

from dataclasses import dataclass
from typing import NamedTuple

from contracts import events
from contracts.ids import RUN_LANE
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import BEHIND, LogMessage, LogReads, LogUnavailableError

HELD_BYTES = 256 * 1024
"""Of payloads, while a watcher is told a run from its start; it fits the longest."""

_RUN = RUN_LANE.encode()
_SNAPSHOT = SNAPSHOT_SUFFIX.encode()


@dataclass(slots=True)
class Newest:
    """Of one lane."""

    message: LogMessage
    snapshot: LogMessage | None = None
    covers: int = 0
    """The place of the newest event that is in the snapshot."""
    ended: bool = False
    """The message is an ending that carries all that the snapshot does."""


class _Found(NamedTuple):
    message: LogMessage
    ending: bool
    words: frozenset[str]
    covers: int


async def look(reads: LogReads, key: RunKey) -> dict[bytes, Newest] | None:
    """What the log has of a run now, lane by lane; None if there are too many lanes to ask for.

    It holds so much of payloads: beyond that a message comes without its payload, and whoever needs it reads it again.
    As in every join, a replica that is behind the leader is asked again. Raises LogUnavailableError.
    """
    goal = await reads.newest(key.all_lanes) if reads.bus.replicated else 0
    found: dict[bytes, _Found] = {}
    reached = held = 0
    while True:
        page = await reads.newest_of_each(key.all_lanes, reached + 1)
        if page is None:
            return None
        messages, more = page
        for message in messages:
            seen = _found(message)
            if seen.message.payload and message.lane != _RUN:
                held += len(message.payload)
                if held > HELD_BYTES:
                    seen = seen._replace(message=message._replace(payload=b""))
            found[message.lane] = seen
            reached = message.sequence
        if messages and more:
            continue
        if reached >= goal:
            return {lane: _newest(seen, found.get(lane + _SNAPSHOT)) for lane, seen in found.items() if _is_lane(lane)}
        raise LogUnavailableError(BEHIND)


def _found(message: LogMessage) -> _Found:
    event = events.decode(message.payload)
    if not isinstance(event, events.Whole):
        kept = message if message.lane == _RUN else message._replace(payload=b"")
        return _Found(kept, ending=False, words=frozenset(), covers=0)
    words = {
        "text": event.text or event.text_ref,
        "reasoning": event.reasoning or event.reasoning_ref,
        "tool calls": event.tool_calls,
    }
    return _Found(
        message,
        ending=isinstance(event, events.GenerationEnding),
        words=frozenset(name for name, value in words.items() if value),
        covers=event.covers if isinstance(event, events.GenerationSnapshot) else 0,
    )


def _newest(lane: _Found, snapshot: _Found | None) -> Newest:
    if snapshot is None:
        return Newest(lane.message)
    if lane.ending and lane.words >= snapshot.words:
        return Newest(lane.message, snapshot.message._replace(payload=b""), snapshot.covers, ended=True)
    return Newest(lane.message, snapshot.message, snapshot.covers)


def _is_lane(lane: bytes) -> bool:
    return not lane.endswith(_SNAPSHOT)
