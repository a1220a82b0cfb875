"""What architect tells of assistants, their runs and the files given to them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from contracts.assistant import Definition, OnError, Status
from contracts.chat_values import RunStatus
from contracts.content import Turn
from contracts.generation import TokenUsage
from contracts.ids import Id, RunId
from contracts.message import Problem, Value
from contracts.notify import NotifyPolicy as NotifyPolicy

StepStatus = Literal[
    "waiting", "approval", "ready", "running", "retrying", "completed", "failed", "skipped", "cancelled"
]
"""`waiting`: for steps before it; `approval`: for somebody to approve it; `ready`: about to begin."""


class Assistant(Value):
    """An assistant, in one of its versions."""

    id: Id
    name: str
    description: str = ""
    status: Status
    version: int = Field(description="of this definition")
    latest_version: int
    mine: bool = Field(description="whether who asks may change it")
    definition: Definition | None = Field(None, description="absent in lists")
    copied_from: Id | None = None
    created_at: datetime
    updated_at: datetime


class AssistantPage(Value):
    """Newest first; without definitions."""

    items: tuple[Assistant, ...]
    next: str | None = Field(None, description="pass it as `before` for the next page")


class AssistantVersion(Value):
    """One entry of an assistant's history."""

    version: int
    steps: int
    note: str = ""
    created_at: datetime


class AssistantVersions(Value):
    """The history of an assistant, newest first."""

    items: tuple[AssistantVersion, ...]


class ImportedAssistant(Value):
    """An assistant that came from a file, and what of the file could not be taken over."""

    assistant: Assistant
    warnings: tuple[str, ...] = ()


class ImportedAssistants(Value):
    """All assistants of a file."""

    items: tuple[ImportedAssistant, ...]


class ExportedAssistant(Value):
    """An assistant as a file; POST …/import takes it."""

    document: dict[str, Any]


class ExampleAssistant(Value):
    """One assistant of the library that comes with the product."""

    name: str
    title: str
    description: str
    definition: Definition


class ExampleAssistants(Value):
    """The library."""

    items: tuple[ExampleAssistant, ...]


class GivenFile(Value):
    """A file that was given for a run, as text."""

    id: Id
    name: str
    media_type: str
    bytes: int
    characters: int = Field(description="of the text that was found in it")
    text: str | None = Field(None, description="absent where many are told")
    created_at: datetime


class StepOrigin(Value):
    """The step of an earlier run that is shown again."""

    run_id: RunId
    step: str


class Decision(Value):
    """What somebody said to a step that waited for approval."""

    approved: bool
    by: str | None = Field(None, description="the user; none: nobody did in time")
    comment: str = ""
    decided_at: datetime


class RunStep(Value):
    """One step of a run."""

    step: str
    title: str
    status: StepStatus
    depends_on: tuple[str, ...] = ()
    model: str = Field(description="that answered, or is asked")
    provider: str | None = None
    attempts: int = 0
    generation: str | None = Field(None, description="the lane of its answer in the log")
    turns: tuple[Turn, ...] = Field((), description="what the model was asked")
    output: str | None = Field(None, description="the answer so far, or what was kept of it")
    reasoning: str | None = None
    finish_reason: str | None = None
    reason: str | None = Field(None, description="why it was skipped")
    error: Problem | None = None
    on_error: OnError = "stop"
    instructions: str | None = Field(None, description="of a step that somebody has to approve")
    decision: Decision | None = None
    usage: TokenUsage | None = None
    cost_usd: str | None = Field(None, description="of all its attempts")
    queued_ms: int | None = None
    first_token_ms: int | None = None
    total_ms: int | None = None
    next_attempt_at: datetime | None = None
    origin: StepOrigin | None = Field(None, description="set if an earlier run generated it")
    started_at: datetime | None = None
    ended_at: datetime | None = None


class AssistantRun(Value):
    """A run of an assistant as its owner sees it."""

    id: RunId
    assistant_id: Id
    assistant_version: int
    name: str
    status: RunStatus
    done: int = Field(description="steps that have ended")
    total: int
    running: tuple[str, ...] = Field((), description="steps that are being answered")
    waiting_for_approval: tuple[str, ...] = ()
    inputs: dict[str, Any] = Field({}, description="of files what they are, without their text")
    steps: tuple[RunStep, ...] = Field((), description="absent in lists")
    outputs: dict[str, str] = Field({}, description="by step, of those that no other that was wanted depends on")
    notify: NotifyPolicy | None = None
    parent_run_id: RunId | None = None
    error: Problem | None = None
    usage: TokenUsage | None = None
    cost_usd: str | None = None
    created_at: datetime
    ended_at: datetime | None = None


class AssistantRunPage(Value):
    """Newest first; without steps."""

    items: tuple[AssistantRun, ...]
    next: str | None = Field(None, description="pass it as `before` for the next page")


class AssistantRunStarted(Value):
    """The run that was started, or had been started when it was asked for before."""

    run_id: RunId
    replayed: bool = Field(False, description="an earlier request with the same idempotency key started it")


class DryStep(Value):
    """What a step would ask, and what that might cost."""

    step: str
    title: str
    model: str
    turns: tuple[Turn, ...] = Field(description="with `⟨output of …⟩` where a step before it would have answered")
    input_tokens: int = Field(description="estimated from the texts")
    output_tokens: int = Field(description="assumed: the parameters' max_tokens, or a setting")
    cost_usd: str | None = Field(None, description="none: nobody knows the model's price")
    problem: Problem | None = Field(None, description="why it would fail")


class DryRun(Value):
    """What a run would do. No model was asked."""

    steps: tuple[DryStep, ...]
    input_tokens: int
    output_tokens: int
    cost_usd: str | None = Field(None, description="none: the price of a model is not known")
