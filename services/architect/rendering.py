"""What a step asks its model, with its variables put in; and whether it is to be asked. Values in, values out."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.assistant import Step
from contracts.content import Turn
from kit.refusal import Refused
from services.architect import conditions, graph
from services.architect.values import Done as Done
from services.architect.values import Known
from services.architect.variables import Variable, pieces


def render(
    step: Step,
    steps: Sequence[Step],
    values: Mapping[str, Any],
    done: Mapping[str, Done],
    max_characters: int | None = None,
) -> tuple[Turn, ...]:
    """The system prompt, with `history` what was asked and answered before, and the prompt.

    In one pass: what is put in is not looked at again. Refused if there is nothing to ask, or more than the limit.
    """
    known = Known(step.inputs, [other.name for other in steps], values, done)
    left = _Left(step.name, max_characters)
    system = _text(step.system, known, left)
    earlier = _history(step, steps, done) if step.history else ()
    for turn in earlier:
        left.take(turn.content)
    prompt = _text(step.prompt, known, left)
    if not prompt.strip():
        raise Refused("empty_prompt", f"Step {step.name!r}: with its variables put in, the prompt is empty.")
    begin = (Turn(role="system", content=system),) if system.strip() else ()
    return (*begin, *earlier, Turn(role="user", content=prompt))


def holds(step: Step, values: Mapping[str, Any], done: Mapping[str, Done]) -> bool:
    """Whether a step's condition holds; without one it does. Raises ValueError if that cannot be told."""
    if step.condition is None:
        return True
    return conditions.evaluate(step.condition, Known(step.inputs, done, values, done))


class _Left:
    """How many characters may still be put in."""

    def __init__(self, step: str, limit: int | None) -> None:
        self._step, self._limit, self._taken = step, limit, 0

    def take(self, text: str) -> str:
        self._taken += len(text)
        if self._limit is not None and self._taken > self._limit:
            message = f"Step {self._step!r}: what it asks has more than {self._limit} characters."
            raise Refused("prompt_too_long", message)
        return text


def _text(text: str, known: Known, left: _Left) -> str:
    parts: list[str] = []
    for piece in pieces(text):
        parts.append(left.take(known.text(piece.path) if isinstance(piece, Variable) else piece))
    return "".join(parts)


def _history(step: Step, steps: Sequence[Step], done: Mapping[str, Done]) -> tuple[Turn, ...]:
    """Each step's own question and its answer. What a step was told of others' is theirs already."""
    before = graph.ancestors(steps)[step.name]
    told: list[Turn] = []
    for other in steps:
        ended = done.get(other.name)
        if other.name in before and ended and ended.turns and ended.output.strip():
            told += (ended.turns[-1], Turn(role="assistant", content=ended.output))
    return tuple(told)
