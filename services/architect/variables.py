"""Variables in texts, and what they stand for: values in, values out.

A variable is `${path}` or `{{path}}`; what is in the brackets and cannot be a path is text like any other. A backslash
before the bracket makes it text, two of them are one backslash before a variable.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

INPUTS, STEPS, USER_INPUT = "inputs", "steps", "userInput"
RESERVED = frozenset({INPUTS, STEPS})
OF_STEP = ("output", "status", "error")
OF_FILE = ("text", "name")
MAX_PATH_CHARACTERS = 300
_OPENING = re.compile(r"(?<!\\)(\\*+)(\$\{|\{\{)")
_INSIDE = rf"([\w.\- \t]{{1,{MAX_PATH_CHARACTERS}}}+)"
_VARIABLE = {"${": re.compile(_INSIDE + r"\}"), "{{": re.compile(_INSIDE + r"\}\}")}
"""Nothing in them is tried twice: a text that is made to be slow is not."""


class Variable(NamedTuple):
    """A place in a text where something is put in."""

    path: str
    written: str


def pieces(text: str) -> Iterator[str | Variable]:
    """A text as its parts, in order."""
    at = 0
    while opening := _OPENING.search(text, at):
        slashes, bracket = opening.groups()
        yield text[at : opening.start()] + slashes[: len(slashes) // 2]
        at = opening.start(2)
        if len(slashes) % 2:
            yield bracket
            at = opening.end()
            continue
        found = _VARIABLE[bracket].match(text, opening.end())
        path = found[1].strip() if found else ""
        if found and path[:1].replace("_", "x").isalnum():
            yield Variable(path, text[at : found.end()])
            at = found.end()
        else:
            yield bracket[0]  # the second one may begin a variable
            at += 1
    yield text[at:]


def paths(text: str) -> list[Variable]:
    """The variables of a text, in order."""
    return [piece for piece in pieces(text) if isinstance(piece, Variable)]


class Target(NamedTuple):
    """What a path leads to. `part`: of a step or a file; empty: the whole."""

    kind: str
    name: str
    part: str = ""


def target(path: str, mapped: Mapping[str, str], fields: Collection[str], steps: Collection[str]) -> Target | None:
    """Where a path leads; None: nowhere. `mapped` are the step's own variables: they win, and stand for other paths."""
    first, dot, rest = path.partition(".")
    if first in mapped:
        return target(mapped[first] + dot + rest, {}, fields, steps)
    names = path.split(".")
    if names[0] == STEPS:
        fields, names = (), names[1:]
    elif names[0] == INPUTS or (names[0] == USER_INPUT and USER_INPUT not in {*fields, *steps}):
        steps, names = (), names[1:]
    if len(names) not in (1, 2):
        return None
    name, part = names[0], "".join(names[1:])
    if len(names) > 1 and not part:
        return None
    if name in fields:
        return Target(INPUTS, name, part)
    return Target(STEPS, name, part) if name in steps else None
