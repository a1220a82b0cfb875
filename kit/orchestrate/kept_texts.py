"""Which texts of a run's answers are kept outside the log, as the log tells while it is there."""

from collections.abc import Mapping

from contracts import events
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import BEHIND, LogReads, LogUnavailableError

Newest = Mapping[str, events.Event | None]
"""By lane, and by lane of snapshots, the newest event."""


async def newest_of_lanes(reads: LogReads, key: RunKey) -> Newest:
    """The newest event of every lane of a run; of more lanes than can be asked for, of none.

    Raises LogUnavailableError.
    """
    goal, reached = await reads.newest(key.all_lanes), 0
    found: dict[str, events.Event | None] = {}
    while reached < goal:
        page = await reads.newest_of_each(key.all_lanes, reached + 1)
        if page is None:
            return {}
        for message in page[0]:
            found[message.lane.decode()] = events.decode(message.payload)
            reached = message.sequence
        if not page[0]:
            raise LogUnavailableError(BEHIND)
    return found


async def answer_references(reads: LogReads, key: RunKey, newest: Newest) -> set[str]:
    """Where the long texts are. A text grows: if the last snapshot and the ending refer to none, nothing does.

    Raises LogUnavailableError.
    """
    found: set[str] = set()
    lanes: set[str] = set()
    for lane, event in newest.items():
        if references := _references_in(event):
            found |= references
            lanes.add(lane.removesuffix(SNAPSHOT_SUFFIX))
    for lane in lanes:
        for _, snapshot in await reads.lane(key.lane(lane + SNAPSHOT_SUFFIX)):
            found |= _references_in(snapshot)
    return found


def _references_in(event: events.Event | None) -> set[str]:
    if not isinstance(event, events.Whole):
        return set()
    return {reference for reference in (event.text_ref, event.reasoning_ref) if reference is not None}
