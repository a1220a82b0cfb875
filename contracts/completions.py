"""Requests to chat for answers without a conversation: what OpenAI's protocols ask for."""

from typing import Any, ClassVar

from pydantic import Field

from contracts.chat import ChatRequest
from contracts.chat_values import ChatMessage, Deleted, Run, RunStarted
from contracts.content import Turn
from contracts.generation import Parameters, Timeouts
from contracts.ids import RunId
from contracts.message import Value


class StartCompletion(ChatRequest):
    """Answer a context that the client brings along, without a conversation that anybody sees.

    `after` is an earlier completion whose context and answer come before `turns`; its system prompt does not.
    """

    VERB: ClassVar[str] = "start_completion"
    RESULT: ClassVar[Any] = RunStarted
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    turns: tuple[Turn, ...] = Field(min_length=1)
    after: RunId | None = None
    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    labels: dict[str, str] = Field(default_factory=dict, description="what the client wants to find with it again")
    idempotency_key: str | None = Field(None, max_length=255)


class Completion(Value):
    """A completion as its owner sees it: what was asked, and the answer so far."""

    run: Run
    asked: tuple[Turn, ...]
    after: RunId | None = None
    parameters: Parameters
    labels: dict[str, str] = Field(default_factory=dict)
    answer: ChatMessage | None = Field(None, description="stored when the run has ended")


class GetCompletion(ChatRequest):
    """One completion."""

    VERB: ClassVar[str] = "get_completion"
    RESULT: ClassVar[Any] = Completion
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class DeleteCompletion(ChatRequest):
    """Delete a completion that has ended, with its log."""

    VERB: ClassVar[str] = "delete_completion"
    RESULT: ClassVar[Any] = Deleted
    run_id: RunId
