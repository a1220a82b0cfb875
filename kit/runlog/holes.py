"""What a watcher may have missed: a message that was stored and did not reach it, while other lanes went on.

Live, each message names the one before it in its lane, so a hole shows when its lane speaks again, or when the run's
ending says where its lanes end. A page of the log names nothing: a lane that comes in the first page after something
live is asked what it said in between.
"""

from collections.abc import Mapping, Sequence

from contracts import events
from contracts.ids import RUN_LANE
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import BEHIND, LogMessage, LogReads, LogUnavailableError

REPAIR_MESSAGES = 16
"""Read at a time: mostly there is no hole, and what comes after it is read again with the other lanes."""

_RUN = RUN_LANE.encode()
_SNAPSHOT = SNAPSHOT_SUFFIX.encode()


class Holes:
    """Of one watcher. `handed` is always the newest place handed out of each lane, `start` where the watcher began."""

    def __init__(self, reads: LogReads, key: RunKey, start: int) -> None:
        self._reads, self._key, self._start = reads, key, start
        self._suspects: dict[bytes, tuple[int, int]] = {}  # each lane's last known place, and where it goes on
        self._asked: set[bytes] | None = None

    def __bool__(self) -> bool:
        """There is something to repair."""
        return bool(self._suspects)

    def suspect(self, lane: bytes, handed: Mapping[bytes, int], place: int) -> None:
        """The lane has something between what was handed out and `place`."""
        self._suspects[lane] = handed.get(lane, self._start), place

    def suspect_all(self, handed: Mapping[bytes, int]) -> None:
        """Something is lost, and nobody knows what."""
        self._suspects = {lane: (place, 0) for lane, place in handed.items()} | self._suspects

    def was_live(self) -> None:
        """What comes now comes from the log again: lanes are asked."""
        self._asked = set()

    def missing_ends(self, message: LogMessage, handed: Mapping[bytes, int]) -> list[tuple[bytes, int]]:
        """Lanes whose ending was not handed out, as the run's ending tells, and where it is: they are silent now."""
        event = events.decode(message.payload) if message.lane == _RUN else None
        if not isinstance(event, events.RunEnding):
            return []
        ends = [(end.lane.encode(), end.sequence) for end in event.ends]
        return [(lane, place) for lane, place in ends if handed.get(lane, self._start) < place]

    def doubt(self, page: Sequence[LogMessage], handed: Mapping[bytes, int], delivered: int) -> bool:
        """Whether lanes must be asked before this page, which comes after `delivered`, is handed out."""
        if self._asked is None:
            return False
        for message in page:
            if message.lane not in self._asked and not message.lane.endswith(_SNAPSHOT):
                self._asked.add(message.lane)
                self.suspect(message.lane, handed, message.sequence)
            for lane, place in self.missing_ends(message, handed):
                if place <= delivered:  # otherwise it is in this page
                    self.suspect(lane, handed, place)
        return bool(self._suspects)

    async def repair(self, delivered: int) -> list[LogMessage]:
        """Some of what is missing up to `delivered`. Raises LogUnavailableError.

        It comes late and keeps the cursor where it is: nobody is sent back behind what was handed out.
        """
        lane, (known, place) = next(iter(self._suspects.items()))
        page = await self._reads.page(self._key.lane(lane.decode()), known + 1, messages=REPAIR_MESSAGES)
        goal = min(place or delivered + 1, delivered + 1)
        if page and page[-1].sequence < goal:
            self._suspects[lane] = page[-1].sequence, place
        elif page or not place:
            del self._suspects[lane]
        else:
            raise LogUnavailableError(BEHIND)
        return [message for message in page if message.sequence <= delivered]
