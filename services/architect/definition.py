"""Whether a definition can be run, with what depends on what made explicit: values in, values or Refused out."""

from collections.abc import Iterator, Sequence
from itertools import islice

from contracts.assistant import Definition, Step
from kit.orchestrate.wording import check_stored
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import field_checks, step_checks
from services.architect.graph import all_before, ancestors, cycles, dependencies, descendants, final_steps
from services.architect.names import MAX_LISTED, Names
from services.architect.problems import MAX_PROBLEMS, quoted, refuse
from services.architect.variables import RESERVED

__all__ = ["ancestors", "descendants", "final_steps", "resolved"]


def resolved(definition: Definition, limits: ArchitectSettings) -> Definition:
    """The same with `depends_on` of every step. Refused with everything that is wrong, each with its place."""
    _check_size(definition, limits)
    refuse("invalid_assistant", _problems(definition, limits))
    before = dependencies(definition.steps)
    steps = tuple(step.model_copy(update={"depends_on": before[step.name]}) for step in definition.steps)
    return definition.model_copy(update={"steps": steps})


def _check_size(definition: Definition, limits: ArchitectSettings) -> None:
    text = definition.model_dump_json()
    if len(text) > limits.max_definition_characters:
        message = f"The assistant has {len(text)} characters; the limit is {limits.max_definition_characters}."
        raise Refused("invalid_assistant", message)
    check_stored(text)


def _problems(definition: Definition, limits: ArchitectSettings) -> Iterator[str]:
    fields, steps = definition.fields, definition.steps
    if not steps:
        yield "There is no step."
    if len(steps) > limits.max_steps:
        yield f"There are {len(steps)} steps; the limit is {limits.max_steps}."
    if len(fields) > limits.max_fields:
        yield f"There are {len(fields)} fields; the limit is {limits.max_fields}."
    if (seconds := definition.timeout_seconds or 0) > limits.max_timeout_seconds:
        yield f"timeout_seconds is {seconds:g}; the limit is {limits.max_timeout_seconds:g}."
    named = list(_of_names([*(field.name for field in fields), *(step.name for step in steps)]))
    yield from named
    for field in fields:
        yield from field_checks.problems_of(field, limits)
    for step in steps:
        yield from step_checks.problems_of(step, limits)
    graph = [] if named else list(islice(_of_graph(steps), MAX_PROBLEMS + 1))
    yield from graph
    if not named and not graph:
        yield from _of_variables(definition)


def _of_names(names: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if name in RESERVED:
            yield f"The name {name!r} is reserved."
        if names.count(name) > 1:
            yield f"The name {name!r} is there twice: fields and steps share their names."


def _of_graph(steps: Sequence[Step]) -> Iterator[str]:
    names = {step.name for step in steps}
    placed = any(step.position is not None for step in steps)
    for step in steps:
        where = f"Step {step.name!r}"
        if placed and step.position is None and step.depends_on is None:
            yield f"{where}: it has neither a position, as others have, nor depends_on."
        wanted = step.depends_on or ()
        for other in dict.fromkeys(wanted):
            if other == step.name:
                yield f"{where}: it depends on itself."
            elif other not in names:
                yield f"{where}: it depends on {quoted(other)}, and there is no such step."
            if wanted.count(other) > 1:
                yield f"{where}: it depends on {quoted(other)} twice."
    before = {name: [other for other in others if other != name] for name, others in dependencies(steps).items()}
    for ring in cycles(before):
        shown = (*ring, ring[0]) if len(ring) <= MAX_LISTED else (*ring[:MAX_LISTED], "…")
        yield f"Steps wait for each other: {' → '.join(shown)} (each depends on the next)."


def _of_variables(definition: Definition) -> Iterator[str]:
    before = all_before(dependencies(definition.steps))
    fields = {field.name: field.kind for field in definition.fields}
    steps = frozenset(before)
    for step in definition.steps:
        earlier = tuple(other.name for other in definition.steps if other.name in before[step.name])
        yield from step_checks.unknown_in(step, Names(fields, steps, earlier))
