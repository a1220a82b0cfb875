"""What the process of every orchestrator is made of, and how it starts and stops. What it does is its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, get_args

from contracts import subjects
from contracts.generation import GenerationEnded
from kit.bus.broker import of_facts
from kit.bus.connection import Bus
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.handling import HandlingService
from kit.orchestrate.offers import Offers
from kit.orchestrate.purge_table import PurgeTable
from kit.orchestrate.retention import Retention
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.watchdog import Watchdog
from kit.orchestrate.watched import Runs
from kit.runlog.outcome import Outcome
from kit.runlog.reads import LogReads
from kit.settings import Settings
from kit.telemetry import measures

CONCURRENT_LOG_READS = 8


class Limits(Protocol):
    """The settings that every orchestrator has."""

    handlers: int
    sweep_seconds: float
    watch_seconds: float
    unanswered_seconds: float
    purges_per_second: float


class OrchestratorService(HandlingService):
    """The parts that all orchestrators have."""

    def __init__(self, settings: Settings, name: str, limits: Limits) -> None:
        super().__init__(settings, name, limits.handlers)
        self._limits = limits
        self._log_bus = Bus(settings.nats, f"{name} log")
        self._reads = LogReads(self._log_bus, CONCURRENT_LOG_READS)
        self._offers = Offers(self._bus)
        self._stand_in = StandIn(self._bus, self._reads, self._blobs, self._offers)
        self._canceller = Canceller(self._bus, self._stand_in)

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

    def _hear_of_endings(self, handler: Callable[[GenerationEnded], Awaitable[None]]) -> None:
        """Have every generation's ending told, also those of others' runs."""
        ended = subjects.GENERATION_ENDED.format(outcome="*")
        self._broker.subscriber(ended, **of_facts(self._name, "generation-ended", self._handlers))(handler)

    async def start(self) -> None:
        """Count its runs from nought, connect to everything and take messages. Raises as every service does."""
        for fact in subjects.SUBJECTS_ARE_FOR:
            if fact.split(".")[1:3] == [self._name, "run"]:
                for outcome in get_args(Outcome):
                    measures.sent(fact.format(outcome=outcome), 0)
        await super().start()

    async def _connect(self) -> None:
        await asyncio.gather(super()._connect(), self._log_bus.connect())
        await self._reads.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await super().stop()
        await self._log_bus.close()
