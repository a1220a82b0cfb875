"""What compare tells everybody on the bus. Names are not hidden here: facts are for analysts, not for voters."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts import subjects
from contracts.compare_values import Outcome
from contracts.ids import Id, RunId
from contracts.message import Message, Owner
from contracts.notify import NotifyPolicy


class CompareRunCreatedFact(Message):
    """A comparison was accepted."""

    SUBJECT: ClassVar[str] = subjects.COMPARE_RUN_CREATED
    owner: Owner
    run_id: RunId
    parent_run_id: RunId | None = None
    blind: bool = False
    lanes: int

    def message_id(self) -> str:
        """Once per run."""
        return f"created.{self.run_id}"


class CompareRunEndedFact(Message):
    """A comparison ended and its answers are stored. How each lane did is in the facts about its generation."""

    SUBJECT: ClassVar[str] = subjects.COMPARE_RUN_ENDED
    outcome: Literal["completed", "failed", "cancelled"]
    owner: Owner
    run_id: RunId
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    error_code: str | None = None
    total_ms: int | None = Field(None, description="from its acceptance; none in facts of before it was told")
    notify: NotifyPolicy | None = Field(None, description="what its owner wants the notifier to do; none: the setting")

    def message_id(self) -> str:
        """Once per run."""
        return f"run-ended.{self.run_id}"


class ComparisonVotedFact(Message):
    """The owner of a comparison voted. The comment stays in the comparison."""

    SUBJECT: ClassVar[str] = subjects.COMPARISON_VOTED
    owner: Owner
    run_id: RunId
    blind: bool = False
    verdict: Outcome
    winner: Id | None = None

    def message_id(self) -> str:
        """Once per comparison."""
        return f"voted.{self.run_id}"


class ComparisonDeletedFact(Message):
    """A comparison was deleted."""

    SUBJECT: ClassVar[str] = subjects.COMPARISON_DELETED
    owner: Owner
    run_id: RunId

    def message_id(self) -> str:
        """Once per comparison."""
        return f"comparison-deleted.{self.run_id}"
