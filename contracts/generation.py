"""The command to inference, and the facts it answers with."""

from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts import subjects
from contracts.content import Tool, ToolChoice, Turn
from contracts.ids import Id, RunId
from contracts.message import Message, Owner, Request, Value


class Parameters(Value):
    """How the model is asked to answer; what is absent is the model's default.

    A model that does not know a parameter is asked without it, except for tools: those fail the answer.
    """

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    stop: tuple[str, ...] = Field((), max_length=4, description="texts at which the answer ends")
    seed: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    response_format: dict[str, Any] | None = Field(None, description="as in OpenAI's chat completions")
    tools: tuple[Tool, ...] = Field((), max_length=128)
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None


class Timeouts(Value):
    """Seconds; what is absent is the model's or the worker's setting."""

    first_token_seconds: float | None = Field(None, gt=0)
    silence_seconds: float | None = Field(None, gt=0)
    total_seconds: float | None = Field(None, gt=0)


class GenerateRequest(Message):
    """Produce one answer. Complete in itself: the worker needs no database."""

    SUBJECT: ClassVar[str] = subjects.GENERATE

    work_class: Literal["interactive"] = "interactive"
    owner: Owner
    run_id: RunId
    lane: Id
    model: str
    messages: tuple[Turn, ...] = ()
    messages_ref: str | None = Field(None, description="where the messages are when they are too long to be carried")
    fallbacks: tuple[str, ...] = Field((), description="models to ask in this order when the one before fails")
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    requested_at: int = Field(description="Unix milliseconds")

    def message_id(self) -> str:
        """One request per generation."""
        return f"generate.{self.run_id}.{self.lane}"


class TokenUsage(Value):
    """Tokens as the provider counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_input_tokens: int = 0
    estimated: bool = Field(False, description="counted by us from the texts, because the provider did not say")


class GenerationEnded(Message):
    """A generation has its ending in the log. Carries no text: who needs it reads the log up to `sequence`."""

    SUBJECT: ClassVar[str] = subjects.GENERATION_ENDED

    outcome: Literal["completed", "failed", "cancelled"]
    owner: Owner
    run_id: RunId
    lane: Id
    sequence: int = Field(description="the ending's place in the run log")
    model: str
    provider: str | None = None
    attempt: int = 1
    finish_reason: str | None = None
    error_code: str | None = None
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    queued_ms: int | None = None
    first_token_ms: int | None = None
    total_ms: int | None = None

    def message_id(self) -> str:
        """One ending per generation."""
        return f"ended.{self.run_id}.{self.lane}"


class ProviderState(Value):
    """How a model provider is, as the worker that answers has it."""

    name: str
    circuit: Literal["closed", "open", "half-open"] = Field(
        description="open: it failed so often that it is not asked for a while"
    )


class ModelList(Value):
    """The models that can be asked for now, as the catalogue describes them, and how their providers are."""

    models: tuple[dict[str, Any], ...]
    providers: tuple[ProviderState, ...] = ()


class ListModels(Request[ModelList]):
    """What models are there?"""

    SERVICE: ClassVar[str] = "inference"
    VERB: ClassVar[str] = "list_models"
    RESULT: ClassVar[Any] = ModelList
    AGAIN: ClassVar[bool] = True
