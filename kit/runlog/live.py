"""What is stored now, told to everybody in this process who follows it: one subscription for each run.

However many watch a run, NATS sends each of its messages to this process once. It ends some time after the last of
them has left: most who leave are back soon, and find here what they missed (kit/runlog/recent.py).
"""

import asyncio
import time
from collections.abc import Callable

from nats.aio.subscription import Subscription

from kit.bus.connection import Bus
from kit.bus.frames import header_value
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.recent import Keep, Recent

Hear = Callable[[bytes, int, int, bytes], None]
"""Called inside the socket's read with lane, place, the place of the message before it in its lane (0: none), and the
event's JSON. It must not raise and not block; it may leave."""


NOTHING = Keep()

_SNAPSHOT = SNAPSHOT_SUFFIX.encode()


class _Run:
    """The watchers of one run. The tuple is never changed but replaced: somebody may leave while all are told."""

    __slots__ = ("lingering", "opening", "recent", "subscription", "watchers")

    def __init__(self, recent: Recent | None) -> None:
        self.watchers: tuple[Hear, ...] = ()
        self.subscription: Subscription | None = None
        self.opening: asyncio.Task[None] | None = None
        self.lingering: asyncio.TimerHandle | None = None
        self.recent = recent

    def on_message(self, subject: bytes, header: bytes, payload: bytes) -> None:
        if subject.endswith(_SNAPSHOT):
            return
        lane = subject[subject.rfind(b".") + 1 :]
        place = int(header_value(header, b"Nats-Sequence: ") or 0)
        previous = int(header_value(header, b"Nats-Last-Sequence: ") or 0)
        if self.recent is not None:
            self.recent.add(time.monotonic(), lane, place, previous, payload)
        for hear in self.watchers:
            hear(lane, place, previous, payload)


class LiveRuns:
    """The runs that are watched on one connection."""

    def __init__(self, bus: Bus, keep: Keep = NOTHING) -> None:
        self._fast, self._keep = bus.fast, keep
        self._runs: dict[RunKey, _Run] = {}
        bus.on_disconnect.append(self._forget)
        bus.on_loss.append(self._forget_lost)

    async def join(self, key: RunKey, hear: Hear) -> None:
        """From now on `hear` is told. What is asked on this connection afterwards is answered later than it begins.

        Joining twice is no harm.
        """
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run(self._recent())
            run.opening = asyncio.create_task(self._open(run, key))
        if hear not in run.watchers:
            run.watchers = (*run.watchers, hear)
        if run.lingering is not None:
            run.lingering.cancel()
            run.lingering = None
        if run.opening is None:
            return
        try:
            await asyncio.shield(run.opening)  # the others go on waiting when one gives up
        except BaseException:
            self.leave(key, hear)
            raise

    def leave(self, key: RunKey, hear: Hear) -> None:
        """`hear` is told nothing more. Leaving twice is no harm."""
        run = self._runs.get(key)
        if run is None or hear not in run.watchers:
            return
        run.watchers = tuple(other for other in run.watchers if other != hear)
        if run.watchers:
            return
        if run.recent is not None and not run.recent.ended and run.opening is None:
            run.lingering = asyncio.get_running_loop().call_later(self._keep.seconds, self._end, key, run)
        else:
            self._end(key, run)

    def tells(self, key: RunKey, hear: Hear) -> bool:
        """Whether `hear` is told."""
        run = self._runs.get(key)
        return run is not None and hear in run.watchers

    def recent(self, key: RunKey) -> Recent | None:
        """What was told of a run that is watched, or was a moment ago."""
        run = self._runs.get(key)
        return None if run is None else run.recent

    async def _open(self, run: _Run, key: RunKey) -> None:
        run.subscription = await self._fast.subscribe(key.live, run.on_message)
        run.opening = None
        if not run.watchers:  # all have left meanwhile
            self._end(key, run)

    def _end(self, key: RunKey, run: _Run) -> None:
        if self._runs.get(key) is run:
            del self._runs[key]
        if run.subscription is not None:
            self._fast.drop(run.subscription)
            run.subscription = None

    def _recent(self) -> Recent | None:
        return Recent(self._keep) if self._keep.bytes_ else None

    def _forget(self) -> None:
        """Something may be missing."""
        for run in self._runs.values():
            run.recent = self._recent()

    async def _forget_lost(self) -> None:
        self._forget()
