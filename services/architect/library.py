"""The assistants that come with the product: one file each in `library/`."""

import functools
from pathlib import Path

import yaml

from contracts.architect_values import ExampleAssistant
from kit.settings import ArchitectSettings
from services.architect.definition import resolved

FOLDER = Path(__file__).with_name("library")


@functools.cache
def read() -> tuple[ExampleAssistant, ...]:
    """All of them, by name. Raises pydantic's or yaml's error if a file is wrong, which a test would have seen."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.append(ExampleAssistant(name=path.stem, **told))
    return tuple(found)


def examples(limits: ArchitectSettings) -> tuple[ExampleAssistant, ...]:
    """All of them, with their dependencies made explicit. Raises Refused where the limits are too narrow for one."""
    return tuple(example.model_copy(update={"definition": resolved(example.definition, limits)}) for example in read())
