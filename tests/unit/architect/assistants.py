"""Assistants and runs as tests write them down."""

import random
from typing import Any

from contracts.assistant import Choice, Definition, InputField, Step
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect.definition import resolved
from services.architect.inputs import FileText
from services.architect.rendering import Done

LIMITS = ArchitectSettings()
PAPER = FileText(id="f1", name="Paper.PDF", media_type="application/pdf", bytes=9, text="On ${topic}.")
NOTES = FileText(id="f2", name="notes.txt", media_type="text/plain; charset=utf-8", bytes=5, text="Notes")
FILES = {file.id: file for file in (PAPER, NOTES)}


def step(name: str, *depends_on: str, prompt: str = "Go on.", **more: Any) -> Step:
    """A step that depends on just these."""
    return Step(**{"name": name, "prompt": prompt, "model": "m", "depends_on": depends_on, **more})


def listed(name: str, prompt: str = "Go on.", **more: Any) -> Step:
    """A step that leaves to its place in the list, or its position, what it depends on."""
    return Step(name=name, prompt=prompt, model="m", **more)


def field(name: str = "topic", kind: str = "short_text", **more: Any) -> InputField:
    if "choices" in more:
        more["choices"] = tuple(Choice(value=value) for value in more["choices"])
    return InputField.model_validate({"name": name, "kind": kind, **more})


def definition(*parts: Step | InputField, **more: Any) -> Definition:
    steps = tuple(part for part in parts if isinstance(part, Step)) or (step("only"),)
    return Definition(fields=tuple(part for part in parts if isinstance(part, InputField)), steps=steps, **more)


def refusal_of(*parts: Step | InputField, limits: ArchitectSettings = LIMITS, **more: Any) -> str | None:
    """Why this assistant is refused; None if it is not."""
    try:
        resolved(definition(*parts, **more), limits)
    except Refused as refusal:
        return refusal.problem.message if refusal.problem.code == "invalid_assistant" else refusal.problem.code
    return None


def done(output: str, status: str = "completed", **more: Any) -> Done:
    return Done(output, status, **more)


def random_steps(luck: random.Random, most: int = 12) -> list[Step]:
    """A graph without rings, listed in any order."""
    names = [f"s{number}" for number in range(luck.randint(1, most))]
    steps = [step(name, *luck.sample(names[:place], luck.randint(0, place))) for place, name in enumerate(names)]
    luck.shuffle(steps)
    return steps
