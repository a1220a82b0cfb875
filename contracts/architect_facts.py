"""What architect tells everybody on the bus. Facts carry no texts."""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from contracts import subjects
from contracts.ids import Id, RunId
from contracts.message import Message, Owner
from contracts.notify import NotifyPolicy


class AssistantSavedFact(Message):
    """An assistant was made or changed. What two changes made within moments may be told once, as it is then."""

    SUBJECT: ClassVar[str] = subjects.ASSISTANT_SAVED
    owner: Owner
    assistant_id: Id
    version: int
    status: Literal["draft", "published"]
    steps: int
    revision: int = Field(1, description="grows with every change; a fact with a lower one is older")

    def message_id(self) -> str:
        """Once per change; publishing, withdrawing and publishing again are three."""
        return f"assistant-saved.{self.assistant_id}.{self.revision}"


class AssistantDeletedFact(Message):
    """An assistant was deleted."""

    SUBJECT: ClassVar[str] = subjects.ASSISTANT_DELETED
    owner: Owner
    assistant_id: Id

    def message_id(self) -> str:
        """Once per assistant."""
        return f"assistant-deleted.{self.assistant_id}"


class ArchitectRunCreatedFact(Message):
    """A run of an assistant was accepted."""

    SUBJECT: ClassVar[str] = subjects.ARCHITECT_RUN_CREATED
    owner: Owner
    run_id: RunId
    assistant_id: Id
    assistant_version: int
    steps: int
    parent_run_id: RunId | None = None

    def message_id(self) -> str:
        """Once per run."""
        return f"created.{self.run_id}"


class ArchitectStepEndedFact(Message):
    """A step of a run ended. Steps that a run shows again are not told of."""

    SUBJECT: ClassVar[str] = subjects.ARCHITECT_STEP_ENDED
    outcome: Literal["completed", "failed", "skipped", "cancelled"]
    owner: Owner
    run_id: RunId
    step: Id
    attempts: int = 0
    model: str | None = None
    error_code: str | None = None

    def message_id(self) -> str:
        """Once per step."""
        return f"step-ended.{self.run_id}.{self.step}"


class ApprovalRequestedFact(Message):
    """A step waits until somebody approves it. `notify`: what the run's owner wants the notifier to do."""

    SUBJECT: ClassVar[str] = subjects.APPROVAL_REQUESTED
    owner: Owner
    run_id: RunId
    step: Id
    notify: NotifyPolicy | None = None

    def message_id(self) -> str:
        """Once per step."""
        return f"approval.{self.run_id}.{self.step}"


class ArchitectRunEndedFact(Message):
    """A run of an assistant ended and its outputs are stored. `notify`: what its owner wants the notifier to do."""

    SUBJECT: ClassVar[str] = subjects.ARCHITECT_RUN_ENDED
    outcome: Literal["completed", "failed", "cancelled"]
    owner: Owner
    run_id: RunId
    assistant_id: Id
    assistant_version: int
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    total_ms: int
    cost_usd: Decimal | None = None
    error_code: str | None = None
    notify: NotifyPolicy | None = None

    def message_id(self) -> str:
        """Once per run."""
        return f"run-ended.{self.run_id}"
