"""Following a run: from a cursor, through what is stored, into what happens now; without gap, repeat or reordering.

The join: subscribe, ask the leader how far the run has come, read the log until there, then deliver what came live
meanwhile and everything after it. The same again whenever something may be missing: a hole in a lane's chain of
sequences, a lost connection. And at every silence, since a lost last message
shows no hole. From the very start the log is read in short first (kit/runlog/replay.py).

Whoever does not take what is there is left alone: when its buffer is full the watcher lets go of it, is told nothing
live any more, and costs nothing until it is asked for the next events. Then it joins again from where it is.
"""

import asyncio
from collections.abc import Iterable

from contracts import events
from contracts.ids import RUN_LANE
from kit.runlog.alarm import Alarm
from kit.runlog.holes import Holes
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import BEHIND, RETRY_PAUSE_SECONDS, LogMessage, LogReads, LogUnavailableError
from kit.runlog.replay import Replay

FIRST_MESSAGE_SECONDS = 0.25
"""A run that was followed before it began and is silent for so long is read from the log."""

_RUN = RUN_LANE.encode()
_SNAPSHOT = SNAPSHOT_SUFFIX.encode()


class Follower:
    """One watcher of one run. Its memory is bounded; a slow reader is served from the log at its own pace."""

    def __init__(
        self, reads: LogReads, key: RunKey, *, after: int, buffer_bytes: int, known: int = 0, whole: bool = False
    ) -> None:
        """`known` is a place that the run's log is known to have reached. `whole`: never tell the start in short."""
        self.ended = False
        """Nothing more comes: the run's ending has been handed out, or its log was purged meanwhile."""
        self._reads = reads
        self._key = key
        self._buffer_bytes = buffer_bytes
        self._start = after
        self._known = known
        self._replay = Replay(reads, key, buffer_bytes) if after == 0 and not whole else None
        self._delivered = after  # how far the stream was handed out (or was before the cursor)
        self._handed: dict[bytes, int] = {}  # the newest sequence handed out of each lane
        self._lanes: dict[bytes, int] = {}  # the newest sequence handed out or queued of each lane
        self._holes = Holes(reads, key, after)
        self._live = False
        self._fresh = False
        self._newest = after  # the newest sequence queued
        self._queue: list[LogMessage] = []  # live, to be handed out
        self._queued_bytes = 0
        self._held: list[tuple[LogMessage, int]] = []  # came while the log was being read
        self._held_bytes = 0
        self._target = -1  # joining: how far the log must be read
        self._page: list[LogMessage] = []  # what was read, and must not be handed out yet
        self._alarm = Alarm()
        self._interrupted = False
        self._doubtful = False  # something may be missing that only the log knows

    async def start(self, *, fresh: bool = False) -> None:
        """Subscribe. `fresh` is for a run that does not exist yet: nothing can be stored, so nothing is read."""
        self._reads.bus.on_disconnect.append(self._lost)
        self._reads.bus.on_loss.append(self._lost_messages)
        await self._reads.live.join(self._key, self._on_live)
        self._live = self._fresh = fresh
        if fresh:
            self._replay = None

    async def close(self) -> None:
        """Unsubscribe."""
        self._alarm.close()
        self._reads.bus.on_disconnect.remove(self._lost)
        self._reads.bus.on_loss.remove(self._lost_messages)
        self._let_go()

    def interrupt(self) -> None:
        """Make a waiting `next` return at once, with nothing."""
        self._interrupted = True
        self._alarm.signal()

    async def next(self, timeout: float) -> list[LogMessage]:
        """The next events, as many as there are; an empty list after `timeout` seconds of silence.

        Survives a log that is away: it keeps trying, and its silence looks like any other.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not self.ended and not self._interrupted:
            if self._live:
                if self._queue:
                    return self._hand_out()
                wait = deadline - loop.time()
                if self._fresh:
                    wait = min(wait, FIRST_MESSAGE_SECONDS)
                if await self._alarm.woken(wait):
                    continue
                self._rejoin()  # silence: make sure that nothing was missed
            try:
                async with asyncio.timeout_at(deadline if deadline > loop.time() else loop.time() + timeout):
                    batch = await self._join()
            except (LogUnavailableError, TimeoutError):
                batch, self._target = [], -1
                if loop.time() < deadline:
                    await asyncio.sleep(RETRY_PAUSE_SECONDS)
            if batch:
                return batch
            if loop.time() >= deadline:
                return []
        return []

    # -- catching up ----------------------------------------------------------------------------------------------

    async def _join(self) -> list[LogMessage]:
        """One step of the join: a page of the log, or what was held back; then it is live again."""
        if self._replay is not None:
            return await self._open(self._replay)
        if self._target < 0:
            self._held, self._held_bytes = [], 0
            await self._reads.live.join(self._key, self._on_live)
            recent = self._reads.live.recent(self._key)
            if not self._doubtful and recent is not None and recent.covers(self._delivered):
                return self._go_live(
                    (LogMessage(t.place, t.lane, t.payload), t.previous) for t in recent.after(self._delivered)
                )
            self._target = await self._reads.newest(self._key.all_lanes)
            if recent is not None:
                recent.reached(self._target)
            if self._target == 0 < max(self._delivered, self._known):
                self.ended = True  # purged: the client comes back, and is told what is stored
                return []
        if self._holes:
            missed = await self._holes.repair(self._delivered)
            return self._shown([message._replace(sequence=self._delivered) for message in missed])
        if self._delivered < self._target:
            start = self._delivered + 1
            page = self._page or await self._reads.page(self._key.all_lanes, start, size=self._buffer_bytes)
            self._page = page
            if not page:
                raise LogUnavailableError(BEHIND)
            if self._holes.doubt(page, self._handed, self._delivered):
                return []
            self._page, self._delivered = [], page[-1].sequence
            return self._shown(page)
        held, self._held, self._target = self._held, [], -1
        if not self._reads.live.tells(self._key, self._on_live):
            return []  # too much came meanwhile: read on
        return self._go_live(held)

    def _go_live(self, told: Iterable[tuple[LogMessage, int]]) -> list[LogMessage]:
        """Everything up to where we are was read, and everything after it is in `told`."""
        self._newest, self._lanes, self._live, self._doubtful = self._delivered, dict(self._handed), True, False
        for message, previous in told:
            self._accept(message, previous)
        return self._hand_out()

    async def _open(self, replay: Replay) -> list[LogMessage]:
        """One step of the opening. What it tells has cursors of its own."""
        told = await replay.next()
        self.ended = any(message.lane == _RUN and _ends(message) for message in told)
        if replay.done:
            self._replay = None
            self._delivered, self._handed = replay.newest, replay.lanes
        return told

    def _suspect(self, lane: bytes, place: int) -> None:
        self._holes.suspect(lane, self._handed, place)
        self._rejoin()

    def _rejoin(self) -> None:
        """Whatever was not handed out yet is read from the log instead."""
        self._live = self._fresh = False
        self._doubtful = True
        self._queue, self._queued_bytes, self._page, self._target = [], 0, [], -1
        self._holes.was_live()
        self._alarm.signal()

    def _shown(self, messages: list[LogMessage]) -> list[LogMessage]:
        shown = []
        for message in messages:
            if message.lane.endswith(_SNAPSHOT):
                continue
            shown.append(message)
            self._handed[message.lane] = message.sequence
            if message.lane == _RUN and _ends(message):
                self.ended = True
        return shown

    # -- live -----------------------------------------------------------------------------------------------------

    def _let_go(self) -> None:
        """Nobody takes what is there: hold nothing and be told nothing until somebody does."""
        self._reads.live.leave(self._key, self._on_live)
        self._held, self._held_bytes = [], 0

    def _on_live(self, lane: bytes, place: int, previous: int, payload: bytes) -> None:
        if lane.endswith(_SNAPSHOT):
            return
        message = LogMessage(place, lane, payload)
        if self._live:
            self._accept(message, previous)
            self._alarm.signal()
        elif self._held_bytes <= self._buffer_bytes:
            self._held.append((message, previous))
            self._held_bytes += len(payload)
        else:
            self._let_go()

    def _accept(self, message: LogMessage, previous: int) -> None:
        """Queue a live message, unless it is known; a hole or a full buffer sends this watcher to the log."""
        if not self._live or message.sequence <= self._newest:
            return
        if self._fresh:
            self._fresh = False
            if message.lane != _RUN:
                self._rejoin()
                return
        if previous > self._lanes.get(message.lane, self._start):
            self._suspect(message.lane, message.sequence)
            return
        if self._queued_bytes > self._buffer_bytes:
            self._rejoin()
            self._let_go()
            return
        if missing := self._holes.missing_ends(message, self._lanes):
            self._suspect(*missing[0])
            return
        self._lanes[message.lane] = self._newest = message.sequence
        self._queue.append(message)
        self._queued_bytes += len(message.payload)

    def _hand_out(self) -> list[LogMessage]:
        batch, self._queue, self._queued_bytes = self._queue, [], 0
        if batch:
            self._delivered = batch[-1].sequence
        return self._shown(batch)

    def _lost(self) -> None:
        """The connection is gone: nothing live is handed out until the log was read again."""
        self._holes.suspect_all(self._handed)
        self._rejoin()

    async def _lost_messages(self) -> None:
        self._lost()


def _ends(message: LogMessage) -> bool:
    return events.event_type(message.payload) in events.RUN_ENDINGS
