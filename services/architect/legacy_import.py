"""The predecessor's assistants as ours: values in, values out.

There, prompts of one position ran side by side and every prompt saw all that was asked and answered before it. A
timeout of a prompt was stored and never enforced; here it is.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from contracts.assistant import Definition, Step
from services.architect import legacy_format
from services.architect.brought import Brought, Models, invalid
from services.architect.legacy_fields import field_of
from services.architect.legacy_format import LegacyAssistant, LegacyPrompt
from services.architect.legacy_names import Names, plain
from services.architect.legacy_variables import Known, translated

MAX_TOLD = 10
"""Placeholders that one warning names."""


class _Placed(NamedTuple):
    """A prompt with what it is called here. `number`: its place in the file, from 0."""

    prompt: LegacyPrompt
    name: str
    number: int
    position: int


def read(document: dict[str, Any], models: Models) -> list[Brought]:
    """The assistants of a file of the predecessor's. Raises Refused."""
    found = legacy_format.read(document)
    return [_brought(f"assistants[{n}]", assistant, n, models) for n, assistant in enumerate(found)]


def _brought(place: str, assistant: LegacyAssistant, number: int, models: Models) -> Brought:
    warnings = _left_out(assistant)
    names, renamed = Names(), {}
    in_order = sorted(enumerate(assistant.fields), key=lambda each: each[1].position or 0)
    fields = []
    for n, field in in_order:
        renamed[field.name] = names.take(field.name, "field")
        fields.append(field_of(field, renamed[field.name], f"{place}.input_fields[{n}]", warnings))
    placed = _placed(assistant.prompts, names)
    steps = [_step(each, placed, renamed, models, f"{place}.prompts[{each.number}]", warnings) for each in placed]
    try:
        definition = Definition(
            fields=tuple(fields), steps=tuple(steps), timeout_seconds=assistant.timeout_seconds or None
        )
    except ValidationError as error:
        raise invalid(error, place) from error
    name = assistant.name.strip()[:200] or f"Imported assistant {number + 1}"
    return Brought(place, name, assistant.description[:10_000], definition, tuple(warnings))


def _left_out(assistant: LegacyAssistant) -> list[str]:
    found = []
    if assistant.mode.strip().lower() == "agentic":
        found.append("It chose its tools by itself (agentic); here its prompts are a chain without tools.")
    if assistant.icon:
        found.append("Its icon was left out.")
    return found


def _placed(prompts: Sequence[LegacyPrompt], names: Names) -> list[_Placed]:
    """The prompts by position; one without a position comes after the one before it in the file."""
    found: list[_Placed] = []
    position = -1
    for number, prompt in enumerate(prompts):
        position = position + 1 if prompt.position is None else prompt.position
        found.append(_Placed(prompt, names.take(prompt.name, f"step_{number + 1}"), number, position))
    return sorted(found, key=lambda each: (each.position, each.number))


def _known(placed: _Placed, all_placed: Sequence[_Placed], fields: dict[str, str]) -> Known:
    before = [other for other in all_placed if other.position < placed.position]
    steps: dict[str, str] = {}
    for other in before:
        steps |= {plain(other.prompt.name, other.name).lower(): other.name, other.prompt.name: other.name}
    steps |= {other.prompt.id: other.name for other in before if other.prompt.id}
    places: list[str | None] = [None] * len(all_placed)
    for other in before:
        places[other.number] = other.name
    return Known(fields, steps, tuple(places), any(other.prompt.id for other in all_placed))


def _step(
    placed: _Placed,
    all_placed: Sequence[_Placed],
    fields: dict[str, str],
    models: Models,
    place: str,
    warnings: list[str],
) -> Step:
    prompt, known = placed.prompt, _known(placed, all_placed, fields)
    inputs: dict[str, str] = {}
    unknown: dict[str, None] = {}
    content, system = (
        translated(text, prompt.mapping, known, inputs, unknown) for text in (prompt.content, prompt.system)
    )
    if unknown:
        told = ", ".join(list(unknown)[:MAX_TOLD]) + (" …" if len(unknown) > MAX_TOLD else "")
        warnings.append(f"Step {placed.name!r}: nothing that comes before is meant by {told}; it was kept as text.")
    for what, there in (("knowledge repositories", prompt.repositories), ("tools", prompt.tools)):
        if there:
            warnings.append(f"Step {placed.name!r}: its {what} were left out.")
    try:
        return Step(
            name=placed.name,
            title="" if prompt.name == placed.name else prompt.name[:200],
            prompt=content,
            system=system,
            model=models.instead(prompt.model.strip(), warnings, placed.name),
            timeout_seconds=prompt.timeout_seconds or None,
            position=placed.position,
            history=True,
            inputs=inputs,
        )
    except ValidationError as error:
        raise invalid(error, place) from error
