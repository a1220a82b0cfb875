"""What a notification says, before it is written as an e-mail or as a webhook's body."""

from datetime import datetime
from typing import Literal

from contracts.ids import RunId
from contracts.message import Problem, Value
from contracts.notify import Occasion

Kind = Literal["chat", "compare", "architect"]
Outcome = Literal["completed", "failed", "cancelled"]


class Answer(Value):
    """One text that a run brought. `label` says whose it is, where there are several: a model, a lane, a step."""

    text: str
    label: str = ""
    model: str | None = None
    outcome: Outcome = "completed"
    error: Problem | None = None


class StepLine(Value):
    """One line of the table of an assistant's steps."""

    title: str
    status: str
    model: str | None = None
    duration_ms: int | None = None
    cost_usd: str | None = None
    error: Problem | None = None


class Content(Value):
    """Everything that is known of what happened; texts are whole, and cut where they are written.

    `title` is the conversation's, the comparison's or the assistant's. Of an approval, `step` and `instructions` say
    what waits. In a blind comparison nothing here names a model.
    """

    run_id: RunId
    kind: Kind
    occasion: Occasion
    outcome: Outcome | None = None
    title: str = ""
    answers: tuple[Answer, ...] = ()
    steps: tuple[StepLine, ...] = ()
    step: str | None = None
    instructions: str | None = None
    error: Problem | None = None
    model: str | None = None
    duration_ms: int | None = None
    cost_usd: str | None = None
    conversation_id: str | None = None
    assistant_id: str | None = None
    happened_at: datetime
