"""The chat service: its parts, and how they hang together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import chat, completions, subjects
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
from services.chat.completion_handlers import CompletionHandlers
from services.chat.dispatch import Dispatcher
from services.chat.endings import EndingHandlers
from services.chat.handlers import ConversationHandlers
from services.chat.import_handlers import ImportHandlers
from services.chat.marks import run_marks
from services.chat.message_handlers import MessageHandlers
from services.chat.promoter import Promoter
from services.chat.purge_store import PURGES, Old
from services.chat.run_handlers import RunHandlers
from services.chat.send_handlers import SendHandlers
from services.chat.starter import Starter
from services.chat.stopper import Stopper
from services.chat.watched import WatchedRuns

Handler = Callable[[Any], Awaitable[Value]]

NAME = "chat"
CONCURRENT_LOG_READS = 8
PERIODS_OF_SILENCE = 3
"""After so many of its own periods, and a second, a replica that has a duty loses it to another."""


class ChatService:
    """Conversations and the runs that answer in them."""

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
        limits = settings.chat
        self._dispatcher = Dispatcher(self._bus, self._database, self._blobs, self._marks, limits.sweep_seconds)
        self._promoter = Promoter(self._database, self._dispatcher, self._stand_in, self._offers, limits.sweep_seconds)
        self._endings = EndingHandlers(
            self._bus, self._database, self._blobs, self._reads, self._marks, self._promoter.promote
        )
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
            Old(
                self._database,
                run_seconds=limits.retention_seconds,
                completion_seconds=limits.completion_retention_seconds,
            ).order,
            purges_per_second=limits.purges_per_second,
            idle_seconds=limits.sweep_seconds,
        )
        self._broker = make_broker(
            settings.nats, NAME, self._bus, transient=UNAVAILABLE, middlewares=broker_middlewares()
        )
        self._register()

    def _register(self) -> None:
        limits, workers = self._settings.chat, self._settings.chat.handlers
        conversations = ConversationHandlers(self._bus, self._database)
        imports = ImportHandlers(self._bus, self._database, limits)
        messages = MessageHandlers(self._bus, self._database)
        canceller = Canceller(self._bus, self._stand_in)
        stopper = Stopper(self._bus, self._database, canceller, self._endings)
        starter = Starter(self._dispatcher, self._offers, limits)
        runs = RunHandlers(self._database, canceller, stopper, self._reads)
        sending = SendHandlers(self._database, starter, stopper, self._promoter, limits)
        answers = CompletionHandlers(self._database, starter, runs, limits)
        short: list[tuple[type[Request[Any]], Handler]] = [
            (chat.CreateConversation, conversations.on_create_conversation),
            (chat.ImportConversation, imports.on_import_conversation),
            (chat.GetConversation, conversations.on_get_conversation),
            (chat.UpdateConversation, conversations.on_update_conversation),
            (chat.ForkConversation, conversations.on_fork_conversation),
            (chat.DeleteConversation, conversations.on_delete_conversation),
            (chat.SendMessage, sending.on_send_message),
            (chat.Regenerate, sending.on_regenerate),
            (chat.ListRuns, runs.on_list_runs),
            (completions.StartCompletion, answers.on_start_completion),
            (completions.DeleteCompletion, answers.on_delete_completion),
        ]
        long: list[tuple[type[Request[Any]], Handler]] = [
            (chat.ListConversations, conversations.on_list_conversations),
            (chat.ListMessages, messages.on_list_messages),
            (chat.RateMessage, messages.on_rate_message),
            (chat.GetAttachment, messages.on_get_attachment),
            (chat.GetRun, runs.on_get_run),
            (chat.LatestRun, runs.on_latest_run),
            (chat.CancelRun, runs.on_cancel_run),
            (chat.StopConversation, runs.on_stop_conversation),
            (chat.ReplayRun, runs.on_replay_run),
            (completions.GetCompletion, answers.on_get_completion),
        ]
        for blobs, handlers in ((None, short), (self._blobs, long)):
            for request, handler in handlers:
                on_request(self._broker, request, workers=workers, blobs=blobs, kept=self._blobs)(
                    when_available(handler)
                )
        ended = subjects.GENERATION_ENDED.format(outcome="*")
        self._broker.subscriber(ended, **of_facts(NAME, "generation-ended", workers))(self._endings.on_generation_ended)
        describe_service(self._broker, NAME, chat.__doc__ or "")

    async def start(self) -> None:
        """Connect to everything and take messages. Raises BusError, LogUnavailableError or a database error."""
        await asyncio.gather(self._bus.connect(), self._log_bus.connect(), self._database.connect())
        await declare_streams(self._bus.client, self._settings.nats.replicas)
        await self._reads.start()
        await self._broker.start()
        for part in (self._marks, self._dispatcher, self._promoter, self._watchdog, self._retention):
            await part.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await self._broker.stop()
        for part in (self._watchdog, self._retention, self._promoter, self._dispatcher, self._marks):
            await part.stop()
        await self._bus.close()
        await self._log_bus.close()
        await self._database.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()


def build(settings: Settings) -> Service:
    """The chat service, not started."""
    return ChatService(settings)
