"""The JSON bodies that clients send."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.chat import OnBusy, Rating
from contracts.content import Image, ToolResult
from contracts.generation import Parameters, Timeouts
from contracts.notify import NotifyPolicy

MAX_TOKENS = 2**31 - 1
"""What a provider's JSON surely carries."""
NOTIFY = "whether you are told of its end, by e-mail or webhook; absent: as you have set it"
"""What `notify` of a run means."""
MAX_MESSAGE_ID = 64
"""Characters of an id, ours or a client's."""


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body that has an example in the documents."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class Body(BaseModel):
    """What is not known of it is a mistake of its client's."""

    model_config = ConfigDict(extra="forbid")


class GivenParameters(Parameters):
    """How the model is asked to answer; what is absent is the model's default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    max_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)


class GivenTimeouts(Timeouts):
    """Seconds; what is absent is the model's or the worker's setting."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NewConversation(Body):
    """An empty conversation."""

    title: str = Field("", description="empty: made from the first message")
    system: str | None = Field(None, description="the system prompt of every answer in it")


class ConversationChange(Body):
    """What is absent stays as it is."""

    model_config = example(title="Garden", pinned=True)

    title: str | None = None
    system: str | None = Field(None, description="an empty text removes it")
    pinned: bool | None = None
    archived: bool | None = None
    head_id: str | None = Field(
        None, max_length=MAX_MESSAGE_ID, description="show the branch that ends with this message"
    )


class NewFork(Body):
    """Where the copy ends."""

    model_config = example(message_id="msg_01k3x9v4t2n3p4q5r6s7t8v9wx")

    message_id: str | None = Field(
        None, max_length=MAX_MESSAGE_ID, description="the last message to copy; absent: all that are shown"
    )


class NewImage(Body):
    """A picture, as data or where it is."""

    model_config = example(media_type="image/png", data="iVBORw0KGgo=")

    media_type: str | None = Field(None, pattern=r"^image/(jpeg|png|webp|gif)$")
    data: str | None = Field(None, description="the file in base64; needs media_type")
    url: str | None = Field(None, pattern=r"^https://", description="where the model's provider fetches it")

    @model_validator(mode="after")
    def _one_source(self) -> "NewImage":
        if (self.data is None) == (self.url is None):
            raise ValueError("an image has either data or a url")
        if self.data is not None and self.media_type is None:
            raise ValueError("an image with data needs its media_type")
        return self

    def image(self) -> Image:
        """The same as the services know it."""
        return Image(media_type=self.media_type, data=self.data, url=self.url)


class NewToolResult(ToolResult):
    """What your tool answered to a call of the answer before."""

    model_config = example(call_id="call_1", output='{"temperature": 21}')


class Answering(Body):
    """How a run is to answer."""

    model: str | None = Field(None, description="an id of GET /v1/models; absent: the default")
    fallbacks: tuple[str, ...] = Field((), description="models to ask in this order when the one before fails")
    parameters: GivenParameters = GivenParameters()
    timeouts: GivenTimeouts = GivenTimeouts()
    on_busy: OnBusy = Field(
        "reject",
        description="while an answer is running: 409, or wait for its end, or stop it and all that wait behind it",
    )
    notify: NotifyPolicy | None = Field(None, description=NOTIFY)


class NewMessage(Answering):
    """A user's message, or the results of tools; the answer is a run."""

    model_config = example(content="What is in this picture?", images=[{"url": "https://example.com/cat.png"}])

    content: str = Field("", description="may be empty beside images")
    images: tuple[NewImage, ...] = Field((), max_length=20)
    tool_results: tuple[NewToolResult, ...] = Field((), max_length=128, description="a message of their own")
    system: str | None = Field(None, description="the system prompt of a conversation that begins with this message")
    client_id: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_MESSAGE_ID,
        description="your own id of the message: sent again it is the same run",
    )
    edits: str | None = Field(
        None, max_length=MAX_MESSAGE_ID, description="the message (its id or client_id) to begin a branch beside"
    )
    after: str | None = Field(
        None, max_length=MAX_MESSAGE_ID, description="the message it follows; absent: the newest one shown"
    )


class NewAnswer(Answering):
    """How to answer once more."""

    model_config = example(model="demo-sage", parameters={"temperature": 1})


class NewRating(Rating):
    """What you think of an answer."""

    model_config = example(value="up", comment="Just right.")


class Accepted(BaseModel):
    """A run has begun, or waits; follow it at `events_url`."""

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
