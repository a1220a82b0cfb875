"""The bodies of `POST /api/assistants/{id}` and of the predecessor's request. What is not known here is ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.architect_values import Assistant, NotifyPolicy
from contracts.assistant import Inputs
from kit.refusal import Refused
from services.edge.aisdk.body import UiMessage
from services.edge.chat_ids import made_id

_TEXTS = ("short_text", "long_text")


class AssistantBody(BaseModel):
    """What is understood of a request of the SDK."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    chat_id: str | None = Field(None, validation_alias="id")
    messages: tuple[UiMessage, ...] = ()
    trigger: Literal["submit-message", "regenerate-message"] | None = None
    inputs: Inputs | None = Field(None, description="by field; absent: the last message is the only text field")
    version: int | None = Field(None, ge=1)
    notify: NotifyPolicy | None = None

    def said(self, assistant: Assistant) -> Inputs:
        """The inputs that the last message stands for. Raises Refused."""
        fields = assistant.definition.fields if assistant.definition is not None else ()
        texts = [field.name for field in fields if field.kind in _TEXTS]
        if len(texts) != 1:
            if not fields:
                return {}
            names = ", ".join(field.name for field in fields)
            raise Refused("invalid_inputs", f"Send `inputs`: a message cannot stand for these fields: {names}.")
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "user" or not last.text.strip():
            raise Refused("nothing_new", "There are no `inputs`, and the last message is not a user's with a text.")
        return {texts[0]: last.text}

    def key(self, assistant_id: str) -> str | None:
        """The same message sent again is the same run, unless it wants another answer, or says something else."""
        last = self.messages[-1] if self.messages else None
        if last is None or not last.id or self.trigger == "regenerate-message":
            return None
        asked = self.model_dump_json(exclude={"messages": {"__all__": {"id"}}, "trigger": True})
        return made_id("ui", assistant_id, self.chat_id or "", last.id, asked)


def _text_of(value: object) -> object:
    """The predecessor's ids are numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ExecuteBody(BaseModel):
    """What is understood of the predecessor's request."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    assistant_id: Annotated[str, BeforeValidator(_text_of)] = Field(validation_alias="toolId")
    inputs: dict[str, Any] = {}
