"""The newest messages of a run that is watched here: who comes back soon with its cursor needs no read of the log.

They are what the run's subscription was told, without a break: it forgets them with the connection. Nothing is known
of what came before they begin. What is missing inside shows as for every watcher: by the chain of the lane, or at the
next silence.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from contracts import events
from contracts.ids import RUN_LANE

MESSAGE_BYTES = 256
"""What keeping a message costs, beside its payload."""

_RUN = RUN_LANE.encode()


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of each run, and for how long; also how long after its last watcher has left."""

    bytes_: int = 0
    seconds: float = 0.0


class Told(NamedTuple):
    """One message as it was told."""

    place: int
    lane: bytes
    payload: bytes
    previous: int
    at: float


class Recent:
    """Of one run, since its subscription began or was interrupted."""

    __slots__ = ("_begin", "_dropped", "_keep", "_size", "_told", "ended", "newest")

    def __init__(self, keep: Keep) -> None:
        self.newest = 0
        """The place of the newest message."""
        self.ended = False
        """The run's ending was told."""
        self._keep = keep
        self._told: deque[Told] = deque()
        self._size = 0
        self._begin = -1  # every message behind it was told; -1: not known yet
        self._dropped = 0  # the newest that is not kept any more

    def add(self, at: float, lane: bytes, place: int, previous: int, payload: bytes) -> None:
        """Told now, at this monotonic time."""
        if place <= self.newest:
            return
        if lane == _RUN:
            self.ended = events.event_type(payload) in events.RUN_ENDINGS
            if previous == 0 and self._begin < 0:
                self._begin = place - 1  # the run's very first
        self.newest = place
        told = self._told
        told.append(Told(place, lane, payload, previous, at))
        self._size += len(payload) + MESSAGE_BYTES
        while told and (self._size > self._keep.bytes_ or told[0].at < at - self._keep.seconds):
            oldest = told.popleft()
            self._size -= len(oldest.payload) + MESSAGE_BYTES
            self._dropped = oldest.place

    def reached(self, place: int) -> None:
        """The leader was asked after the subscription began, and the log had come to here."""
        if self._begin < 0:
            self._begin = place

    def covers(self, cursor: int) -> bool:
        """Whether everything behind a cursor is here."""
        return 0 <= self._begin <= cursor and self._dropped <= cursor

    def after(self, cursor: int) -> list[Told]:
        """Everything behind a cursor that it covers."""
        found: list[Told] = []
        for told in reversed(self._told):
            if told.place <= cursor:
                break
            found.append(told)
        found.reverse()
        return found
