"""What a response was asked for, as OpenAI's object repeats it; from the command, or from what chat keeps of it."""

import json
from dataclasses import dataclass
from typing import Any

from contracts.completions import Completion, StartCompletion
from contracts.content import Turn
from contracts.generation import Parameters

LABEL = "studio.response"
"""The label that keeps what our contracts have no word for. Clients cannot write it."""
OUR_LABELS = "studio."


@dataclass(frozen=True, slots=True)
class Wishes:
    """What only this protocol knows of."""

    background: bool = False
    summary: str | None = None
    """How the thinking is to be summed up; then it is told as a summary."""
    instructions: bool = False
    """The first turn is the request's `instructions`."""

    def labels(self) -> dict[str, str]:
        """As a label keeps them: what was wished, nothing else."""
        told = {"background": self.background, "summary": self.summary, "instructions": self.instructions}
        wished = {name: value for name, value in told.items() if value}
        return {LABEL: json.dumps(wished)} if wished else {}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a response."""

    turns: tuple[Turn, ...]
    """The input, without the instructions."""
    instructions: str | None
    previous: str | None
    """The run before it."""
    parameters: Parameters
    metadata: dict[str, str]
    wishes: Wishes


def of_command(command: StartCompletion) -> Asked:
    """What is being asked."""
    return _asked(command.turns, command.after, command.parameters, command.labels)


def of_completion(completion: Completion) -> Asked:
    """What was asked."""
    return _asked(completion.asked, completion.after, completion.parameters, completion.labels)


def _asked(turns: tuple[Turn, ...], after: str | None, parameters: Parameters, labels: dict[str, str]) -> Asked:
    wishes = Wishes(**_kept(labels))
    first = turns[0] if turns and wishes.instructions else None
    return Asked(
        turns=turns if first is None else turns[1:],
        instructions=first.content if first else None,
        previous=after,
        parameters=parameters,
        metadata={name: value for name, value in labels.items() if not name.startswith(OUR_LABELS)},
        wishes=wishes,
    )


def _kept(labels: dict[str, str]) -> dict[str, Any]:
    known = {"background", "summary", "instructions"}  # an older or newer edge may have kept others
    return {name: value for name, value in json.loads(labels.get(LABEL, "{}")).items() if name in known}
