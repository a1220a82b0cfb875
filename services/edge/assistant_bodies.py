"""The JSON bodies about assistants: what is not known of a definition is a mistake, and not left out in silence."""

from typing import Any

from pydantic import ConfigDict, Field, field_validator

from contracts.assistant import Approval, Choice, Definition, InputField, Status, Step
from services.edge.bodies import Body, GivenParameters, GivenTimeouts, example

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

A_DEFINITION: dict[str, Any] = {
    "fields": [{"name": "topic", "kind": "short_text", "label": "Topic"}],
    "steps": [
        {"name": "draft", "prompt": "Write a short text about ${topic}.", "model": "demo-sage"},
        {"name": "title", "prompt": "Find a title for this text: ${draft.output}", "model": "demo-swift"},
    ],
}


class GivenChoice(Choice):
    """One of the values that may be chosen."""

    model_config = _STRICT


class GivenField(InputField):
    """Something that is asked before a run."""

    model_config = _STRICT

    choices: tuple[GivenChoice, ...] = Field((), max_length=500, description="of a select")


class GivenApproval(Approval):
    """Somebody has to approve a step before it begins."""

    model_config = _STRICT


class GivenStep(Step):
    """One question to one model."""

    model_config = _STRICT

    parameters: GivenParameters = GivenParameters()
    timeouts: GivenTimeouts = GivenTimeouts()
    approval: GivenApproval | None = None


class GivenDefinition(Definition):
    """What an assistant asks for, and the steps it takes."""

    model_config = _STRICT

    fields: tuple[GivenField, ...] = Field((), max_length=200)
    steps: tuple[GivenStep, ...] = Field(max_length=200)


class NewAssistant(Body):
    """An assistant that is not there yet."""

    model_config = example(name="A text and its title", definition=A_DEFINITION)

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    status: Status = Field("draft", description="a draft is yours alone; your tenant may run what is published")
    definition: GivenDefinition


class AssistantChange(Body):
    """What is absent stays as it is. Another definition makes a new version."""

    model_config = example(status="published", note="Shorter prompts.")

    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=10_000)
    status: Status | None = None
    definition: GivenDefinition | None = None
    note: str = Field("", max_length=1_000, description="for the history")


class NewCopy(Body):
    """What is copied, and how the copy is called."""

    model_config = example(name="My own")

    version: int | None = Field(None, ge=1, description="absent: the newest")
    name: str | None = Field(None, min_length=1, max_length=200, description="absent: made from its name")


class NewImport(Body):
    """A file, and which of our models are meant by the names in it. The file alone is taken as well."""

    model_config = example(document={"version": "1.0", "assistants": []}, models={"gpt-4": "demo-sage"})

    document: dict[str, Any]
    models: dict[str, str] = Field({}, description="models of GET /v1/models, by the names that the file has for them")

    @field_validator("models")
    @classmethod
    def _not_too_many(cls, models: dict[str, str]) -> dict[str, str]:
        if len(models) > MAX_MODELS_NAMED:
            raise ValueError(f"at most {MAX_MODELS_NAMED} models")
        return models


MAX_MODELS_NAMED = 1_000
