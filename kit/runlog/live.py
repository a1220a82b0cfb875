"""What is stored now, told to everybody in this process who follows it: one subscription for each run.

However many watch a run, NATS sends each of its messages to this process once. While nobody does there is none.
"""

import asyncio
from collections.abc import Callable

from nats.aio.subscription import Subscription

from kit.bus.fastpath import FastPath
from kit.bus.frames import header_value
from kit.runlog.lane import RunKey

Hear = Callable[[bytes, int, int, bytes], None]
"""Called inside the socket's read with lane, place, the place of the message before it in its lane (0: none), and the
event's JSON. It must not raise and not block; it may leave."""


class _Run:
    """The watchers of one run. The tuple is never changed but replaced: somebody may leave while all are told."""

    __slots__ = ("opening", "subscription", "watchers")

    def __init__(self) -> None:
        self.watchers: tuple[Hear, ...] = ()
        self.subscription: Subscription | None = None
        self.opening: asyncio.Task[None] | None = None

    def on_message(self, subject: bytes, header: bytes, payload: bytes) -> None:
        lane = subject[subject.rfind(b".") + 1 :]
        place = int(header_value(header, b"Nats-Sequence: ") or 0)
        previous = int(header_value(header, b"Nats-Last-Sequence: ") or 0)
        for hear in self.watchers:
            hear(lane, place, previous, payload)


class LiveRuns:
    """The runs that are watched on one connection."""

    def __init__(self, fast: FastPath) -> None:
        self._fast = fast
        self._runs: dict[RunKey, _Run] = {}

    async def join(self, key: RunKey, hear: Hear) -> None:
        """From now on `hear` is told. What is asked on this connection afterwards is answered later than it begins."""
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run()
            run.opening = asyncio.create_task(self._open(run, key))
        run.watchers = (*run.watchers, hear)
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
        if run is None:
            return
        run.watchers = tuple(other for other in run.watchers if other != hear)
        if not run.watchers:
            del self._runs[key]
            self._end(run)

    async def _open(self, run: _Run, key: RunKey) -> None:
        run.subscription = await self._fast.subscribe(key.live, run.on_message)
        run.opening = None
        if not run.watchers:  # all have left meanwhile
            self._end(run)

    def _end(self, run: _Run) -> None:
        if run.subscription is not None:
            self._fast.drop(run.subscription)
            run.subscription = None
