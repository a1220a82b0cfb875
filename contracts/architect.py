"""Requests to architect about runs; those about assistants are in contracts/architect_assistants.py."""

from typing import Any, ClassVar

from pydantic import Field

from contracts.architect_assistants import ArchitectRequest
from contracts.architect_values import AssistantRun, AssistantRunPage, AssistantRunStarted, NotifyPolicy
from contracts.architect_values import DryRun as DryRun
from contracts.assistant import Definition, Inputs, StepChange
from contracts.chat_values import Deleted, Run, RunPage, StoredRun
from contracts.ids import Id, RunId


class StartAssistantRun(ArchitectRequest):
    """Run an assistant, in the version given or its newest one."""

    VERB: ClassVar[str] = "start_run"
    RESULT: ClassVar[Any] = AssistantRunStarted
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    assistant_id: Id
    version: int | None = None
    inputs: Inputs = Field({}, description="by field")
    notify: NotifyPolicy | None = Field(None, description="none: the user's setting")
    idempotency_key: str | None = Field(None, max_length=255)


class ForkAssistantRun(ArchitectRequest):
    """A new run of one that has ended: `step` and what depends on it anew, the rest as it was.

    Steps that the earlier run did not bring to an end are taken as well. To retry a failed step, change nothing.
    """

    VERB: ClassVar[str] = "fork_run"
    RESULT: ClassVar[Any] = AssistantRunStarted
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    parent_run_id: RunId
    step: str = Field(max_length=64)
    inputs: Inputs = Field({}, description="instead of those of the earlier run, by field")
    changes: dict[str, StepChange] = Field({}, max_length=200, description="by step, of those that are taken anew")
    notify: NotifyPolicy | None = None
    idempotency_key: str | None = Field(None, max_length=255)


class TryAssistant(ArchitectRequest):
    """What a run would ask and cost, of an assistant or of a definition that is not saved. Asks no model."""

    VERB: ClassVar[str] = "dry_run"
    RESULT: ClassVar[Any] = DryRun
    AGAIN: ClassVar[bool] = True
    assistant_id: Id | None = None
    version: int | None = None
    definition: Definition | None = None
    inputs: Inputs = Field({}, description="by field")


class GetAssistantRun(ArchitectRequest):
    """One run with its steps, and their texts so far."""

    VERB: ClassVar[str] = "get_assistant_run"
    RESULT: ClassVar[Any] = AssistantRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ListAssistantRuns(ArchitectRequest):
    """A page of runs, newest first; of one assistant if asked."""

    VERB: ClassVar[str] = "list_assistant_runs"
    RESULT: ClassVar[Any] = AssistantRunPage
    AGAIN: ClassVar[bool] = True
    assistant_id: Id | None = None
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class DeleteAssistantRun(ArchitectRequest):
    """Delete a run. Refused while it is running."""

    VERB: ClassVar[str] = "delete_run"
    RESULT: ClassVar[Any] = Deleted
    run_id: RunId


class DecideApproval(ArchitectRequest):
    """Approve a step that waits for it, or reject it. The same decision again changes nothing, another is refused."""

    VERB: ClassVar[str] = "decide_approval"
    RESULT: ClassVar[Any] = AssistantRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    step: str = Field(max_length=64)
    approved: bool
    comment: str = Field("", max_length=10_000)


class CancelStep(ArchitectRequest):
    """Stop one step; what depends on it follows its policy. Stopping one that has ended changes nothing."""

    VERB: ClassVar[str] = "cancel_step"
    RESULT: ClassVar[Any] = AssistantRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    step: str = Field(max_length=64)


class GetArchitectRun(ArchitectRequest):
    """One run, as every run looks."""

    VERB: ClassVar[str] = "get_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ListArchitectRuns(ArchitectRequest):
    """A page of runs, newest first, as every run looks."""

    VERB: ClassVar[str] = "list_runs"
    RESULT: ClassVar[Any] = RunPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class CancelArchitectRun(ArchitectRequest):
    """Stop a run: every step that goes on, and nothing further begins."""

    VERB: ClassVar[str] = "cancel_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ReplayArchitectRun(ArchitectRequest):
    """What is stored of a run, for watchers that come after its log was purged."""

    VERB: ClassVar[str] = "replay_run"
    RESULT: ClassVar[Any] = StoredRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId
