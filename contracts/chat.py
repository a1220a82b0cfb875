"""Requests to chat about conversations and runs; what they are answered with is in contracts/chat_values.py."""

from typing import Any, ClassVar

from pydantic import Field

from contracts.chat_values import Attachment as Attachment
from contracts.chat_values import ChatMessage as ChatMessage
from contracts.chat_values import Conversation as Conversation
from contracts.chat_values import ConversationPage as ConversationPage
from contracts.chat_values import Deleted as Deleted
from contracts.chat_values import MessagePage as MessagePage
from contracts.chat_values import OnBusy as OnBusy
from contracts.chat_values import Rating as Rating
from contracts.chat_values import Run as Run
from contracts.chat_values import RunPage as RunPage
from contracts.chat_values import RunStarted as RunStarted
from contracts.chat_values import RunStatus as RunStatus
from contracts.chat_values import StoredRun as StoredRun
from contracts.content import Image, ToolResult, Turn
from contracts.generation import Parameters, Timeouts
from contracts.ids import Id, RunId
from contracts.message import Owner, Request
from contracts.notify import NotifyPolicy


class ChatRequest(Request[Any]):
    """Something that is asked of chat, for an owner."""

    SERVICE: ClassVar[str] = "chat"
    owner: Owner


class CreateConversation(ChatRequest):
    """Begin an empty conversation."""

    VERB: ClassVar[str] = "create_conversation"
    RESULT: ClassVar[Any] = Conversation
    conversation_id: Id
    title: str = ""
    system: str | None = None


class ImportConversation(ChatRequest):
    """Begin a conversation with what was said elsewhere; the next message follows the last answer.

    With an id that the owner has already it is that conversation, as it is now.
    """

    VERB: ClassVar[str] = "import_conversation"
    RESULT: ClassVar[Any] = Conversation
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    title: str = Field("", description="empty: made from the first message")
    turns: tuple[Turn, ...] = Field(min_length=1, description="the system prompt first, an answer last; no tools")
    model: str | None = Field(None, max_length=256, description="that gave the last answer")


class GetConversation(ChatRequest):
    """One conversation."""

    VERB: ClassVar[str] = "get_conversation"
    RESULT: ClassVar[Any] = Conversation
    AGAIN: ClassVar[bool] = True
    conversation_id: Id


class ListConversations(ChatRequest):
    """A page of conversations, newest first; pinned ones are asked for by themselves."""

    VERB: ClassVar[str] = "list_conversations"
    RESULT: ClassVar[Any] = ConversationPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None
    archived: bool = False
    pinned: bool | None = None
    search: str | None = Field(None, max_length=200, description="words in the title or in a message")


class UpdateConversation(ChatRequest):
    """Change what is given."""

    VERB: ClassVar[str] = "update_conversation"
    RESULT: ClassVar[Any] = Conversation
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    title: str | None = None
    system: str | None = None
    pinned: bool | None = None
    archived: bool | None = None
    head_id: Id | None = Field(None, description="show the branch that ends with this message")


class DeleteConversation(ChatRequest):
    """Delete a conversation with its messages and runs. Refused while a run is going: stop it first."""

    VERB: ClassVar[str] = "delete_conversation"
    RESULT: ClassVar[Any] = Deleted
    conversation_id: Id


class ListMessages(ChatRequest):
    """A page of messages, oldest first."""

    VERB: ClassVar[str] = "list_messages"
    RESULT: ClassVar[Any] = MessagePage
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    limit: int = Field(100, ge=1, le=200)
    after: str | None = None
    all_branches: bool = False


class SendMessage(ChatRequest):
    """Add a user's message, or the results of tools, and start the run that answers it."""

    VERB: ClassVar[str] = "send_message"
    RESULT: ClassVar[Any] = RunStarted
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    create: bool = Field(False, description="begin the conversation with this message")
    create_missing: bool = Field(False, description="begin it if there is none of this id yet")
    system: str | None = None
    run_id: RunId
    content: str
    images: tuple[Image, ...] = Field((), max_length=20)
    tool_results: tuple[ToolResult, ...] = Field((), max_length=128)
    client_id: str | None = Field(None, min_length=1, max_length=64, description="the client's own id of the message")
    edits: str | None = Field(None, max_length=64, description="our or the client's id: begin a branch beside it")
    after: str | None = Field(None, max_length=64, description="the message it follows; absent: the newest shown")
    on_busy: OnBusy = "reject"
    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    notify: NotifyPolicy | None = Field(None, description="none: the user's setting")
    idempotency_key: str | None = Field(None, max_length=255)


class Regenerate(ChatRequest):
    """Answer a user's message once more, beside the answers there are. Without `message_id`: the last one shown."""

    VERB: ClassVar[str] = "regenerate"
    RESULT: ClassVar[Any] = RunStarted
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    run_id: RunId
    message_id: str | None = Field(None, max_length=64, description="the answer, or the message it answers")
    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    on_busy: OnBusy = "reject"
    notify: NotifyPolicy | None = Field(None, description="none: the user's setting")
    idempotency_key: str | None = Field(None, max_length=255)


class ForkConversation(ChatRequest):
    """A new conversation with the messages up to `message_id` (absent: all that are shown)."""

    VERB: ClassVar[str] = "fork_conversation"
    RESULT: ClassVar[Any] = Conversation
    conversation_id: Id
    new_conversation_id: Id
    message_id: Id | None = None


class RateMessage(ChatRequest):
    """Rate an answer; without a rating take it back."""

    VERB: ClassVar[str] = "rate_message"
    RESULT: ClassVar[Any] = ChatMessage
    conversation_id: Id
    message_id: Id
    rating: Rating | None = None


class GetAttachment(ChatRequest):
    """An image that a message of a conversation has."""

    VERB: ClassVar[str] = "get_attachment"
    RESULT: ClassVar[Any] = Attachment
    AGAIN: ClassVar[bool] = True
    conversation_id: Id
    attachment: Id


class LatestRun(ChatRequest):
    """The newest run of a conversation."""

    VERB: ClassVar[str] = "latest_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    conversation_id: Id


class StopConversation(ChatRequest):
    """Stop the run that is going in a conversation, and those that wait in it. The newest run, as it is then."""

    VERB: ClassVar[str] = "stop_conversation"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    conversation_id: Id


class GetRun(ChatRequest):
    """One run."""

    VERB: ClassVar[str] = "get_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ListRuns(ChatRequest):
    """A page of runs, newest first."""

    VERB: ClassVar[str] = "list_runs"
    RESULT: ClassVar[Any] = RunPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class CancelRun(ChatRequest):
    """Stop a run. Stopping one that has ended changes nothing."""

    VERB: ClassVar[str] = "cancel_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ReplayRun(ChatRequest):
    """What is stored of a run, for watchers that come after its log was purged."""

    VERB: ClassVar[str] = "replay_run"
    RESULT: ClassVar[Any] = StoredRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId
