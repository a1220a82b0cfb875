"""The predecessor's export (JSON v1.0) as it is in the file, with the spellings that occur."""

import json
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from services.architect.brought import invalid, not_importable, shortened

VERSIONS = ("1.0", "1", "None")
MAX_PARTS = 200
"""Prompts or fields of one assistant, as contracts.assistant has it."""


def _named(*names: str) -> AliasChoices:
    """A field under each of its names, in both spellings."""
    return AliasChoices(*dict.fromkeys(name for each in names for name in (each, to_camel(each))))


def _mapping(value: Any) -> Any:
    """Columns of JSON were sometimes exported as the text they are stored as."""
    if isinstance(value, str) and value.strip():
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value or {}


def _text(value: Any) -> Any:
    return "" if value is None else str(value) if isinstance(value, int | float) else value


def _model_name(value: Any) -> Any:
    if isinstance(value, dict):
        value = next((value[key] for key in ("model_id", "modelId", "name", "id") if value.get(key)), "")
    return _text(value)


def _list(value: Any) -> Any:
    return value or ()


Text = Annotated[str, BeforeValidator(_text)]
Mapping = Annotated[dict[str, Any], BeforeValidator(_mapping)]
Some = Annotated[tuple[Any, ...], BeforeValidator(_list)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class LegacyField(_Part):
    """One input field."""

    name: str = Field(min_length=1)
    label: Text = ""
    description: Text = ""
    kind: str = Field(validation_alias=_named("field_type", "type"))
    position: int | None = None
    options: Mapping = {}
    required: bool | None = None


class LegacyPrompt(_Part):
    """One prompt of the chain."""

    id: Text = ""
    name: Text = ""
    content: str = Field(min_length=1)
    system: Text = Field("", validation_alias=_named("system_context"))
    model: Annotated[str, BeforeValidator(_model_name)] = Field(
        "", validation_alias=_named("model_name", "model", "model_id")
    )
    position: int | None = Field(None, ge=0)
    parallel_group: Any = Field(None, validation_alias=_named("parallel_group"))
    mapping: Mapping = Field({}, validation_alias=_named("input_mapping"))
    timeout_seconds: float | None = Field(None, ge=0, validation_alias=_named("timeout_seconds"))
    repositories: Some = Field((), validation_alias=_named("repository_ids"))
    tools: Some = Field((), validation_alias=_named("enabled_tools"))


class LegacyAssistant(_Part):
    """One assistant."""

    name: Text = ""
    description: Text = ""
    icon: Text = Field("", validation_alias=_named("icon", "image_path"))
    mode: Text = "prompt_chain"
    timeout_seconds: float | None = Field(None, ge=0, validation_alias=_named("timeout_seconds"))
    fields: tuple[LegacyField, ...] = Field((), max_length=MAX_PARTS, validation_alias=_named("input_fields", "fields"))
    prompts: tuple[LegacyPrompt, ...] = Field(min_length=1, max_length=MAX_PARTS)


class _File(_Part):
    assistants: tuple[LegacyAssistant, ...] = Field(min_length=1)


def read(document: dict[str, Any]) -> tuple[LegacyAssistant, ...]:
    """The assistants of a file: a list of them, or one. Raises Refused, and names the place."""
    if str(document.get("version")) not in VERSIONS:
        raise not_importable("version", f"It is {shortened(str(document['version']))!r}; '1.0' can be read.")
    if "assistants" not in document:
        one = document.get("assistant", document if "prompts" in document else None)
        if one is None:
            raise not_importable("", "There are no `assistants` in it: it is neither our export nor the predecessor's.")
        document = {"assistants": [one]}
    try:
        return _File.model_validate(document).assistants
    except ValidationError as error:
        raise invalid(error) from error
