"""Reading and writing the tables of runs; none of it commits.

A run is looked up by its owner; what belongs to one that was found, and what the sweeps look for, is not.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.message import Owner
from kit.db.statement import Statement
from kit.refusal import Refused
from services.architect.models import Planned, RunEventRow, RunRow, StepRow
from services.architect.purge_store import DELETE_RUN

UNKNOWN_RUN = "There is no such run."


SETTLED = Statement("""
    WITH settled AS (
        UPDATE architect.run SET owed_since = NULL, told_n = :told_n, dispatched_at = coalesce(dispatched_at, now()),
                                 told_at = CASE WHEN ended_at IS NOT NULL THEN now() END
        WHERE id = :id AND changes = :changes AND owed_since IS NOT NULL
        RETURNING id
    )
    UPDATE architect.step SET sent_at = coalesce(sent_at, now()), timer_at = due_at
    FROM settled WHERE step.run_id = settled.id AND step.status <> 'waiting'
      AND (sent_at IS NULL OR timer_at IS DISTINCT FROM due_at)
""")
"""All that was owed is on the bus, unless the run has changed meanwhile."""


KEPT_AT = Statement("""
    UPDATE architect.step
    SET attempts = jsonb_build_array(
        jsonb_build_object('lane', CAST(:lane AS text), 'sequence', CAST(:sequence AS bigint))
    )
    WHERE run_id = :run_id AND step = :step
""")
"""Where the ending of a generation is that is shown again."""


def _without(*columns: Any) -> list[Any]:
    return [defer(column, raiseload=True) for column in columns]


_WITHOUT_INPUTS = _without(RunRow.inputs, RunRow.fields)
_WITHOUT_TEXTS = _without(StepRow.text, StepRow.reasoning, StepRow.request)


def owned_by(owner: Owner) -> ColumnElement[bool]:
    """The condition that a run is an owner's."""
    return and_(col(RunRow.tenant) == owner.tenant, col(RunRow.user) == owner.user)


async def run(
    session: AsyncSession, owner: Owner, run_id: str, *, inputs: bool = False, lock: bool = False
) -> RunRow | None:
    """One run of an owner, locked against other messages if asked. What was put in may be long and can be left."""
    query = select(RunRow).where(col(RunRow.id) == run_id, owned_by(owner))
    query = query if inputs else query.options(*_WITHOUT_INPUTS)
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def steps(session: AsyncSession, run_id: str, *, texts: bool = False) -> Sequence[StepRow]:
    """The steps of a run, in the order of the plan."""
    query = select(StepRow).where(col(StepRow.run_id) == run_id).order_by(col(StepRow.position))
    return (await session.exec(query if texts else query.options(*_WITHOUT_TEXTS))).all()


async def planned(
    session: AsyncSession, owner: Owner, run_id: str, *, texts: bool = False, inputs: bool = False, lock: bool = False
) -> Planned:
    """A run of the owner with its steps; somebody else's is refused like one that does not exist."""
    found = await run(session, owner, run_id, inputs=inputs, lock=lock)
    if found is None:
        raise Refused("unknown_run", UNKNOWN_RUN)
    return Planned(found, await steps(session, run_id, texts=texts))


async def earlier(session: AsyncSession, owner: Owner, run_id: str, key: str | None) -> RunRow | None:
    """The run that this request, or one with its idempotency key, has started before."""
    found = await run(session, owner, run_id)
    if found is None and key is not None:
        query = select(RunRow).where(owned_by(owner), col(RunRow.idempotency_key) == key)
        found = (await session.exec(query.options(*_WITHOUT_INPUTS))).one_or_none()
    return found


