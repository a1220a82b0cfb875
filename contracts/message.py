"""What all commands, requests and facts have in common: the class knows its subject."""

from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.ids import Id

T = TypeVar("T")


class Value(BaseModel):
    """An immutable part of a message. Unknown fields are ignored, so that newer writers can be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Owner(Value):
    """Whose something is, as subject-safe tokens made from the authenticated identity."""

    tenant: Id
    user: Id


class Message(Value):
    """Something that is published. Fields named in `SUBJECT` fill it in."""

    SUBJECT: ClassVar[str]

    def subject(self) -> str:
        """The subject this message is published to."""
        return self.SUBJECT.format_map(dict(self))

    def message_id(self) -> str | None:
        """The id the bus deduplicates by: the same for the same thing said twice. None: not deduplicated."""
        return None


class Problem(Value):
    """Why a request was refused: a stable code for programs, a sentence for people."""

    code: str
    message: str


class Reply(Value, Generic[T]):
    """The answer to a request: either the result or the problem."""

    result: T | None = None
    problem: Problem | None = None
    kept: str | None = Field(None, description="where the whole reply is, when it is too long to be carried")


class Request(Value, Generic[T]):
    """A question or command to one service that is answered; `RESULT` is the type of the answer."""

    SERVICE: ClassVar[str]
    VERB: ClassVar[str]
    RESULT: ClassVar[Any]
    AGAIN: ClassVar[bool] = False
    """Asked twice it does no more than asked once: who gets no answer in time may ask another replica."""

    @classmethod
    def rpc_subject(cls) -> str:
        """The subject this request is sent to."""
        return subjects.RPC.format(service=cls.SERVICE, verb=cls.VERB)
