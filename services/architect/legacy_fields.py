"""The predecessor's input fields as ours: values in, values out."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from contracts.assistant import Choice, FieldKind, InputField
from services.architect.brought import invalid, not_importable, shortened
from services.architect.legacy_format import LegacyField

KINDS: dict[str, FieldKind] = {
    "short_text": "short_text",
    "text": "short_text",
    "long_text": "long_text",
    "textarea": "long_text",
    "select": "select",
    "multi_select": "multi_select",
    "file_upload": "file",
    "file": "file",
}
LEFT_OUT = ("rows", "max_size")
MAX_FILES = 10
"""Of a field that takes several: there was no limit of them."""


def _spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with names in one spelling."""
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in options.items()}


def field_of(field: LegacyField, name: str, place: str, warnings: list[str]) -> InputField:
    """A field of ours. Raises Refused."""
    kind = KINDS.get(field.kind.strip().lower().replace("-", "_"))
    if kind is None:
        raise not_importable(f"{place}.field_type", f"There is no kind of field {shortened(field.kind)!r}.")
    options = _spelled(field.options)
    left_out = [option for option in LEFT_OUT if options.get(option) is not None]
    if left_out:
        warnings.append(f"Field {shortened(field.name)!r}: {' and '.join(left_out)} left out.")
    required = field.required if field.required is not None else options.get("required")
    values = {
        "name": name,
        "kind": kind,
        "label": (field.label or field.name)[:200],
        "description": field.description[:2000],
        "placeholder": str(options.get("placeholder") or "")[:1000],
        "required": bool(required),
        **_bounds(kind, options, place),
    }
    try:
        return InputField(**values)
    except ValidationError as error:
        raise invalid(error, place) from error


def _bounds(kind: FieldKind, options: Mapping[str, Any], place: str) -> dict[str, Any]:
    default = options.get("default", options.get("default_value"))
    found: dict[str, Any] = {}
    if kind in ("short_text", "long_text"):
        found = {"min_length": options.get("min_length"), "max_length": options.get("max_length")}
    elif kind in ("select", "multi_select"):
        choices = options.get("choices", options.get("values", ()))
        if not isinstance(choices, list | tuple):
            raise not_importable(f"{place}.options.choices", "It is no list.")
        found["choices"] = tuple(_choice(choice, f"{place}.options.choices[{n}]") for n, choice in enumerate(choices))
    if kind == "multi_select":
        found |= {name: options.get(name) for name in ("min_selections", "max_selections")}
    if kind == "file":
        accept = options.get("accept") or ()
        accept = accept.split(",") if isinstance(accept, str) else accept
        found["accept"] = tuple(str(each).strip() for each in accept if str(each).strip() not in ("", "*", "*/*"))
        several = options.get("max_files") or (MAX_FILES if options.get("multiple") else None)
        return {**found, "max_files": several}
    if default not in (None, "", []):
        found["default"] = tuple(map(str, default)) if isinstance(default, list) else str(default)
        if kind == "multi_select" and isinstance(found["default"], str):
            found["default"] = (found["default"],)
    return found


def _choice(choice: Any, place: str) -> Choice:
    if isinstance(choice, dict):
        value = choice.get("value", choice.get("label"))
        label = choice.get("label")
    else:
        value, label = choice, None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise not_importable(place, "It has no value that is a text.")
    return Choice(value=str(value)[:1000], label=None if label in (None, value) else str(label)[:200])
