"""What the process of every orchestrator is made of, and how it starts and stops. What it does is its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from contracts import subjects
from contracts.generation import GenerationEnded
from contracts.message import Request, Value
from kit.bus.blobs import Blobs
from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.describe import describe_service
from kit.bus.rpc import on_request
from kit.bus.streams import declare_streams
from kit.db.database import UNAVAILABLE, Database
from kit.ids import new_id
from kit.orchestrate.available import when_available
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.duty import Duty
from kit.orchestrate.offers import Offers
from kit.orchestrate.purge_table import PurgeTable
from kit.orchestrate.retention import Retention
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.watchdog import Watchdog
from kit.orchestrate.watched import Runs
from kit.runlog.reads import LogReads
from kit.settings import Settings
from kit.telemetry.setup import broker_middlewares

Handler = Callable[[Any], Awaitable[Value]]
Served = Sequence[tuple[type[Request[Any]], Handler]]

CONCURRENT_LOG_READS = 8
PERIODS_OF_SILENCE = 3
"""After so many of its own periods, and a second, a replica that has a duty loses it to another."""


class Part(Protocol):
    """Something that works for as long as the service runs."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


class Limits(Protocol):
    """The settings that every orchestrator has."""

    handlers: int
    sweep_seconds: float
    watch_seconds: float
    unanswered_seconds: float
    purges_per_second: float


class OrchestratorService:
    """The connections and the parts that all have. A subclass adds its own to `_parts`, in the order of their start."""

    def __init__(self, settings: Settings, name: str, limits: Limits) -> None:
        self._name, self._replicas, self._limits = name, settings.nats.replicas, limits
        self._bus = Bus(settings.nats, name)
        self._log_bus = Bus(settings.nats, f"{name} log")
        self._reads = LogReads(self._log_bus, CONCURRENT_LOG_READS)
        self._blobs = Blobs(self._bus, settings.nats.replicas)
        self._database = Database(settings.database, name)
        self._offers = Offers(self._bus)
        self._stand_in = StandIn(self._bus, self._reads, self._blobs, self._offers)
        self._canceller = Canceller(self._bus, self._stand_in)
        self._broker = make_broker(
            settings.nats, name, self._bus, transient=UNAVAILABLE, middlewares=broker_middlewares()
        )
        self._replica = new_id(name)
        self._parts: tuple[Part, ...] = ()

    def _duty(self, work: str, period_seconds: float) -> Duty:
        """What one replica does for all of them."""
        return Duty(self._database, self._name, work, self._replica, PERIODS_OF_SILENCE * period_seconds + 1)

    def _watchdog_of(self, runs: Runs) -> Watchdog:
        """Who ends what nobody ends."""
        period = self._limits.watch_seconds
        return Watchdog(
            self._bus,
            runs,
            self._stand_in,
            self._duty("watch", period),
            period_seconds=period,
            unanswered_seconds=self._limits.unanswered_seconds,
        )

    def _retention_of(self, purges: PurgeTable, order: Callable[[], Awaitable[bool]]) -> Retention:
        """Who takes runs out of the log; `order` looks for what is old enough."""
        period = self._limits.sweep_seconds
        return Retention(
            self._bus,
            self._database,
            self._blobs,
            self._reads,
            self._duty("purge", period),
            purges,
            order,
            purges_per_second=self._limits.purges_per_second,
            idle_seconds=period,
        )

    def _serve(self, short: Served, long: Served, about: str) -> None:
        """Answer requests. The replies of `long` may be longer than a message; all requests may be."""
        for blobs, handlers in ((None, short), (self._blobs, long)):
            for request, handler in handlers:
                register = on_request(
                    self._broker, request, workers=self._limits.handlers, blobs=blobs, kept=self._blobs
                )
                register(when_available(handler))
        describe_service(self._broker, self._name, about)

    def _hear_of_endings(self, handler: Callable[[GenerationEnded], Awaitable[None]]) -> None:
        """Have every generation's ending told, also those of others' runs."""
        ended = subjects.GENERATION_ENDED.format(outcome="*")
        self._broker.subscriber(ended, **of_facts(self._name, "generation-ended", self._limits.handlers))(handler)

    async def start(self) -> None:
        """Connect to everything and take messages. Raises BusError, LogUnavailableError or a database error."""
        await asyncio.gather(self._bus.connect(), self._log_bus.connect(), self._database.connect())
        await declare_streams(self._bus.client, self._replicas)
        await self._reads.start()
        await self._broker.start()
        for part in self._parts:
            await part.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await self._broker.stop()
        for part in reversed(self._parts):
            await part.stop()
        await self._bus.close()
        await self._log_bus.close()
        await self._database.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()
