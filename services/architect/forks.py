"""What is taken anew when a run goes on from one that has ended: values in, values or Refused out."""

from collections.abc import Mapping

from contracts.assistant import Definition, StepChange
from kit.refusal import Refused
from services.architect.models import Planned, StepRow


def taken_anew(parent: Planned, step: str) -> set[str]:
    """The steps that are not shown again: this one, what the earlier run left undone, and what depends on them.

    Raises Refused.
    """
    if parent.step(step) is None:
        raise Refused("unknown_step", "There is no such step in this run.")
    anew = {step} | {other.step for other in parent.steps if not _is_done(other)}
    while more := {other.step for other in parent.steps if other.step not in anew and anew & set(other.depends_on)}:
        anew |= more
    return anew


def _is_done(step: StepRow) -> bool:
    """Whether it has ended for good: its output, or that there is none, is what the assistant wants."""
    if step.status == "failed":
        return step.on_error != "stop"
    if step.status == "skipped":
        return step.reason != "run_stopped"
    return step.status == "completed"


def changed(definition: Definition, changes: Mapping[str, StepChange], anew: set[str]) -> Definition:
    """The definition with other steps. Refused if one of them is unknown, or shown again."""
    names = {step.name for step in definition.steps}
    for name in changes:
        if name not in names:
            raise Refused("unknown_step", f"There is no step {name!r} in this run.")
        if name not in anew:
            raise Refused("invalid_request", f"The step {name!r} is not taken anew, so it cannot be changed.")
    steps = [
        step.model_copy(update=_given(changes[step.name])) if step.name in changes else step
        for step in definition.steps
    ]
    return definition.model_copy(update={"steps": tuple(steps)})


def _given(change: StepChange) -> dict[str, object]:
    return {name: getattr(change, name) for name in change.model_fields_set if getattr(change, name) is not None}
