"""Telling a run from its very start in short: where a lane has a snapshot, that and what follows, not every delta.

One read says the newest message of every lane and of every lane's snapshots. Lane `run` is told whole. A lane that has
ended is told by its ending, which carries its words; one that goes on by its snapshot and the lane after it; one that
has no snapshot is short, and told whole. Lanes are told one after another, each at the place of its newest event.

A cursor says that everything up to it was told, and nothing behind it. Until the last lane is told no place in the log
can say that: the cursor is 0, and who comes back with it is told everything anew.
"""

from collections import deque
from dataclasses import dataclass

from contracts import events
from contracts.ids import RUN_LANE
from kit.runlog.lane import RunKey
from kit.runlog.newest import Newest, look
from kit.runlog.reads import BEHIND, LogMessage, LogReads, LogUnavailableError

MAX_RUN_LANE_BYTES = 256 * 1024
"""It is short. A run for which it is not is told as it is."""

_RUN = RUN_LANE.encode()


@dataclass(slots=True)
class _Block:
    """A lane, or one event of lane `run`, that is still to be told."""

    lane: bytes
    newest: int
    read: int = 0  # how much of the lane is told
    head: LogMessage | None = None  # to be told first: an ending, a snapshot; without payload it must be fetched
    covers: int = 0  # how much of the lane is told by the head
    last: bool = False  # no lane comes after it


class Replay:
    """The opening of one watcher. `next` until `done`; then the watcher goes on after `newest`."""

    def __init__(self, reads: LogReads, key: RunKey, size: int) -> None:
        """`size` in bytes is where a piece ends: the watcher holds it until its client has taken it."""
        self.newest = 0
        """Everything up to here is told in the end; 0 if there is nothing to shorten, and nothing was told."""
        self.lanes: dict[bytes, int] = {}
        """The newest event of each lane, all of which are told."""
        self._reads, self._key, self._size = reads, key, size
        self._blocks: deque[_Block] | None = None
        self._before = 0  # the place of the block that was told before

    @property
    def done(self) -> bool:
        """All is told."""
        return self._blocks is not None and not self._blocks

    async def next(self) -> list[LogMessage]:
        """The next piece: what is held, or a page of the log. May be repeated after an error.

        The sequence of a message is the cursor after it, not its place. Raises LogUnavailableError.
        """
        if self._blocks is None:
            self._blocks = await self._plan()
        told: list[LogMessage] = []
        size = 0
        while self._blocks and size < self._size and (found := self._at_hand(self._blocks[0])):
            told += self._tell(self._blocks[0], found)
            size += len(told[-1].payload)
        if self._blocks and not told:  # what is at hand goes first: a read may fail
            block = self._blocks[0]
            told = self._tell(block, await self._from_the_log(block))
        return told

    def _tell(self, block: _Block, found: list[LogMessage]) -> list[LogMessage]:
        """The messages with their cursors."""
        if not found:
            return []
        told = [message._replace(sequence=self._cursor(block, message.sequence)) for message in found]
        block.head, block.read = None, found[-1].sequence
        if block.read == block.newest and self._blocks:
            self._before = block.newest
            self._blocks.popleft()
        return told

    def _cursor(self, block: _Block, place: int) -> int:
        return place if block.last and place > self._before else 0

    def _at_hand(self, block: _Block) -> list[LogMessage]:
        head = block.head
        return [] if head is None or not head.payload else [LogMessage(block.covers, block.lane, head.payload)]

    async def _from_the_log(self, block: _Block) -> list[LogMessage]:
        """What comes next of a lane; nothing if the run is purged. Raises LogUnavailableError."""
        head, lane = block.head, self._key.lane(block.lane.decode())
        if head is not None:
            subject = self._key.lane(head.lane.decode())
            page = await self._reads.page(subject, head.sequence, messages=1)
            found = [LogMessage(block.covers, block.lane, m.payload) for m in page if m.sequence == head.sequence]
        else:
            page = await self._reads.page(lane, block.read + 1, size=self._size)
            found = [message for message in page if message.sequence <= block.newest]
        if not found:
            if await self._reads.newest(lane) < block.newest:
                self._blocks = deque()  # purged: who goes on after `newest` finds that out
            else:
                raise LogUnavailableError(BEHIND)
        return found

    async def _plan(self) -> deque[_Block]:
        """What to tell, in its order; nothing if no lane has a snapshot. Raises LogUnavailableError."""
        lanes = await look(self._reads, self._key)
        if lanes is None or not any(lane.snapshot for lane in lanes.values()):
            return deque()
        run = await self._run_lane(lanes.pop(_RUN, None))
        if run is None:
            return deque()
        blocks = [_Block(_RUN, message.sequence, head=message, covers=message.sequence) for message in run]
        blocks += [_block(name, lane) for name, lane in lanes.items()]
        blocks.sort(key=lambda block: block.newest)
        for block in reversed(blocks):
            block.last = True
            if block.lane != _RUN:
                break
        self.newest = blocks[-1].newest
        self.lanes = {block.lane: block.newest for block in blocks}
        return deque(blocks)

    async def _run_lane(self, lane: Newest | None) -> list[LogMessage] | None:
        """All of lane `run`; None if it is too long to be held."""
        if lane is None:
            return []
        if events.event_type(lane.message.payload) == "run.created":
            return [lane.message]  # it is the first event, so it is the only one
        found: list[LogMessage] = []
        while not found or found[-1].sequence < lane.message.sequence:
            page = await self._reads.page(self._key.lane(RUN_LANE), found[-1].sequence + 1 if found else 1)
            if not page:
                raise LogUnavailableError(BEHIND)
            found += page
            if sum(len(message.payload) for message in found) > MAX_RUN_LANE_BYTES:
                return None
        return [message for message in found if message.sequence <= lane.message.sequence]


def _block(name: bytes, lane: Newest) -> _Block:
    newest = lane.message.sequence
    if lane.snapshot is None:
        return _Block(name, newest)
    if lane.ended:
        return _Block(name, newest, head=lane.message, covers=newest)
    return _Block(name, newest, head=lane.snapshot, covers=lane.covers)
