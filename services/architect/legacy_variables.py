"""The predecessor's placeholders, turned into our variables: values in, values out.

There a placeholder was a word, looked up in the prompt's mapping and then among the fields; one that was found nowhere
was left as it is. With us it would be refused, so a backslash makes it text.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.architect.brought import shortened
from services.architect.legacy_names import plain

_OPENING = re.compile(r"(?<!\\)(\\*)(\$\{|\{\{)")
"""The look behind keeps a long row of backslashes from being tried from each of them."""
_PATH = {
    "${": re.compile(r"[ \t]*([\w-]+(?:\.[\w-]+)*)[ \t]*\}"),
    "{{": re.compile(r"[ \t]*([\w-]+(?:\.[\w-]+)*)[ \t]*\}\}"),
}
_MAY_BE_OURS = re.compile(r"[ \t]*\w")
_OUTPUT = re.compile(r"prompt_(?P<id>[\w-]+)(?:\.output|_output)|steps?\.(?P<name>[\w-]+)\.output")
_IN_BRACKETS = re.compile(r"\s*(?:\$\{(.*)\}|\{\{(.*)\}\})\s*", re.DOTALL)
_OF_INPUT = ("userInput.", "inputs.", "input.")


class Known(NamedTuple):
    """What a prompt may refer to, under the predecessor's names: our names of fields, and of the steps before it.

    `steps` has the ids of prompts and the forms of their names, `places` every step of the file by its place, from 0:
    what it is called if it comes before, else None.
    """

    fields: Mapping[str, str]
    steps: Mapping[str, str]
    places: tuple[str | None, ...]
    has_ids: bool

    def path(self, path: str) -> str | None:
        """Our path for one of theirs; None if it leads nowhere."""
        for beginning in _OF_INPUT:
            if path.startswith(beginning):
                return self.fields.get(path.removeprefix(beginning))
        if path in self.fields:
            return self.fields[path]
        if (match := _OUTPUT.fullmatch(path)) is None:
            return None
        wanted = match["id"] or match["name"]
        step = self.steps.get(wanted) or self.steps.get(plain(wanted, "").lower())
        if step is None and wanted.isdecimal() and (path.endswith("_output") or not self.has_ids):
            step = self.places[int(wanted)] if len(wanted) < 4 and int(wanted) < len(self.places) else None
        return step and f"{step}.output"


def translated(
    text: str, mapping: Mapping[str, Any], known: Known, inputs: dict[str, str], unknown: dict[str, None]
) -> str:
    """A text with our variables in it.

    Into `inputs` goes what the step's own variables stand for, into `unknown` each placeholder that is text now.
    """
    parts: list[str] = []
    found_before: dict[str, str | None] = {}
    at = 0
    while opening := _OPENING.search(text, at):
        slashes, bracket = opening.groups()
        parts.append(text[at : opening.start()])
        at = opening.end()
        found = _PATH[bracket].match(text, at)
        if found is None and not _MAY_BE_OURS.match(text, at):  # what opens may be one character later: `{{{name}}}`
            at = opening.start(2) + 1
            parts += (slashes, bracket[0])
            continue
        parts.append(slashes * 2)
        if found and found[1] not in found_before:
            found_before[found[1]] = _variable(found[1], mapping, known, inputs)
        ours = found_before[found[1]] if found else None
        if found and ours:
            parts.append(f"${{{ours}}}")
            at = found.end()
            continue
        if found:
            unknown[shortened(f"{bracket}{found[0]}")] = None
        parts.append(f"\\{bracket}")
    parts.append(text[at:])
    return "".join(parts)


def _variable(name: str, mapping: Mapping[str, Any], known: Known, inputs: dict[str, str]) -> str | None:
    """What is in our brackets; None if nothing is known of it. A name with a mapping is a variable of the step."""
    told = mapping.get(name)
    bare = _IN_BRACKETS.fullmatch(told) if isinstance(told, str) else None
    path = known.path(((bare[1] or bare[2]) if bare else told).strip()) if isinstance(told, str) else None
    if path is None:
        return known.path(name)
    ours = plain(name, "variable")
    if inputs.setdefault(ours, path) != path:
        return path  # two of their names would be one of ours
    return ours
