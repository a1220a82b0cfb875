"""Saying what a run's tables have to say: its events into the lane `run` of its log, and the facts about them.

What is in the log already is told by the id of its newest message, which carries the event's number. The fence is that
message's place: of two replicas that say the same, one does.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from contracts import events
from contracts.architect_facts import (
    ApprovalRequestedFact,
    ArchitectRunCreatedFact,
    ArchitectRunEndedFact,
    ArchitectStepEndedFact,
)
from contracts.ids import RUN_LANE
from contracts.message import Message
from kit.bus.api import EXPECTED_LAST, MESSAGE_ID, WRONG_LAST_SEQUENCE, JetStreamError, last_message, publish_stored
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.db.database import Database
from kit.orchestrate.moments import milliseconds
from services.architect import run_store
from services.architect.models import RunEventRow, RunRow
from services.architect.plan import key_of, owner_of


class Telling:
    """Says what is not known to be said."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus, self._database = bus, database

    async def tell(self, run: RunRow, until: int | None = None) -> None:
        """Say what the tables have and the log may lack, up to a number. Raises TimeoutError, JetStreamError."""
        goal = run.last_n if until is None else until
        if goal <= run.told_n:
            return
        rows = await self._database.run(lambda session: run_store.untold(session, run.id, run.told_n))
        rows = [row for row in rows if row.n <= goal]
        await self._write(run, rows)
        for row in rows:
            fact = fact_of(run, events.decode(row.event.encode()))
            if fact is not None:
                await publish(self._bus, fact)

    async def _write(self, run: RunRow, rows: Sequence[RunEventRow]) -> None:
        number, place = await self._reached(run)
        for row in rows:
            while row.n > number:
                try:
                    place = await self._publish(run, row, place)
                    number = row.n
                except JetStreamError as error:
                    if error.code != WRONG_LAST_SEQUENCE:
                        raise
                    number, place = await self._reached(run)

    async def _publish(self, run: RunRow, row: RunEventRow, place: int) -> int:
        headers = {MESSAGE_ID: f"{run.id}.said.{row.n}", EXPECTED_LAST: str(place)}
        subject = key_of(run).lane(RUN_LANE)
        return await publish_stored(self._bus.client, subject, row.event.encode(), headers=headers)

    async def _reached(self, run: RunRow) -> tuple[int, int]:
        """The number of the newest event in the log, and its place."""
        last = await last_message(self._bus, "RUNS", key_of(run).lane(RUN_LANE))
        return (0, 0) if last is None else (int(last.headers[MESSAGE_ID].rpartition(".")[2]), last.sequence)


def fact_of(run: RunRow, event: events.Event | None) -> Message | None:
    """What everybody is told of an event; None if nothing."""
    about: dict[str, Any] = {"owner": owner_of(run), "run_id": run.id}
    match event:
        case events.RunCreated():
            return ArchitectRunCreatedFact(
                **about,
                assistant_id=run.assistant_id,
                assistant_version=run.assistant_version,
                steps=len(event.steps),
                parent_run_id=run.parent_run_id,
            )
        case events.ApprovalRequested():
            return ApprovalRequestedFact.model_validate({**about, "step": event.step, "notify": run.notify})
        case events.StepCompleted() | events.StepFailed() if event.source is not None:
            return None
        case events.StepCompleted() | events.StepFailed() | events.StepSkipped() | events.StepCancelled():
            outcome: Any = events.type_of(event).removeprefix("step.")
            return ArchitectStepEndedFact(
                **about,
                outcome=outcome,
                step=event.step,
                attempts=getattr(event, "attempt", 0),
                error_code=event.error.code if isinstance(event, events.StepFailed) else None,
            )
        case events.RunCompleted() | events.RunFailed() | events.RunCancelled():
            return _ended(run, event, about)
        case _:
            return None


def _ended(run: RunRow, event: events.RunEnding, about: dict[str, Any]) -> Message:
    counts = Counter(step.outcome for step in event.steps)
    return ArchitectRunEndedFact.model_validate(
        {
            **about,
            "outcome": run.status,
            "assistant_id": run.assistant_id,
            "assistant_version": run.assistant_version,
            **counts,
            "total_ms": max(0, event.at - milliseconds(run.created_at)),
            "cost_usd": event.cost_usd,
            "error_code": event.error.code if isinstance(event, events.RunFailed) else None,
            "notify": run.notify,
        }
    )
