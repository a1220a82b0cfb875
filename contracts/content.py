"""What is said to a model, and what it may call: the parts of turns and messages."""

from typing import Any, Literal

from pydantic import Field, model_validator

from contracts.message import Value


class Image(Value):
    """A picture, given to models that can see. Exactly one of `data`, `url` and `attachment`."""

    media_type: str | None = Field(None, pattern=r"^image/(jpeg|png|webp|gif)$")
    data: str | None = Field(None, description="the file in base64; needs media_type")
    url: str | None = Field(None, pattern=r"^https://", description="where the provider itself fetches it")
    attachment: str | None = Field(None, description="where chat keeps it; never sent to inference")

    @model_validator(mode="after")
    def _one_source(self) -> "Image":
        if sum(source is not None for source in (self.data, self.url, self.attachment)) != 1:
            raise ValueError("an image has exactly one of data, url and attachment")
        if self.data is not None and self.media_type is None:
            raise ValueError("an image with data needs its media_type")
        return self


class ToolUse(Value):
    """A call of a tool that the model asked for; `arguments` is the JSON text the model wrote."""

    call_id: str = Field(min_length=1, max_length=256)
    name: str = Field(min_length=1, max_length=256)
    arguments: str


class ToolResult(Value):
    """What a client's tool answered to one call."""

    call_id: str = Field(min_length=1, max_length=256)
    name: str | None = Field(None, max_length=256, description="of the tool, where the client tells it")
    output: str
    failed: bool = False


class Tool(Value):
    """A function that the model may ask the client to call. We execute none."""

    name: str = Field(min_length=1, max_length=256)
    description: str | None = None
    input_schema: dict[str, Any] = Field({}, description="a JSON schema of its arguments")
    strict: bool | None = None


class ToolChoice(Value):
    """Whether the model must call a tool; `function`: exactly that one."""

    mode: Literal["auto", "none", "required", "function"] = "auto"
    name: str | None = None


class Turn(Value):
    """One message of the context given to a model.

    A turn of role `tool` carries exactly the `results` of calls that an assistant's turn before it asked for.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolUse, ...] = ()
    results: tuple[ToolResult, ...] = ()
