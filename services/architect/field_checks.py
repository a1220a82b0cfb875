"""What is wrong with the input fields of an assistant: values in, sentences out."""

import re
from collections.abc import Iterator, Sequence

from contracts.assistant import InputField
from kit.settings import ArchitectSettings
from services.architect import given
from services.architect.problems import quoted

TEXTS, SELECTS = ("short_text", "long_text"), ("select", "multi_select")
_BOUNDS: dict[str, Sequence[str]] = {
    "min_length": TEXTS,
    "max_length": TEXTS,
    "choices": SELECTS,
    "min_selections": ("multi_select",),
    "max_selections": ("multi_select",),
    "accept": ("file",),
    "max_files": ("file",),
}
"""By bound: the kinds that have it."""
_ACCEPTED = re.compile(
    r"\.[A-Za-z0-9][A-Za-z0-9.+_-]*|[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/(\*|[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*)"
)


def problems_of(field: InputField, limits: ArchitectSettings) -> Iterator[str]:
    """Everything that is wrong with one field."""
    where = f"Field {field.name!r}"
    for bound, kinds in _BOUNDS.items():
        if field.kind not in kinds and getattr(field, bound) not in (None, ()):
            yield f"{where}: {bound} is not for {field.kind}."
    if field.kind in TEXTS:
        yield from _of_text(field, where, limits)
    elif field.kind in SELECTS:
        yield from _of_select(field, where)
    else:
        yield from _of_file(field, where, limits)


def _of_text(field: InputField, where: str, limits: ArchitectSettings) -> Iterator[str]:
    most = limits.max_input_characters
    if (field.max_length or 0) > most:
        yield f"{where}: max_length is {field.max_length}; the limit is {most}."
    if (field.min_length or 0) > (field.max_length or most):
        yield f"{where}: min_length is more than max_length ({field.max_length or most})."
        return
    yield from _of_default(field, where, limits)


def _of_select(field: InputField, where: str) -> Iterator[str]:
    values = [choice.value for choice in field.choices]
    if not values:
        yield f"{where}: it has no choices."
        return
    if not all(value.strip() for value in values):
        yield f"{where}: a choice is empty."
    if twice := sorted({value for value in values if values.count(value) > 1}):
        yield f"{where}: the choice {quoted(twice[0])} is there twice."
    if field.kind == "multi_select":
        fewest, most = field.min_selections or 0, field.max_selections or len(values)
        if fewest > min(most, len(values)):
            yield f"{where}: min_selections is {fewest}; only {min(most, len(values))} can be chosen."
            return
    yield from _of_default(field, where, None)


def _of_file(field: InputField, where: str, limits: ArchitectSettings) -> Iterator[str]:
    for accepted in field.accept:
        if not _ACCEPTED.fullmatch(accepted):
            yield f"{where}: {quoted(accepted)} is no media type (`text/plain`, `text/*`) and no ending (`.pdf`)."
    if (field.max_files or 1) > limits.max_files:
        yield f"{where}: max_files is {field.max_files or 1}; the limit is {limits.max_files}."
    if field.default is not None:
        yield f"{where}: a file has no default."


def _of_default(field: InputField, where: str, limits: ArchitectSettings | None) -> Iterator[str]:
    if field.default is None:
        return
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    most = limits.max_input_characters if limits else 0
    if problem := given.problem_of(field, default, most):
        yield f"{where}: its default: {problem}"
