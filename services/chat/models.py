"""The tables of chat."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contracts.generation import GenerateRequest
from kit.db.tables import table_base, timestamp

Table = table_base("chat")


def _json() -> Any:
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True)))


class ConversationRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One conversation of one owner. A `hidden` one holds the run of a completion, and nobody is told of it.

    `head_id`: the newest message of the branch that is shown.
    """

    __tablename__ = "conversation"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    title: str = ""
    system: str | None = Field(default=None, sa_column=Column(Text))
    hidden: bool = False
    pinned: bool = False
    archived: bool = False
    head_id: str | None = None
    forked_from: str | None = None
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class MessageRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One message; an assistant's is written when its generation has ended.

    Messages form a tree by `parent_id`; along each branch of it positions grow. A user's message whose status is
    `queued` has no place in the tree yet.
    """

    __tablename__ = "message"

    id: str = Field(primary_key=True)
    conversation_id: str
    position: int
    parent_id: str | None = None
    client_id: str | None = None
    role: str
    content: str = Field(sa_column=Column(Text, nullable=False))
    images: list[dict[str, Any]] | None = _json()
    tool_calls: list[dict[str, Any]] | None = _json()
    tool_results: list[dict[str, Any]] | None = _json()
    reasoning: str | None = Field(default=None, sa_column=Column(Text))
    status: str
    model: str | None = None
    run_id: str | None = None
    finish_reason: str | None = None
    error: dict[str, Any] | None = _json()
    usage: dict[str, Any] | None = _json()
    cost_usd: str | None = None
    omitted_messages: int = 0
    rating: dict[str, Any] | None = _json()
    rated_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    created_at: datetime = timestamp()


class AttachmentRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """An image of a conversation's messages; its id is made from its bytes."""

    __tablename__ = "attachment"

    conversation_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    media_type: str
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RunRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One run: the message it answers (`parent_id`), the request as it was sent, its trace, and how it ended.

    `told_at`: its log has its ending. `purged_at`: its log is gone, or about to go; what is said there now is too late.
    `hidden`: it belongs to a completion. `announced_at`: its log says that it waits. `promoted_at`: it waits no more.
    `follows_head`: where its message goes is decided when it has waited long enough. `notify`: what its owner wants to
    be told of its end; none: what is set for them.
    """

    __tablename__ = "run"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    conversation_id: str
    message_id: str
    parent_id: str | None = None
    position: int
    model: str
    begins_conversation: bool = False
    hidden: bool = False
    status: str = "running"
    request: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    completion: dict[str, Any] | None = _json()
    idempotency_key: str | None = None
    fingerprint: str | None = None
    follows_head: bool = False
    notify: str | None = None
    omitted_messages: int = 0
    trace: dict[str, str] | None = _json()
    error: dict[str, Any] | None = _json()
    created_at: datetime = timestamp()
    announced_at: datetime | None = timestamp(nullable=True)
    promoted_at: datetime | None = timestamp(nullable=True)
    dispatched_at: datetime | None = timestamp(nullable=True)
    ended_at: datetime | None = timestamp(nullable=True)
    told_at: datetime | None = timestamp(nullable=True)
    purged_at: datetime | None = timestamp(nullable=True)

    def order(self) -> GenerateRequest:
        """What inference is asked for."""
        return GenerateRequest.model_validate(self.request)


@dataclass(slots=True)
class RunState:
    """A run on the path that every run takes. The same fields as a row, without the ORM's bookkeeping around them."""

    id: str
    tenant: str
    user: str
    conversation_id: str
    message_id: str
    position: int
    model: str
    begins_conversation: bool
    created_at: datetime
    parent_id: str | None = None
    hidden: bool = False
    request: GenerateRequest | None = None
    completion: dict[str, Any] | None = None
    status: str = "running"
    idempotency_key: str | None = None
    fingerprint: str | None = None
    follows_head: bool = False
    notify: str | None = None
    omitted_messages: int = 0
    trace: dict[str, str] | None = None
    error: dict[str, Any] | None = None
    announced_at: datetime | None = None
    promoted_at: datetime | None = None
    dispatched_at: datetime | None = None
    ended_at: datetime | None = None
    told_at: datetime | None = None
    purged_at: datetime | None = None
    others_wait: bool = False
    """Of a run that has ended: whether others wait in its conversation."""

    def order(self) -> GenerateRequest:
        """What inference is asked for; only a run that has just begun has it at hand."""
        assert self.request is not None  # noqa: S101
        return self.request


AnyRun = RunRow | RunState
