"""The chat service: its parts, and how they hang together."""

from contracts import chat, completions
from kit.orchestrate.handling import Served
from kit.orchestrate.service import OrchestratorService
from kit.runtime.service import Service
from kit.settings import Settings
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

NAME = "chat"


class ChatService(OrchestratorService):
    """Conversations and the runs that answer in them."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.chat
        super().__init__(settings, NAME, limits)
        self._settings = limits
        self._marks = run_marks(self._database)
        self._dispatcher = Dispatcher(self._bus, self._database, self._blobs, self._marks, limits.sweep_seconds)
        self._promoter = Promoter(self._database, self._dispatcher, self._stand_in, self._offers, limits.sweep_seconds)
        self._endings = EndingHandlers(
            self._bus, self._database, self._blobs, self._reads, self._marks, self._promoter.promote
        )
        old = Old(
            self._database,
            run_seconds=limits.retention_seconds,
            completion_seconds=limits.completion_retention_seconds,
        )
        self._watchdog = self._watchdog_of(WatchedRuns(self._database, self._endings))
        self._retention = self._retention_of(PURGES, old.order)
        self._parts = (self._marks, self._dispatcher, self._promoter, self._watchdog, self._retention)
        self._register()

    def _register(self) -> None:
        limits = self._settings
        conversations = ConversationHandlers(self._bus, self._database)
        imports = ImportHandlers(self._bus, self._database, limits)
        messages = MessageHandlers(self._bus, self._database)
        stopper = Stopper(self._bus, self._database, self._canceller, self._endings)
        starter = Starter(self._dispatcher, self._offers, limits)
        runs = RunHandlers(self._database, self._canceller, stopper, self._reads)
        sending = SendHandlers(self._database, starter, stopper, self._promoter, limits)
        answers = CompletionHandlers(self._database, starter, runs, limits)
        short: Served = [
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
        long: Served = [
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
        self._serve(short, long, chat.__doc__ or "")
        self._hear_of_endings(self._endings.on_generation_ended)


def build(settings: Settings) -> Service:
    """The chat service, not started."""
    return ChatService(settings)
