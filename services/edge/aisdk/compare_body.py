"""The body of `POST /api/compare`. Clients add what they like to it, so what is not known here is ignored."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticSerializationError

from contracts.compare import LaneWish, StartComparison
from contracts.content import Turn
from contracts.message import Owner
from contracts.notify import NotifyPolicy
from kit.refusal import Refused
from services.edge.aisdk.body import SamplingBody, UiMessage, texts_of
from services.edge.aisdk.content import images_of
from services.edge.bodies import GivenParameters
from services.edge.chat_ids import made_id
from services.edge.comparison_bodies import MAX_MODELS, ModelId, new_comparison_id

MAX_DETAIL = 500
"""Characters."""


class UiComparedModel(BaseModel):
    """A model that is asked otherwise than the others."""

    model_config = ConfigDict(extra="ignore")

    model: ModelId = Field(validation_alias=AliasChoices("model", "modelId", "id"))
    parameters: GivenParameters | None = None


class CompareBody(SamplingBody):
    """What is understood of a request: the SDK's body with `models`, or the predecessor's with two."""

    chat_id: str | None = Field(None, validation_alias=AliasChoices("id", "chatId"))
    messages: tuple[UiMessage, ...] = ()
    trigger: Literal["submit-message", "regenerate-message"] | None = None
    models: Annotated[tuple[ModelId | UiComparedModel, ...], BeforeValidator(texts_of)] = Field(
        (), max_length=MAX_MODELS
    )
    slot: int | None = Field(None, ge=0, description="which lane of earlier comparisons the conversation goes on with")
    blind: bool = False
    title: str = ""
    notify: NotifyPolicy | None = None

    prompt: str | None = None
    first: ModelId | None = Field(None, validation_alias=AliasChoices("model1Id"))
    second: ModelId | None = Field(None, validation_alias=AliasChoices("model2Id"))

    @model_validator(mode="after")
    def _something(self) -> "CompareBody":
        if not self.messages and self.prompt is None:
            raise ValueError("there are neither messages nor a prompt")
        return self

    @property
    def is_predecessors(self) -> bool:
        """Whether the client reads the predecessor's events: it names two models, and has a prompt."""
        return self.prompt is not None and (self.first is not None or self.second is not None)

    def command(self, owner: Owner, key: str | None) -> StartComparison:
        """What it asks of compare. Raises Refused."""
        try:
            return StartComparison(
                owner=owner,
                run_id=new_comparison_id(blind=self.blind),
                turns=self.turns(),
                models=self.wishes(),
                parameters=self.parameters,
                title=self.title,
                notify=self.notify,
                idempotency_key=key or self._key(),
            )
        except (ValidationError, PydanticSerializationError) as error:
            raise Refused("invalid_request", f"The request cannot be read: {error}"[:MAX_DETAIL]) from error

    def wishes(self) -> tuple[LaneWish, ...]:
        """The models to ask."""
        if self.is_predecessors:
            return tuple(LaneWish(model=model) for model in (self.first, self.second) if model is not None)
        return tuple(
            LaneWish(model=model)
            if isinstance(model, str)
            else LaneWish(model=model.model, parameters=model.parameters)
            for model in self.models
        )

    def turns(self) -> tuple[Turn, ...]:
        """What every model is asked, the system prompt first. Raises Refused."""
        if self.prompt is not None:
            asked = [Turn(role="user", content=self.prompt)]
        else:
            asked = [turn for message in self._history() if (turn := self._turn(message)) is not None]
        while asked and asked[0].role == "assistant":  # a page that greets: nobody has asked for it
            asked.pop(0)
        if not asked or asked[-1].role != "user":
            raise Refused("nothing_new", "The last message is not a user's.")
        system = [self.system] if self.system else []
        system += [message.text for message in self.messages if message.role == "system" and not self.system]
        return (*(Turn(role="system", content=text) for text in system if text), *asked)

    def _key(self) -> str | None:
        """The same message sent again is the same comparison, unless it wants other answers, or says something else."""
        last = self.messages[-1] if self.messages else None
        if last is None or not last.id or self.trigger == "regenerate-message":
            return None
        asked = self.model_dump_json(exclude={"messages": {"__all__": {"id"}}, "trigger": True})
        return made_id("ui", self.chat_id or "", last.id, asked)

    def _history(self) -> Sequence[UiMessage]:
        """An earlier comparison has several answers: without `slot` it is left out, with its question."""
        kept: list[UiMessage] = []
        for message in self.messages:
            if _is_comparison(message) and self.slot is None:
                while kept and kept[-1].role == "user":
                    kept.pop()
            else:
                kept.append(message)
        return kept

    def _turn(self, message: UiMessage) -> Turn | None:
        if message.role == "user":
            return Turn(role="user", content=message.text, images=images_of(message))
        if message.role != "assistant":
            return None
        text = _of_slot(message, self.slot) if _is_comparison(message) else message.text
        return Turn(role="assistant", content=text) if text else None


def _is_comparison(message: UiMessage) -> bool:
    return message.role == "assistant" and any(part.get("type") == "data-slot" for part in message.all_parts)


def _of_slot(message: UiMessage, slot: int | None) -> str:
    """The words of one lane, without those that were taken back."""
    text = ""
    for part in message.all_parts:
        if part.get("type") == "data-restarted":
            data = part.get("data")
            if isinstance(data, dict) and (data.get("slot"), data.get("kind")) == (slot, "text"):
                text = ""
        elif part.get("type") == "text" and _slot_of(part) == slot and isinstance(part.get("text"), str):
            text += part["text"]
    return text


def _slot_of(part: dict[str, Any]) -> Any:
    metadata = part.get("providerMetadata")
    studio = metadata.get("studio") if isinstance(metadata, dict) else None
    return studio.get("slot") if isinstance(studio, dict) else None
