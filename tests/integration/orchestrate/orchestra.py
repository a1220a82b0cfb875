"""An orchestrator that keeps its runs in memory, with the parts that every orchestrator shares, on real servers."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts import events
from contracts.generation import GenerationEnded
from contracts.ids import RUN_LANE
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.clock import now_ms, utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.duty import Duty
from kit.orchestrate.generation import Generation
from kit.orchestrate.offers import Offers
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.watchdog import Watchdog
from kit.orchestrate.watched import Going
from kit.runlog.lane import RunKey
from kit.runlog.once import begin_lane
from kit.runlog.reads import LogReads
from kit.runlog.writers import LogWriters
from tests.fixtures.bus import connected_bus
from tests.fixtures.servers import Servers
from tests.integration.chat.worker import Answering

SCHEMA = "orchestra"
PERIOD = 10.0
UNANSWERED = 300.0
DUTY_SECONDS = 31.0


class Kept:
    """Runs in memory, as the watchdog is given them. A lane goes on until its fact has come."""

    def __init__(self) -> None:
        self.lanes: dict[tuple[str, str], Going] = {}
        self.silent: list[RunKey] = []
        """Runs that have ended without anybody having said so."""
        self.told: list[RunKey] = []
        self.facts: list[GenerationEnded] = []
        self.requested: datetime = utc_now()

    async def going(self) -> Sequence[Going]:
        """All lanes that go on."""
        return list(self.lanes.values())

    async def untold(self, limit: int) -> Sequence[RunKey]:
        """All runs that nobody has told."""
        return self.silent[:limit]

    async def generation(self, lane: Going) -> Generation | None:
        """A lane that goes on."""
        return self.whole(lane.key, lane.lane) if (lane.key.run, lane.lane) in self.lanes else None

    async def on_generation_ended(self, fact: GenerationEnded) -> None:
        """It goes on no more."""
        self.facts.append(fact)
        self.lanes.pop((fact.run_id, fact.lane), None)

    async def tell(self, key: RunKey) -> None:
        """Remember that it was asked for."""
        self.told.append(key)

    def whole(self, key: RunKey, lane: str) -> Generation:
        """A lane, however it is."""
        created = events.RunCreated(lane=RUN_LANE, at=1, run_id=key.run, kind="compare", generations=())
        return Generation(key, lane, "m", self.requested, created, asked=("12345678",))


@dataclass
class Orchestra:
    """The parts, and a clock of the test's own for the watchdog."""

    bus: Bus
    database: Database
    reads: LogReads
    writers: LogWriters
    blobs: Blobs
    kept: Kept = field(default_factory=Kept)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.stand_in = StandIn(self.bus, self.reads, self.blobs, Offers(self.bus))
        self.canceller = Canceller(self.bus, self.stand_in)
        self.watchdog = Watchdog(
            self.bus,
            self.kept,
            self.stand_in,
            Duty(self.database, SCHEMA, new_id("watch"), "one", DUTY_SECONDS),
            period_seconds=PERIOD,
            unanswered_seconds=UNANSWERED,
            clock=lambda: self.now,
        )

    async def begin(self, *lanes: str) -> RunKey:
        """A run whose lanes go on, although nobody is at them yet."""
        key = RunKey("t", "u", new_id("cmp"))
        await begin_lane(self.bus, key, self.kept.whole(key, lanes[0]).created)
        for lane in lanes:
            self.kept.lanes[key.run, lane] = Going(key, lane)
        return key

    @contextlib.asynccontextmanager
    async def work_on(self, key: RunKey, lane: str) -> AsyncIterator[Answering]:
        """A worker at one lane."""
        writer = self.writers.open(key, lane, attempt=1, last=0)
        worker = await Answering(self.bus, key, writer, 1, "m", lane).listen()
        await worker.tell(events.GenerationStarted(lane=lane, at=now_ms(), attempt=1, model="m", provider="p"))
        try:
            yield worker
        finally:
            await worker.die()

    async def pass_time(self, seconds: float) -> None:
        """Look every period, as long as that."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + PERIOD, until)
            await self.watchdog.look()

    async def lane(self, key: RunKey, lane: str) -> list[Any]:
        """The events of a lane."""
        return [event for _, event in await self.reads.lane(key.lane(lane))]

    async def ending(self, key: RunKey, lane: str) -> Any:
        """The ending of a lane, if it has one."""
        told = await self.lane(key, lane)
        return told[-1] if told and isinstance(told[-1], events.GenerationEnding) else None


@contextlib.asynccontextmanager
async def orchestra_on(servers: Servers, database: Database) -> AsyncIterator[Orchestra]:
    """The parts, started."""
    async with connected_bus(servers) as bus:
        await declare_streams(bus.client, 1)
        reads, writers = LogReads(bus, 8), LogWriters(bus)
        await reads.start()
        await writers.start()
        try:
            yield Orchestra(bus, database, reads, writers, Blobs(bus, 1))
        finally:
            await writers.stop()
