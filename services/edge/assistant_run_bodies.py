"""The JSON bodies about the runs of assistants."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.architect_values import NotifyPolicy
from contracts.assistant import Inputs, StepChange
from services.edge.assistant_bodies import A_DEFINITION, GivenDefinition
from services.edge.bodies import NOTIFY, Body, GivenParameters, GivenTimeouts, example

MAX_STEPS = 200
"""In a body. How many an assistant may have is a setting of architect's."""

_INPUTS = "by field: a text; a list of texts for a multi-select; for a file its id, or a list of ids"


class NewAssistantRun(Body):
    """What an assistant is given."""

    model_config = example(inputs={"topic": "rivers"})

    inputs: Inputs = Field({}, description=_INPUTS)
    version: int | None = Field(None, ge=1, description="absent: the newest")
    notify: NotifyPolicy | None = Field(None, description=NOTIFY)


class NewDryRun(Body):
    """What a run would be given."""

    model_config = example(inputs={"topic": "rivers"})

    inputs: Inputs = Field({}, description=_INPUTS)
    version: int | None = Field(None, ge=1, description="absent: the newest")


class NewTrial(Body):
    """A definition that is not saved, and what a run of it would be given."""

    model_config = example(definition=A_DEFINITION, inputs={"topic": "rivers"})

    definition: GivenDefinition
    inputs: Inputs = Field({}, description=_INPUTS)


class GivenChange(StepChange):
    """What of a step is otherwise in a run that is forked; what is absent stays."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    parameters: GivenParameters | None = None
    timeouts: GivenTimeouts | None = None


class NewRunFork(Body):
    """From which step on a run is taken anew, and with what."""

    model_config = example(**{"from": "title", "steps": {"title": {"model": "demo-thinker"}}})

    step: str = Field(alias="from", description="this step and all that depends on it are taken anew")
    inputs: Inputs = Field({}, description="instead of those of the earlier run, by field")
    steps: dict[str, GivenChange] = Field(
        {}, max_length=MAX_STEPS, description="changes, by step, of those that are taken anew"
    )
    notify: NotifyPolicy | None = Field(None, description=NOTIFY)


class NewDecision(Body):
    """What you say to a step that waits for approval."""

    model_config = example(decision="approve", comment="Go on.")

    decision: Literal["approve", "reject"]
    comment: str = Field("", max_length=10_000)


class AssistantRunAccepted(BaseModel):
    """A run has begun; follow it at `events_url`, or ask for its steps at `steps_url`."""

    run_id: str
    events_url: str
    steps_url: str


def accepted(started: Any, events_url: str) -> AssistantRunAccepted:
    """The body of 202."""
    return AssistantRunAccepted(
        run_id=started.run_id, events_url=events_url, steps_url=f"/v1/runs/{started.run_id}/steps"
    )
