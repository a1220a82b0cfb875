"""What is wrong with what was given for one field, and how it is taken: values in, values out. Files: inputs.py."""

from typing import Any

from contracts.assistant import InputField
from kit.orchestrate.wording import storable
from kit.refusal import Refused
from services.architect.problems import quoted

LISTED = 10
"""Choices in a sentence."""


def taken(field: InputField, value: Any) -> Any:
    """As it goes into a run: the spaces around a short text are nobody's intention, a long text stays as it is."""
    if isinstance(value, tuple):
        return list(value)
    return value.strip() if field.kind == "short_text" and isinstance(value, str) else value


def is_absent(value: Any) -> bool:
    """Whether nothing was given: no text but spaces, and no list without entries."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def problem_of(field: InputField, value: Any, most: int) -> str | None:
    """Why this cannot be taken; None if it can. `most`: characters of a text whose field sets no limit."""
    if field.kind == "multi_select":
        return _of_list(field, value)
    if not isinstance(value, str):
        return "it has to be a text."
    try:
        storable(value)
    except Refused as refusal:
        return refusal.problem.message
    if field.kind == "select":
        return None if value in _values(field) else f"there is no choice {quoted(value)}. {_choices(field)}"
    return _of_text(field, value, most)


def _of_text(field: InputField, value: str, most: int) -> str | None:
    fewest, most = field.min_length or 0, min(field.max_length or most, most)
    if len(value) < fewest:
        return f"it has {len(value)} characters; {fewest} or more are needed."
    return f"it has {len(value)} characters; the limit is {most}." if len(value) > most else None


def _of_list(field: InputField, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return "it has to be a list of texts."
    values = _values(field)
    for entry in value:
        if entry not in values:
            return f"there is no choice {quoted(entry)}. {_choices(field)}"
    if len(set(value)) < len(value):
        return "a choice is there twice."
    if len(value) < (field.min_selections or 0):
        return f"{len(value)} are chosen; {field.min_selections} or more are needed."
    if field.max_selections is not None and len(value) > field.max_selections:
        return f"{len(value)} are chosen; the limit is {field.max_selections}."
    return None


def _values(field: InputField) -> set[str]:
    return {choice.value for choice in field.choices}


def _choices(field: InputField) -> str:
    shown = ", ".join(quoted(choice.value) for choice in field.choices[:LISTED])
    return f"There are: {shown}{' …' if len(field.choices) > LISTED else ''}."
