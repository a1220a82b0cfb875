"""What is given for a run: held against the fields of its assistant. Values in, values or Refused out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.assistant import InputField, Inputs
from contracts.message import Value
from kit.settings import ArchitectSettings
from services.architect.given import is_absent, problem_of, taken
from services.architect.problems import quoted, refuse


class FileText(Value):
    """A file that was given, with the text that was found in it."""

    id: str
    name: str
    media_type: str
    bytes: int
    text: str


def file_ids(fields: Sequence[InputField], given: Inputs) -> set[str]:
    """The files that are asked for; what is no text is left to `checked`."""
    wanted: set[str] = set()
    for field in fields:
        if field.kind == "file":
            value = given.get(field.name)
            entries = value if isinstance(value, (list, tuple)) else [value]
            wanted |= {entry for entry in entries if isinstance(entry, str) and entry.strip()}
    return wanted


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as people see them: of files what they are, without their text."""
    return {name: _without_text(value) for name, value in values.items()}


def _without_text(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return [
        {key: part for key, part in entry.items() if key != "text"} if isinstance(entry, Mapping) else entry
        for entry in value
    ]


def checked(
    fields: Sequence[InputField], given: Inputs, files: Mapping[str, FileText], limits: ArchitectSettings
) -> dict[str, Any]:
    """By field, all of them: a text, a list of texts, or a list of files. Refused with everything that is wrong."""
    known = {field.name for field in fields}
    problems = [f"There is no field {quoted(str(name))}." for name in given if name not in known]
    values: dict[str, Any] = {}
    for field in fields:
        value, problem = _value(field, given.get(field.name), files, limits)
        values[field.name] = value
        if problem:
            problems.append(f"{field.name}: {problem}")
    if not problems:
        problems += _too_much(fields, values, limits)
    refuse("invalid_inputs", problems)
    return values


def _value(
    field: InputField, value: Any, files: Mapping[str, FileText], limits: ArchitectSettings
) -> tuple[Any, str | None]:
    value = taken(field, field.default if value is None else value)
    if is_absent(value):
        nothing: Any = "" if field.kind in ("short_text", "long_text", "select") else []
        return nothing, "it is required." if field.required else None
    if field.kind == "file":
        return _files(field, [value] if isinstance(value, str) else value, files)
    return value, problem_of(field, value, limits.max_input_characters)


def _files(field: InputField, ids: Any, files: Mapping[str, FileText]) -> tuple[Any, str | None]:
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        return [], "it has to be the id of a file, or a list of them."
    if len(set(ids)) < len(ids):
        return [], "a file is there twice."
    if len(ids) > (most := field.max_files or 1):
        return [], f"there are {len(ids)} files; the limit is {most}."
    if unknown := [one for one in ids if one not in files]:
        return [], f"there is no file {quoted(unknown[0])}."
    for one in ids:
        if field.accept and not any(_accepts(accepted, files[one]) for accepted in field.accept):
            return [], f"{quoted(files[one].name)} is not of a kind that is taken: {', '.join(field.accept)}."
    return [files[one].model_dump(mode="json") for one in ids], None


def _accepts(accepted: str, file: FileText) -> bool:
    if accepted.startswith("."):
        return file.name.lower().endswith(accepted.lower())
    kind = file.media_type.partition(";")[0].strip().lower()
    accepted = accepted.lower()
    return kind.startswith(accepted[:-1]) if accepted.endswith("/*") else kind == accepted


def _too_much(fields: Sequence[InputField], values: Mapping[str, Any], limits: ArchitectSettings) -> Iterator[str]:
    files = [file for field in fields if field.kind == "file" for file in values[field.name]]
    if len(files) > limits.max_files:
        yield f"There are {len(files)} files; the limit of a run is {limits.max_files}."
    texts = [file["text"] for file in files]
    for value in values.values():
        entries = [value] if isinstance(value, str) else value
        texts += [entry for entry in entries if isinstance(entry, str)]
    characters = sum(map(len, texts))
    if characters > limits.max_inputs_characters:
        yield f"All inputs together have {characters} characters; the limit is {limits.max_inputs_characters}."
