"""What an assistant is made of: its input fields and its steps."""

from typing import Any, Literal

from pydantic import Field

from contracts.generation import Parameters, Timeouts
from contracts.message import Value

FieldKind = Literal["short_text", "long_text", "select", "multi_select", "file"]
OnError = Literal["stop", "skip", "continue"]
Status = Literal["draft", "published"]

NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
"""Of a field or a step, as variables use it: no dot, so that a dotted path can be told apart."""


class Choice(Value):
    """One of the values that may be chosen."""

    value: str = Field(max_length=1_000, description="what a prompt gets")
    label: str | None = Field(None, max_length=200, description="what people see; none: the value")


class InputField(Value):
    """Something that is asked before a run. Bounds that do not belong to its kind are refused."""

    name: str = Field(pattern=NAME, description="its variable: `${name}` or `{{name}}`")
    kind: FieldKind
    label: str = Field("", max_length=200, description="empty: the name")
    description: str = Field("", max_length=2_000)
    placeholder: str = Field("", max_length=1_000)
    required: bool = True
    default: str | tuple[str, ...] | None = Field(None, description="where nothing is given; not of files")
    min_length: int | None = Field(None, ge=0, description="characters of a text")
    max_length: int | None = Field(None, ge=1, description="characters of a text")
    choices: tuple[Choice, ...] = Field((), max_length=500, description="of a select")
    min_selections: int | None = Field(None, ge=0, description="of a multi-select")
    max_selections: int | None = Field(None, ge=1, description="of a multi-select")
    accept: tuple[str, ...] = Field((), max_length=50, description="media types, or endings like `.pdf`, of a file")
    max_files: int | None = Field(None, ge=1, description="none: one")


class Approval(Value):
    """Somebody has to approve a step before it begins."""

    instructions: str = Field("", max_length=10_000, description="what is to be looked at")
    timeout_seconds: float | None = Field(None, gt=0, description="then it is rejected; none: it waits for ever")


class Step(Value):
    """One question to one model. Its output is the text of the answer: `${step.output}`."""

    name: str = Field(pattern=NAME)
    title: str = Field("", max_length=200, description="what people see; empty: the name")
    prompt: str = Field(min_length=1)
    system: str = Field("", description="the system prompt, with variables as well")
    model: str = Field(min_length=1, max_length=256)
    fallbacks: tuple[str, ...] = Field((), max_length=8)
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    timeout_seconds: float | None = Field(None, gt=0, description="of one attempt, waiting for a worker included")
    retries: int = Field(1, ge=0, le=10, description="further attempts after one that failed")
    depends_on: tuple[str, ...] | None = Field(
        None, max_length=200, description="steps that come before; none: those of the position before"
    )
    position: int | None = Field(None, ge=0, description="steps of the same one run side by side; none: the list's")
    on_error: OnError = Field(
        "stop",
        description="stop: the run fails; skip: what depends on this step is skipped; continue: it gets what there is",
    )
    condition: str | None = Field(None, max_length=2_000, description="an expression; false: the step is skipped")
    approval: Approval | None = None
    history: bool = Field(
        False, description="the questions and answers of all steps that it depends on, also indirectly, come first"
    )
    inputs: dict[str, str] = Field(
        {}, max_length=50, description="further variables of this step: a name, and the path it stands for"
    )


class Definition(Value):
    """What a version of an assistant does."""

    fields: tuple[InputField, ...] = Field((), max_length=200)
    steps: tuple[Step, ...] = Field(max_length=200)
    timeout_seconds: float | None = Field(None, gt=0, description="of a whole run; none: it may take days")


class StepChange(Value):
    """What is otherwise in a run that is forked; what is absent stays."""

    prompt: str | None = Field(None, min_length=1)
    system: str | None = None
    model: str | None = Field(None, min_length=1, max_length=256)
    fallbacks: tuple[str, ...] | None = Field(None, max_length=8)
    parameters: Parameters | None = None
    timeouts: Timeouts | None = None
    timeout_seconds: float | None = Field(None, gt=0)
    retries: int | None = Field(None, ge=0, le=10)


Inputs = dict[str, Any]
"""By field: a text, a list of texts for a multi-select; for a file its id, or a list of them."""
