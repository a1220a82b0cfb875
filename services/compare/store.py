"""Reading and writing the tables of compare; none of it commits.

A run is looked up by its owner; what belongs to one that was found, and what the sweeps look for, is not.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, text
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner
from kit.refusal import Refused
from services.compare.models import Compared, LaneRow, RunRow, VoteRow
from services.compare.plan import Starting
from services.compare.purge_store import DELETE_RUN

UNKNOWN_RUN = "There is no such run."


def _without(*columns: Any) -> list[Any]:
    return [defer(column, raiseload=True) for column in columns]


_RELATIVES_VOTES = """
    WITH RECURSIVE family AS (
        SELECT id, parent_run_id FROM compare.run WHERE id = :run_id
        UNION
        SELECT run.id, run.parent_run_id
        FROM family JOIN compare.run ON run.id = family.parent_run_id OR run.parent_run_id = family.id
        WHERE run.tenant = :tenant AND run."user" = :user
    )
    SELECT EXISTS (
        SELECT FROM compare.vote JOIN family ON vote.run_id IN (family.id, family.parent_run_id)
        WHERE vote.run_id <> :run_id
    )
"""
"""A deleted run is in no family, but its children name it still, and its vote is there."""
_WITHOUT_TEXTS = _without(LaneRow.text, LaneRow.reasoning)
_WITHOUT_TURNS = _without(RunRow.turns)


def _owned(owner: Owner) -> ColumnElement[bool]:
    return and_(col(RunRow.tenant) == owner.tenant, col(RunRow.user) == owner.user)


async def run(
    session: AsyncSession, owner: Owner, run_id: str, *, turns: bool = True, lock: bool = False
) -> RunRow | None:
    """One run of an owner, locked against other messages if asked. What was asked may be long: `turns` can be left."""
    query = select(RunRow).where(col(RunRow.id) == run_id, _owned(owner))
    query = query if turns else query.options(*_WITHOUT_TURNS)
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def owned(session: AsyncSession, owner: Owner, run_id: str, *, turns: bool = True, lock: bool = False) -> RunRow:
    """A run of the owner; somebody else's is refused like one that does not exist."""
    found = await run(session, owner, run_id, turns=turns, lock=lock)
    if found is None:
        raise Refused("unknown_run", UNKNOWN_RUN)
    return found


async def lanes(session: AsyncSession, run_id: str, *, texts: bool = True) -> Sequence[LaneRow]:
    """The lanes of a run, in the order in which they are shown."""
    query = select(LaneRow).where(col(LaneRow.run_id) == run_id).order_by(col(LaneRow.position))
    return (await session.exec(query if texts else query.options(*_WITHOUT_TEXTS))).all()


async def compared(
    session: AsyncSession,
    owner: Owner,
    run_id: str,
    *,
    texts: bool = True,
    turns: bool = True,
    lock: bool = False,
) -> Compared:
    """A comparison of the owner, with its lanes and its vote, or Refused."""
    found = await owned(session, owner, run_id, turns=turns, lock=lock)
    return Compared(found, await lanes(session, run_id, texts=texts), await session.get(VoteRow, run_id))


async def relatives_have_votes(session: AsyncSession, run: RunRow) -> bool:
    """Whether a comparison that this one goes on from, or one that goes on from it, has been voted on."""
    values = {"run_id": run.id, "tenant": run.tenant, "user": run.user}
    return bool((await (await session.connection()).execute(text(_RELATIVES_VOTES), values)).scalar_one())


async def page(session: AsyncSession, owner: Owner, limit: int, before: str | None) -> Sequence[Compared]:
    """Comparisons, newest first, without what was asked and answered."""
    query = select(RunRow).where(_owned(owner)).order_by(col(RunRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(RunRow.id) < before)
    runs = (await session.exec(query.options(*_WITHOUT_TURNS))).all()
    ids = [found.id for found in runs]
    of_runs = select(LaneRow).where(col(LaneRow.run_id).in_(ids)).order_by(col(LaneRow.position))
    by_run: dict[str, list[LaneRow]] = {run_id: [] for run_id in ids}
    for lane in await session.exec(of_runs.options(*_WITHOUT_TEXTS)):
        by_run[lane.run_id].append(lane)
    votes = await session.exec(select(VoteRow).where(col(VoteRow.run_id).in_(ids)))
    voted = {vote.run_id: vote for vote in votes}
    return [Compared(found, by_run[found.id], voted.get(found.id)) for found in runs]


async def earlier(session: AsyncSession, command: Starting) -> Compared | None:
    """The run that this request, or one with its idempotency key, has started before."""
    found = await run(session, command.owner, command.run_id)
    if found is None and command.idempotency_key is not None:
        key = col(RunRow.idempotency_key) == command.idempotency_key
        found = (await session.exec(select(RunRow).where(_owned(command.owner), key))).one_or_none()
    return None if found is None else Compared(found, await lanes(session, found.id))


async def undispatched(session: AsyncSession, before: datetime, limit: int) -> Sequence[Compared]:
    """Runs of all owners that were begun before and may not be on the bus; locked, others' left out."""
    query = (
        select(RunRow)
        .where(col(RunRow.dispatched_at).is_(None), col(RunRow.created_at) < before)
        .order_by(col(RunRow.created_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Compared(found, await lanes(session, found.id)) for found in (await session.exec(query)).all()]


async def going(session: AsyncSession) -> Sequence[tuple[str, str, str, str, dict[str, str] | None]]:
    """Tenant, user, run, lane and trace of every lane that goes on, of all owners."""
    query = (
        select(RunRow.tenant, RunRow.user, RunRow.id, LaneRow.lane, RunRow.trace)  # type: ignore[call-overload]
        .join(LaneRow, col(LaneRow.run_id) == col(RunRow.id))
        .where(col(LaneRow.status) == "running")
    )
    return [tuple(row) for row in (await session.exec(query)).all()]


async def untold(session: AsyncSession, limit: int) -> Sequence[tuple[str, str, str]]:
    """Tenant, user and id of runs that have ended, and it is not known that their log says so; the oldest first."""
    query = (
        select(RunRow.tenant, RunRow.user, RunRow.id)
        .where(col(RunRow.ended_at).is_not(None), col(RunRow.told_at).is_(None))
        .order_by(col(RunRow.ended_at))
        .limit(limit)
    )
    return [(tenant, user, run_id) for tenant, user, run_id in (await session.exec(query)).all()]


async def delete(session: AsyncSession, run_id: str) -> None:
    """Delete a run with its lanes, and order the purge of what the log has of it. Its vote loses its comment."""
    connection = await session.connection()
    await connection.execute(text("UPDATE compare.vote SET comment = NULL WHERE run_id = :run_id"), {"run_id": run_id})
    await connection.execute(text(DELETE_RUN), {"run_id": run_id})


async def untold_votes(session: AsyncSession, limit: int, run_id: str | None = None) -> Sequence[VoteRow]:
    """Votes of all owners, or one of them, whose fact is not known to be told; locked, others' left out."""
    query = select(VoteRow).where(col(VoteRow.told_at).is_(None)).order_by(col(VoteRow.voted_at)).limit(limit)
    if run_id is not None:
        query = query.where(col(VoteRow.run_id) == run_id)
    return (await session.exec(query.with_for_update(skip_locked=True))).all()
