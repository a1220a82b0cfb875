"""What the facts of the other services mean here."""

from datetime import datetime

from contracts.architect_facts import ApprovalRequestedFact, ArchitectRunCreatedFact, ArchitectRunEndedFact
from contracts.chat_facts import RunCreatedFact, RunEndedFact
from contracts.compare_facts import CompareRunCreatedFact, CompareRunEndedFact
from services.notifier.core import Happened, about_approval

ChatFact = RunEndedFact | RunCreatedFact
CompareFact = CompareRunEndedFact | CompareRunCreatedFact
ArchitectFact = ArchitectRunEndedFact | ArchitectRunCreatedFact
RunFact = ChatFact | CompareFact | ArchitectFact
"""Everything under `evt.<service>.run.*`, in one subscription each: a run's beginning is told there as well."""


def of_run(fact: RunFact, at: datetime) -> Happened | None:
    """What has happened; None for a run that has only begun. `at` is when the fact was stored."""
    match fact:
        case RunEndedFact() | CompareRunEndedFact() | ArchitectRunEndedFact():
            return Happened(
                owner=fact.owner,
                run_id=fact.run_id,
                outcome=fact.outcome,
                notify=fact.notify,
                total_ms=fact.total_ms,
                at=at,
            )
        case _:
            return None


def of_approval(fact: ApprovalRequestedFact, at: datetime) -> Happened:
    """A step has begun to wait for somebody."""
    about = about_approval(fact.step)
    return Happened(owner=fact.owner, run_id=fact.run_id, about=about, notify=fact.notify, at=at)
