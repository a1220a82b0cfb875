"""What chat tells of conversations, messages and runs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.content import Image, ToolResult, ToolUse
from contracts.generation import TokenUsage
from contracts.ids import Id, RunId
from contracts.message import Problem, Value

RunStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
OnBusy = Literal["reject", "queue", "interrupt"]
"""What a message does that comes while an answer is running in its conversation."""


class Conversation(Value):
    """A conversation as its owner sees it."""

    id: Id
    title: str
    system: str | None = None
    pinned: bool = False
    archived: bool = False
    head_id: Id | None = Field(
        None, description="the last message of the branch that is shown; the next one follows it"
    )
    forked_from: Id | None = Field(None, description="the conversation this one was forked from")
    created_at: datetime
    updated_at: datetime


class Rating(Value):
    """What the owner thinks of an answer."""

    value: Literal["up", "down"]
    comment: str | None = Field(None, max_length=2_000)


class ChatMessage(Value):
    """One message of a conversation; an assistant's carries how it came about."""

    id: Id
    conversation_id: Id
    parent_id: Id | None = Field(None, description="the message before it; messages with the same one are branches")
    client_id: str | None = Field(None, description="the id a client gave it")
    role: Literal["user", "assistant"]
    content: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolUse, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    reasoning: str | None = None
    status: RunStatus
    model: str | None = None
    run_id: RunId | None = None
    finish_reason: str | None = None
    error: Problem | None = None
    usage: TokenUsage | None = None
    cost_usd: str | None = None
    omitted_messages: int = Field(0, description="of an answer: earlier messages that the context had no room for")
    rating: Rating | None = None
    created_at: datetime


class Attachment(Value):
    """An image as it was sent."""

    media_type: str
    data: str = Field(description="in base64")


class Run(Value):
    """A run as its owner sees it: enough for a client that polls."""

    id: RunId
    kind: str
    status: RunStatus
    conversation_id: Id | None = None
    message_id: Id | None = None
    model: str
    text: str | None = Field(
        None, description="the answer so far, or what was kept of it; a comparison has several, and tells them itself"
    )
    revealed: bool | None = Field(None, description="of a comparison; false: its models are hidden until the vote")
    cost_usd: str | None = Field(
        None, description="of a run that has ended, if it is known; a comparison tells it by lane"
    )
    error: Problem | None = None
    created_at: datetime
    ended_at: datetime | None = None


class ConversationPage(Value):
    """Newest first."""

    items: tuple[Conversation, ...]
    next: str | None = Field(None, description="pass it as `before` for the next page")


class MessagePage(Value):
    """Oldest first."""

    items: tuple[ChatMessage, ...]
    next: str | None = Field(None, description="pass it as `after` for the next page")


class RunPage(Value):
    """Newest first."""

    items: tuple[Run, ...]
    next: str | None = Field(None, description="pass it as `before` for the next page")


class RunStarted(Value):
    """The run that a message started, or had started when it was sent before."""

    run_id: RunId
    conversation_id: Id
    message_id: Id
    replayed: bool = Field(False, description="an earlier request with the same idempotency key started it")


class StoredRun(Value):
    """A run whose log is gone: its events as the owner can tell them, encoded as in the log."""

    run: Run
    events: tuple[str, ...]


class Deleted(Value):
    """It is gone."""