async def page(
    session: AsyncSession, owner: Owner, limit: int, before: str | None, assistant_id: str | None = None
) -> Sequence[Planned]:
    """Runs, newest first, without what was put in and answered."""
    query = select(RunRow).where(owned_by(owner)).order_by(col(RunRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(RunRow.id) < before)
    if assistant_id is not None:
        query = query.where(col(RunRow.assistant_id) == assistant_id)
    runs = (await session.exec(query.options(*_WITHOUT_INPUTS))).all()
    of_runs = select(StepRow).where(col(StepRow.run_id).in_([found.id for found in runs]))
    by_run: dict[str, list[StepRow]] = {found.id: [] for found in runs}
    for step in await session.exec(of_runs.order_by(col(StepRow.position)).options(*_WITHOUT_TEXTS)):
        by_run[step.run_id].append(step)
    return [Planned(found, by_run[found.id]) for found in runs]


def tell(session: AsyncSession, run: RunRow, told: Sequence[events.Event]) -> None:
    """Have the log of a run say something, after everything that it was to say before."""
    for event in told:
        run.last_n += 1
        session.add(RunEventRow(run_id=run.id, n=run.last_n, event=events.encode(event).decode()))


async def untold(session: AsyncSession, run_id: str, after: int) -> Sequence[RunEventRow]:
    """What the log of a run is to say, after the first so many events."""
    query = select(RunEventRow).where(col(RunEventRow.run_id) == run_id, col(RunEventRow.n) > after)
    return (await session.exec(query.order_by(col(RunEventRow.n)))).all()


async def outputs(session: AsyncSession, run_id: str) -> dict[str, tuple[str | None, dict[str, Any] | None]]:
    """The text of each step that has ended, and the last thing that its model was asked."""
    query = select(StepRow.step, StepRow.text, literal_column("step.request->'messages'->-1", JSONB))
    query = query.where(col(StepRow.run_id) == run_id, col(StepRow.ended_at).is_not(None))
    return {step: (said, asked) for step, said, asked in (await session.exec(query)).all()}


async def request(session: AsyncSession, run_id: str, step: str) -> dict[str, Any] | None:
    """The order to inference of a step's newest attempt."""
    query = select(StepRow.request).where(col(StepRow.run_id) == run_id, col(StepRow.step) == step)
    found = (await session.exec(query)).one_or_none()
    return None if found is None else dict(found)


Place = tuple[str, str, str]
"""Tenant, user and id of a run."""


async def owed(session: AsyncSession, before: datetime, limit: int) -> Sequence[Place]:
    """Runs of all owners that changed before, and what follows from it may not be on the bus."""
    query = (
        select(RunRow.tenant, RunRow.user, RunRow.id)
        .where(col(RunRow.owed_since) < before)
        .order_by(col(RunRow.owed_since))
        .limit(limit)
    )
    return [(tenant, user, run_id) for tenant, user, run_id in (await session.exec(query)).all()]


async def overdue(session: AsyncSession, before: datetime, limit: int) -> Sequence[tuple[Place, StepRow | None]]:
    """What should have happened by itself before and has not: of steps, and of runs as a whole."""
    of_steps = (
        select(RunRow.tenant, RunRow.user, StepRow)
        .join(StepRow, col(StepRow.run_id) == col(RunRow.id))
        .where(col(StepRow.due_at) < before)
        .order_by(col(StepRow.due_at))
        .limit(limit)
        .options(*_WITHOUT_TEXTS)
    )
    of_runs = select(RunRow.tenant, RunRow.user, RunRow.id).where(col(RunRow.due_at) < before).limit(limit)
    late = [((tenant, user, step.run_id), step) for tenant, user, step in (await session.exec(of_steps)).all()]
    return [*late, *(((tenant, user, run_id), None) for tenant, user, run_id in (await session.exec(of_runs)).all())]


async def not_begun(session: AsyncSession, before: datetime, limit: int) -> Sequence[tuple[Place, str, int]]:
    """Steps that are ready since before; run, name and turn."""
    query = (
        select(RunRow.tenant, RunRow.user, RunRow.id, StepRow.step, StepRow.turn)  # type: ignore[call-overload]
        .join(StepRow, col(StepRow.run_id) == col(RunRow.id))
        .where(col(StepRow.status) == "ready", col(StepRow.sent_at) < before)
        .limit(limit)
    )
    found = (await session.exec(query)).all()
    return [((tenant, user, run_id), step, turn) for tenant, user, run_id, step, turn in found]


async def going(session: AsyncSession) -> Sequence[tuple[str, str, str, str, dict[str, str] | None]]:
    """Tenant, user, run, lane and trace of every step that is being answered, of all owners."""
    query = (
        select(RunRow.tenant, RunRow.user, RunRow.id, StepRow.lane, RunRow.trace)  # type: ignore[call-overload]
        .join(StepRow, col(StepRow.run_id) == col(RunRow.id))
        .where(col(StepRow.status) == "running")
    )
    return [tuple(row) for row in (await session.exec(query)).all()]


async def delete(session: AsyncSession, run_id: str) -> None:
    """Delete a run with its steps, and order the purge of what the log has of it."""
    await (await session.connection()).execute(text(DELETE_RUN), {"run_id": run_id})
