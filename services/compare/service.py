"""The compare service: its parts, and how they hang together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import compare, subjects
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
from kit.orchestrate.retention import Retention
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.watchdog import Watchdog
from kit.runlog.reads import LogReads
from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry.setup import broker_middlewares
from services.compare.board_handlers import BoardHandlers
from services.compare.comparison_handlers import ComparisonHandlers
from services.compare.dispatch import Dispatcher
from services.compare.endings import SERVICE, EndingHandlers
from services.compare.marks import run_marks
from services.compare.purge_store import PURGES, Old
from services.compare.run_handlers import RunHandlers
from services.compare.start_handlers import StartHandlers
from services.compare.starter import Starter
from services.compare.vote_handlers import VoteHandlers
from services.compare.watched import WatchedRuns

Handler = Callable[[Any], Awaitable[Value]]

NAME = SERVICE
CONCURRENT_LOG_READS = 8
PERIODS_OF_SILENCE = 3
"""After so many of its own periods, and a second, a replica that has a duty loses it to another."""


class CompareService:
    """Comparisons, their runs and their votes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bus = Bus(settings.nats, NAME)
        self._log_bus = Bus(settings.nats, f"{NAME} log")
        self._reads = LogReads(self._log_bus, CONCURRENT_LOG_READS)
        self._blobs = Blobs(self._bus, settings.nats.replicas)
        self._database = Database(settings.database, NAME)
        self._offers = Offers(self._bus)
        self._stand_in = StandIn(self._bus, self._reads, self._blobs, self._offers)
        self._marks = run_marks(self._database)
        limits = settings.compare
        self._endings = EndingHandlers(self._bus, self._database, self._blobs, self._reads, self._marks)
        self._dispatcher = Dispatcher(
            self._bus, self._database, self._blobs, self._marks, self._endings, limits.sweep_seconds
        )
        self._comparisons = ComparisonHandlers(self._bus, self._database, self._reads)
        self._votes = VoteHandlers(self._bus, self._database, self._comparisons, limits.sweep_seconds)
        self._boards = BoardHandlers(self._database, limits)
        replica = new_id(NAME)
        self._watchdog = Watchdog(
            self._bus,
            WatchedRuns(self._database, self._endings),
            self._stand_in,
            Duty(self._database, NAME, "watch", replica, PERIODS_OF_SILENCE * limits.watch_seconds + 1),
            period_seconds=limits.watch_seconds,
            unanswered_seconds=limits.unanswered_seconds,
        )
        self._retention = Retention(
            self._bus,
            self._database,
            self._blobs,
            self._reads,
            Duty(self._database, NAME, "purge", replica, PERIODS_OF_SILENCE * limits.sweep_seconds + 1),
            PURGES,
            Old(self._database, limits.retention_seconds).order,
            purges_per_second=limits.purges_per_second,
            idle_seconds=limits.sweep_seconds,
        )
        self._broker = make_broker(
            settings.nats, NAME, self._bus, transient=UNAVAILABLE, middlewares=broker_middlewares()
        )
        self._register()

    def _register(self) -> None:
        limits, workers = self._settings.compare, self._settings.compare.handlers
        starting = StartHandlers(self._database, Starter(self._database, self._dispatcher, self._offers, limits))
        canceller = Canceller(self._bus, self._stand_in)
        runs = RunHandlers(self._database, self._comparisons, canceller, self._endings)
        short: list[tuple[type[Request[Any]], Handler]] = [
            (compare.StartComparison, starting.on_start_comparison),
            (compare.ExtendComparison, starting.on_extend_comparison),
            (compare.DeleteComparison, self._comparisons.on_delete_comparison),
            (compare.GetCompareRun, runs.on_get_compare_run),
            (compare.CancelCompareRun, runs.on_cancel_compare_run),
        ]
        long: list[tuple[type[Request[Any]], Handler]] = [
            (compare.ListCompareRuns, runs.on_list_compare_runs),
            (compare.GetComparison, self._comparisons.on_get_comparison),
            (compare.ListComparisons, self._comparisons.on_list_comparisons),
            (compare.VoteComparison, self._votes.on_vote_comparison),
            (compare.CancelLane, runs.on_cancel_lane),
            (compare.GetLeaderboard, self._boards.on_get_leaderboard),
            (compare.ReplayCompareRun, runs.on_replay_compare_run),
        ]
        for blobs, handlers in ((None, short), (self._blobs, long)):
            for request, handler in handlers:
                on_request(self._broker, request, workers=workers, blobs=blobs, kept=self._blobs)(
                    when_available(handler)
                )
        ended = subjects.GENERATION_ENDED.format(outcome="*")
        self._broker.subscriber(ended, **of_facts(NAME, "generation-ended", workers))(self._endings.on_generation_ended)
        describe_service(self._broker, NAME, compare.__doc__ or "")

    async def start(self) -> None:
        """Connect to everything and take messages. Raises BusError, LogUnavailableError or a database error."""
        await asyncio.gather(self._bus.connect(), self._log_bus.connect(), self._database.connect())
        await declare_streams(self._bus.client, self._settings.nats.replicas)
        await self._reads.start()
        await self._broker.start()
        for part in (self._marks, self._dispatcher, self._votes, self._watchdog, self._retention):
            await part.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await self._broker.stop()
        await self._boards.stop()
        for part in (self._watchdog, self._retention, self._votes, self._dispatcher, self._marks):
            await part.stop()
        await self._bus.close()
        await self._log_bus.close()
        await self._database.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()


def build(settings: Settings) -> Service:
    """The compare service, not started."""
    return CompareService(settings)
