"""The JSON bodies that clients send."""

from pydantic import BaseModel, ConfigDict, Field

from contracts.generation import Parameters, Timeouts

MAX_TOKENS = 2**31 - 1
"""What a provider's JSON surely carries."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Parameters(Parameters):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    max_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)


class _Timeouts(Timeouts):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewConversation(_Body):
    """An empty conversation."""

    title: str = Field("", description="empty: made from the first message")
    system: str | None = Field(None, description="the system prompt of every answer in it")


class ConversationChange(_Body):
    """What is absent stays as it is."""

    title: str | None = None
    system: str | None = Field(None, description="an empty text removes it")


class NewMessage(_Body):
    """A user's message; the answer is a run."""

    content: str
    model: str | None = Field(None, description="an id of GET /v1/models; absent: the default")
    fallbacks: tuple[str, ...] = Field((), description="models to ask in this order when the one before fails")
    system: str | None = Field(None, description="the system prompt of a conversation that begins with this message")
    parameters: _Parameters = _Parameters()
    timeouts: _Timeouts = _Timeouts()


class Accepted(BaseModel):
    """A run has begun; follow it at `events_url`."""

    run_id: str
    conversation_id: str
    message_id: str = Field(description="the answer's message, stored when the run ends")
    events_url: str


class Model(BaseModel):
    """One model, in the shape of OpenAI's list and with what else is known of it."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: str = "model"
    created: int = Field(0, description="for OpenAI's clients; when a model was made is not known")
    owned_by: str


class Models(BaseModel):
    """All models; the first is the default."""

    object: str = "list"
    data: list[Model]
