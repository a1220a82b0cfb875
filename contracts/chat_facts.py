"""What chat tells everybody."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts import subjects
from contracts.ids import Id, RunId
from contracts.message import Message, Owner
from contracts.notify import NotifyPolicy


class RunCreatedFact(Message):
    """A chat run was accepted."""

    SUBJECT: ClassVar[str] = subjects.CHAT_RUN_CREATED
    owner: Owner
    run_id: RunId
    conversation_id: Id
    model: str

    def message_id(self) -> str:
        """Once per run."""
        return f"created.{self.run_id}"


class RunEndedFact(Message):
    """A chat run ended and its result is stored."""

    SUBJECT: ClassVar[str] = subjects.CHAT_RUN_ENDED
    outcome: Literal["completed", "failed", "cancelled"]
    owner: Owner
    run_id: RunId
    conversation_id: Id
    message_id_stored: Id = Field(description="the assistant's message")
    model: str
    error_code: str | None = None
    total_ms: int | None = Field(None, description="from its acceptance; none in facts of before it was told")
    notify: NotifyPolicy | None = Field(None, description="what its owner wants the notifier to do; none: the setting")

    def message_id(self) -> str:
        """Once per run."""
        return f"run-ended.{self.run_id}"


class ConversationCreatedFact(Message):
    """A conversation began."""

    SUBJECT: ClassVar[str] = subjects.CONVERSATION_CREATED
    owner: Owner
    conversation_id: Id

    def message_id(self) -> str:
        """Once per conversation."""
        return f"conversation-created.{self.conversation_id}"


class ConversationDeletedFact(Message):
    """A conversation and its messages were deleted."""

    SUBJECT: ClassVar[str] = subjects.CONVERSATION_DELETED
    owner: Owner
    conversation_id: Id

    def message_id(self) -> str:
        """Once per conversation."""
        return f"conversation-deleted.{self.conversation_id}"


class MessageRatedFact(Message):
    """An answer was rated, or its rating taken back. A comment stays in the conversation."""

    SUBJECT: ClassVar[str] = subjects.MESSAGE_RATED
    owner: Owner
    conversation_id: Id
    message: Id = Field(description="the assistant's message")
    run_id: RunId | None = None
    model: str | None = None
    rating: Literal["up", "down"] | None = None
    rated_at: int = Field(0, description="Unix milliseconds; 0 in facts of before it was told")

    def message_id(self) -> str:
        """Once per change of a rating."""
        return f"rated.{self.message}.{self.rated_at}"
