"""Our own file format for assistants: values in, values out."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from contracts.assistant import Definition, Step
from contracts.message import Value
from services.architect.brought import Brought, Models, invalid, not_importable, shortened

FORMAT, VERSION = "ai-studio.assistants", 1


class _Assistant(Value):
    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    definition: Definition


class _File(Value):
    format: Literal["ai-studio.assistants"]
    version: int
    assistants: tuple[_Assistant, ...] = Field(min_length=1)


def document_of(name: str, description: str, definition: Definition) -> dict[str, Any]:
    """An assistant as a file. What is not said in it is as it is by default."""
    what = definition.model_dump(mode="json", exclude_defaults=True)
    assistant = {"name": name, "description": description, "definition": what}
    return {"format": FORMAT, "version": VERSION, "assistants": [assistant]}


def is_ours(document: dict[str, Any]) -> bool:
    """Whether a file says that it is of this format."""
    return "format" in document


def read(document: dict[str, Any], models: Models) -> list[Brought]:
    """The assistants of a file of ours. Raises Refused."""
    if document["format"] != FORMAT:
        raise not_importable("format", f"It is {shortened(str(document['format']))!r}; ours is {FORMAT!r}.")
    if document.get("version") != VERSION:
        raise not_importable("version", f"It is {shortened(str(document.get('version')))!r}; {VERSION} can be read.")
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise invalid(error) from error
    return [_brought(f"assistants[{number}]", assistant, models) for number, assistant in enumerate(file.assistants)]


def _brought(place: str, assistant: _Assistant, models: Models) -> Brought:
    warnings: list[str] = []
    steps = tuple(_with_our_models(step, models, warnings) for step in assistant.definition.steps)
    definition = assistant.definition.model_copy(update={"steps": steps})
    return Brought(place, assistant.name, assistant.description, definition, tuple(warnings))


def _with_our_models(step: Step, models: Models, warnings: list[str]) -> Step:
    found = {name: models.known(name) for name in step.fallbacks}
    missing = [name for name, model in found.items() if model is None]
    if missing:
        warnings.append(
            f"Step {step.name!r}: the fallbacks {', '.join(map(shortened, missing))} are not offered and were left out."
        )
    fallbacks = tuple(model for model in found.values() if model is not None)
    return step.model_copy(update={"model": models.instead(step.model, warnings, step.name), "fallbacks": fallbacks})
