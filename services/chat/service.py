"""The chat service: its parts, and how they hang together."""

import asyncio

from contracts import chat, subjects
from kit.bus.blobs import Blobs
from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.describe import describe_service
from kit.bus.rpc import on_request
from kit.bus.streams import declare_streams
from kit.db.database import UNAVAILABLE, Database
from kit.runlog.reads import LogReads
from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry.setup import broker_middlewares
from services.chat.cancel import Canceller
from services.chat.dispatch import Dispatcher
from services.chat.endings import EndingHandlers
from services.chat.handlers import ConversationHandlers
from services.chat.offers import Offers
from services.chat.run_handlers import RunHandlers

NAME = "chat"
CONCURRENT_LOG_READS = 8


class ChatService:
    """Conversations and the runs that answer in them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bus = Bus(settings.nats, NAME)
        self._log_bus = Bus(settings.nats, f"{NAME} log")
        self._reads = LogReads(self._log_bus, CONCURRENT_LOG_READS)
        self._blobs = Blobs(self._bus, settings.nats.replicas)
        self._database = Database(settings.database, NAME)
        self._dispatcher = Dispatcher(self._bus, self._database, self._blobs, settings.chat.sweep_seconds)
        self._broker = make_broker(
            settings.nats, NAME, self._bus, transient=UNAVAILABLE, middlewares=broker_middlewares()
        )
        self._register()

    def _register(self) -> None:
        limits, workers = self._settings.chat, self._settings.chat.handlers
        conversations = ConversationHandlers(self._bus, self._database)
        runs = RunHandlers(
            self._database,
            self._dispatcher,
            Offers(self._bus),
            Canceller(self._bus, self._reads, self._blobs),
            self._reads,
            max_characters=limits.max_message_characters,
            default_model=limits.default_model,
        )
        endings = EndingHandlers(self._bus, self._database, self._blobs)
        on_request(self._broker, chat.CreateConversation, workers=workers)(conversations.on_create_conversation)
        on_request(self._broker, chat.GetConversation, workers=workers)(conversations.on_get_conversation)
        on_request(self._broker, chat.ListConversations, workers=workers, blobs=self._blobs)(
            conversations.on_list_conversations
        )
        on_request(self._broker, chat.UpdateConversation, workers=workers)(conversations.on_update_conversation)
        on_request(self._broker, chat.DeleteConversation, workers=workers)(conversations.on_delete_conversation)
        on_request(self._broker, chat.ListMessages, workers=workers, blobs=self._blobs)(conversations.on_list_messages)
        on_request(self._broker, chat.SendMessage, workers=workers)(runs.on_send_message)
        on_request(self._broker, chat.GetRun, workers=workers, blobs=self._blobs)(runs.on_get_run)
        on_request(self._broker, chat.ListRuns, workers=workers)(runs.on_list_runs)
        on_request(self._broker, chat.CancelRun, workers=workers, blobs=self._blobs)(runs.on_cancel_run)
        on_request(self._broker, chat.ReplayRun, workers=workers, blobs=self._blobs)(runs.on_replay_run)
        ended = subjects.GENERATION_ENDED.format(outcome="*")
        self._broker.subscriber(ended, **of_facts(NAME, "generation-ended", workers))(endings.on_generation_ended)
        describe_service(self._broker, NAME, chat.__doc__ or "")

    async def start(self) -> None:
        """Connect to everything and take messages. Raises BusError, LogUnavailableError or a database error."""
        await asyncio.gather(self._bus.connect(), self._log_bus.connect(), self._database.connect())
        await declare_streams(self._bus.client, self._settings.nats.replicas)
        await self._reads.start()
        await self._broker.start()
        await self._dispatcher.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await self._broker.stop()
        await self._dispatcher.stop()
        await self._bus.close()
        await self._log_bus.close()
        await self._database.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()


def build(settings: Settings) -> Service:
    """The chat service, not started."""
    return ChatService(settings)
