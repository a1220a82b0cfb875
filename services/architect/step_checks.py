"""What is wrong with one step of an assistant, its place among the others aside: values in, sentences out."""

import re
from collections.abc import Iterator, Mapping

from contracts.assistant import NAME, Step
from kit.orchestrate.wording import check_parameters
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import expression
from services.architect.names import Names
from services.architect.problems import quoted
from services.architect.variables import RESERVED, paths


def problems_of(step: Step, limits: ArchitectSettings) -> Iterator[str]:
    """What is wrong with a step whatever the others are."""
    where = f"Step {step.name!r}"
    for what, text in (("prompt", step.prompt), ("system", step.system)):
        if len(text) > limits.max_prompt_characters:
            yield f"{where}: its {what} has {len(text)} characters; the limit is {limits.max_prompt_characters}."
        elif (count := len(paths(text))) > limits.max_variables:
            yield f"{where}: its {what} has {count} variables; the limit is {limits.max_variables}."
    if not step.prompt.strip():
        yield f"{where}: its prompt is empty."
    yield from _of_times(step, where, limits)
    models = [step.model, *step.fallbacks]
    if twice := sorted({model for model in models if models.count(model) > 1}):
        yield f"{where}: the model {twice[0]!r} is there twice."
    if step.parameters.tools or step.parameters.tool_choice is not None:
        yield f"{where}: steps have no tools."
    try:
        check_parameters(step.parameters, limits.max_parameters_characters)
    except Refused as refusal:
        yield f"{where}: {refusal.problem.message}"
    for name in step.inputs:
        if not re.fullmatch(NAME, name) or name in RESERVED:
            yield f"{where}: {quoted(name)} cannot be the name of a variable."


def _of_times(step: Step, where: str, limits: ArchitectSettings) -> Iterator[str]:
    times = {"timeout_seconds": step.timeout_seconds, **dict(step.timeouts)}
    if step.approval is not None:
        times["approval.timeout_seconds"] = step.approval.timeout_seconds
    for name, seconds in times.items():
        if seconds is not None and seconds > limits.max_timeout_seconds:
            yield f"{where}: {name} is {seconds:g}; the limit is {limits.max_timeout_seconds:g}."


def unknown_in(step: Step, names: Names) -> Iterator[str]:
    """The variables of a step that lead nowhere, or to a step that does not come before; and what is no condition."""
    where = f"Step {step.name!r}"
    for name, path in step.inputs.items():
        if problem := names.problem_of(path, {}):
            yield f"{where}: the variable {quoted(name)}: {problem}"
    for what, text in (("prompt", step.prompt), ("system", step.system)):
        for written, path in {found.written: found.path for found in paths(text)}.items():
            if problem := _of(path, step.inputs, names):
                yield f"{where}: {written} in its {what}: {problem}"
    if step.condition is not None:
        yield from (f"{where}: {problem}" for problem in _of_condition(step.condition, step.inputs, names))


def _of(path: str, mapped: Mapping[str, str], names: Names) -> str | None:
    return None if path in mapped else names.problem_of(path, mapped)  # a wrong mapping is told of once


def _of_condition(condition: str, mapped: Mapping[str, str], names: Names) -> Iterator[str]:
    try:
        tree = expression.parsed(condition)
    except ValueError as error:
        yield str(error)
        return
    for path in dict.fromkeys(expression.paths(tree)):
        if problem := _of(path, mapped, names):
            yield f"`{path}` in its condition: {problem}"
