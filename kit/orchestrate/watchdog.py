"""Every run ends in bounded time, whatever died: a look at all that go on, and the ending of those nobody is at.

What a look finds:
- A lane has its ending and its run does not know: the fact about it was lost or parked. It is handled now.
- The run has ended and its log may not say so: the orchestrator died in between. It is said now.
- No ending: somebody must be at it. A new event of the lane, or an answer to a ping, is a sign of life. Without one for
  `unanswered_seconds` the generation is ended in the worker's place; if the worker wakes up, it finds an ending.

Signs of life are counted by this process and its own monotonic clock, from its first look on, lane by lane. A clock
that jumps ends nothing; and whenever NATS was away, or this process stood still, the counting begins anew: after a
restart of the bus nobody has lost a run by it whose worker needs a moment to get going again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import events, subjects
from contracts.ids import RUN_LANE
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.orchestrate.available import is_away
from kit.orchestrate.duty import Duty
from kit.orchestrate.periodic import Periodic
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.watched import Going, Runs
from kit.runlog.lane import RunKey
from kit.runlog.once import Last, read_last
from kit.runlog.outcome import ended_fact
from kit.telemetry.spans import in_trace_of

log = logging.getLogger(__name__)

PING_SECONDS = 1.0
FACT_SECONDS = 5.0
"""An ending that nobody has acted upon for so long needs help; usually its fact takes milliseconds."""
STALL_SECONDS = 5.0
"""A look that begins so much too late tells that this process stood still: what it remembers is worth nothing."""
LOOKS_AT_ONCE = 32
MAX_UNTOLD = 200

NO_WORKER = events.Error("no_worker", "No worker has taken this up in time. Try again in a moment.")
ABANDONED = events.Error(
    "abandoned", "The worker that wrote this answer is gone and no other has gone on with it. What it wrote is kept."
)

Place = tuple[str, str]
"""A run and its lane; the lane `run` stands for an ending that may be untold."""
Look = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Seen:
    """A lane as it was at the latest look."""

    sequence: int
    """Of its newest event."""
    since: float
    """Monotonic time of the last sign of life, or of the first look."""


class Watchdog:
    """One replica looks for all of them."""

    def __init__(
        self,
        bus: Bus,
        runs: Runs,
        stand_in: StandIn,
        duty: Duty,
        *,
        period_seconds: float,
        unanswered_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._runs, self._stand_in = bus, runs, stand_in
        self._duty, self._clock = duty, clock
        self._period, self._unanswered = period_seconds, unanswered_seconds
        self._patience = min(FACT_SECONDS, unanswered_seconds)
        self._seen: dict[Place, _Seen] = {}
        self._looked_at = self._clock()
        self._looking = Periodic("watchdog", period_seconds, self.look)
        bus.on_disconnect.append(self._forget)

    async def start(self) -> None:
        """Begin to look."""
        await self._looking.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._looking.stop()

    async def look(self) -> None:
        """Look at every lane and every run once. Raises what says that the database or the log is away."""
        stalled = self._clock() - self._looked_at > self._period + STALL_SECONDS
        if stalled or not self._bus.connected or not await self._duty.held():
            self._forget()
            self._looked_at = self._clock()
            return
        try:
            looks: dict[Place, Look] = {
                **{(lane.key.run, lane.lane): partial(self._at_lane, lane) for lane in await self._runs.going()},
                **{(key.run, RUN_LANE): partial(self._at_untold, key) for key in await self._runs.untold(MAX_UNTOLD)},
            }
            for place in self._seen.keys() - looks.keys():
                del self._seen[place]
            places = list(looks)
            for start in range(0, len(places), LOOKS_AT_ONCE):
                await self._look_at({place: looks[place] for place in places[start : start + LOOKS_AT_ONCE]})
        except Exception as error:
            if is_away(error):
                self._forget()
            raise
        finally:
            self._looked_at = self._clock()

    def _forget(self) -> None:
        self._seen.clear()

    async def _look_at(self, looks: Mapping[Place, Look]) -> None:
        """A few at the same time. One that cannot be helped keeps no other waiting; what is away stops them all."""
        results = await asyncio.gather(*(look() for look in looks.values()), return_exceptions=True)
        for (run, lane), result in zip(looks, results, strict=True):
            if isinstance(result, BaseException):
                if is_away(result) or not isinstance(result, Exception):
                    raise result
                log.error("lane %s of run %s cannot be helped now: %r", lane, run, result)

    def _as_before(self, place: Place, sequence: int) -> _Seen | None:
        """What was seen of a place if nothing has happened there since; otherwise the counting begins."""
        seen = self._seen.get(place)
        if seen is not None and seen.sequence == sequence:
            return seen
        self._seen[place] = _Seen(sequence, self._clock())
        return None

    async def _at_untold(self, key: RunKey) -> None:
        seen = self._as_before((key.run, RUN_LANE), 0)
        if seen is not None and self._clock() - seen.since >= self._patience:
            log.warning("the log of run %s may lack its ending; saying it again", key.run)
            await self._runs.tell(key)

    async def _at_lane(self, lane: Going) -> None:
        place = (lane.key.run, lane.lane)
        last = await read_last(self._bus, lane.key, lane.lane)
        newest = last[0].sequence if last else 0
        seen = self._as_before(place, newest)
        if seen is None:
            return
        silent = self._clock() - seen.since
        if last and isinstance(last[1], events.GenerationEnding):
            if silent >= self._patience:
                await self._handle_ending(lane, last[1], newest)
        elif await self._answers(lane):
            seen.since = self._clock()
        elif silent >= self._unanswered and self._seen.get(place) is seen:
            await self._give_up(lane, last, silent)

    async def _handle_ending(self, lane: Going, ending: events.GenerationEnding, sequence: int) -> None:
        """Do what the fact would have brought about, and tell the others that the generation has ended.

        The bus drops the fact if it was told in the last two minutes.
        """
        log.warning("lane %s of run %s has ended and is taken to go on; ending it", lane.lane, lane.key.run)
        fact = ended_fact(lane.key, ending, sequence)
        with in_trace_of(lane.trace, "end run late"):
            await self._runs.on_generation_ended(fact)
            await publish(self._bus, fact)

    async def _answers(self, lane: Going) -> bool:
        """Whether a worker says that it is at this generation."""
        key = lane.key
        subject = subjects.PING.format(tenant=key.tenant, user=key.user, run=key.run, lane=lane.lane)
        try:
            await self._bus.client.request(subject, b"", timeout=PING_SECONDS)
        except (NoRespondersError, NatsTimeoutError):
            return False
        return True

    async def _give_up(self, lane: Going, last: Last | None, silent: float) -> None:
        """End the generation in its worker's place; its fact tells the run."""
        generation = await self._runs.generation(lane)
        if generation is None:
            return
        log.error("nobody has been at lane %s of run %s for %.0f s; it fails", lane.lane, lane.key.run, silent)
        with in_trace_of(lane.trace, "end instead of the worker"):
            if not await self._stand_in.end(generation, ABANDONED if last else NO_WORKER):
                log.info("lane %s of run %s has a worker after all", lane.lane, lane.key.run)
