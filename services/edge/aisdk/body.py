"""The body of `POST /api/chat`. Clients add what they like to it, so what is not known here is ignored."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.chat import OnBusy
from contracts.content import Tool, ToolChoice
from contracts.generation import Parameters
from contracts.notify import NotifyPolicy
from services.edge.aisdk.tools import tool_choice_of, tools_of

MAX_TOKENS = 2**31 - 1
"""What a provider's JSON surely carries."""


def _either(*names: str) -> Any:
    return AliasChoices(*names)


def texts_of(value: object) -> object:
    """A list, where one thing may stand for itself."""
    return [value] if isinstance(value, str) else [] if value is None else value


class UiMessage(BaseModel):
    """A message as some version of the SDK has it: 5 and later `parts` only, 4 `content` as well."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    role: Literal["system", "user", "assistant", "tool", "data"]
    content: str | list[dict[str, Any]] | None = None
    parts: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = Field(None, validation_alias="experimental_attachments")
    tool_invocations: list[dict[str, Any]] | None = Field(None, validation_alias="toolInvocations")

    @property
    def all_parts(self) -> Sequence[dict[str, Any]]:
        """The parts, wherever they are."""
        return self.parts or (self.content if isinstance(self.content, list) else [])

    @property
    def text(self) -> str:
        """The words: of several parts, each begins a paragraph."""
        texts = [part["text"] for part in self.all_parts if part.get("type") == "text" and _is_text(part.get("text"))]
        return self.content if not texts and isinstance(self.content, str) else "\n\n".join(texts)


class SamplingBody(BaseModel):
    """How a client wants to be answered; the names are those of the SDK, of its predecessors, and OpenAI's."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    system: str | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1, validation_alias=_either("topP", "top_p"))
    max_tokens: int | None = Field(
        None, ge=1, le=MAX_TOKENS, validation_alias=_either("maxOutputTokens", "maxTokens", "max_tokens")
    )
    stop: Annotated[tuple[str, ...], BeforeValidator(texts_of)] = Field(
        (), max_length=4, validation_alias=_either("stopSequences", "stop")
    )
    seed: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2, validation_alias=_either("presencePenalty"))
    frequency_penalty: float | None = Field(None, ge=-2, le=2, validation_alias=_either("frequencyPenalty"))
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, validation_alias=_either("reasoningEffort", "reasoning_effort")
    )
    tools: Annotated[tuple[Tool, ...], BeforeValidator(tools_of)] = Field((), max_length=128)
    tool_choice: Annotated[ToolChoice | None, BeforeValidator(tool_choice_of)] = Field(
        None, validation_alias=_either("toolChoice", "tool_choice")
    )

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        """Some clients send the last message only, under a name of its own; and `null` or "" for what they lack."""
        if not isinstance(data, dict):
            return data
        known = {name: value for name, value in data.items() if value is not None and value != ""}
        if "messages" not in known and isinstance(known.get("message"), dict):
            known["messages"] = [known["message"]]
        return known

    @property
    def parameters(self) -> Parameters:
        """How the model is asked to answer."""
        given = {name: getattr(self, name, None) for name in Parameters.model_fields}
        return Parameters(**{name: value for name, value in given.items() if value not in (None, ())})


class ChatBody(SamplingBody):
    """Everything that is understood of a request."""

    chat_id: str | None = Field(None, validation_alias=_either("conversationId", "id", "chatId"))
    messages: list[UiMessage] = Field(min_length=1)
    trigger: Literal["submit-message", "regenerate-message"] | None = None
    message_id: str | None = Field(None, validation_alias=_either("messageId"))
    stream_protocol: str | None = Field(None, validation_alias=_either("streamProtocol"))

    model: str | None = Field(None, validation_alias=_either("model", "modelId"))
    fallbacks: Annotated[tuple[str, ...], BeforeValidator(texts_of)] = ()
    on_busy: OnBusy | None = Field(None, validation_alias=_either("onBusy", "on_busy"))
    notify: NotifyPolicy | None = None

    @property
    def last(self) -> UiMessage:
        """The only message that is looked at: the history is ours."""
        return self.messages[-1]

    @property
    def speaks_data_stream(self) -> bool:
        """Whether the client reads the data stream of AI SDK 4: it says so, or it sends messages as only that does."""
        if self.stream_protocol is not None:
            return self.stream_protocol == "data"
        return self.trigger is None and isinstance(self.last.content, str)

    @property
    def first_system(self) -> str | None:
        """The system prompt for a conversation that begins."""
        if self.system is not None or self.messages[0].role != "system":
            return self.system
        return self.messages[0].text or None


def _is_text(value: object) -> bool:
    return isinstance(value, str)
