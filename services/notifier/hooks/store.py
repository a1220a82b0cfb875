"""Reading and writing webhooks. A webhook is looked up by its owner; what became of a call is noted by its id."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner, Problem
from kit.db.database import Database
from kit.refusal import Refused
from services.notifier.models import WebhookRow

UNKNOWN_WEBHOOK = "There is no such webhook."


def _owned(owner: Owner) -> ColumnElement[bool]:
    return and_(col(WebhookRow.tenant) == owner.tenant, col(WebhookRow.user) == owner.user)


async def enabled(database: Database, owner: Owner) -> Sequence[WebhookRow]:
    """The webhooks of a user that are to be called, oldest first."""
    query = select(WebhookRow).where(_owned(owner), col(WebhookRow.enabled))
    query = query.order_by(col(WebhookRow.created_at), col(WebhookRow.id))

    async def work(session: AsyncSession) -> Sequence[WebhookRow]:
        return (await session.exec(query)).all()

    return await database.run(work)


async def found(database: Database, owner: Owner, webhook_id: str) -> WebhookRow | None:
    """A webhook of the owner, enabled or not."""
    return await database.run(lambda session: own(session, owner, webhook_id))


async def note(database: Database, webhook_id: str, problem: Problem | None) -> None:
    """Remember what became of the last call. A webhook that has been deleted meanwhile stays so."""
    await _change(database, webhook_id, problem=problem and problem.model_dump())


async def disable(database: Database, webhook_id: str, problem: Problem) -> None:
    """Call a webhook no more until its owner says so, and remember why."""
    await _change(database, webhook_id, problem=problem.model_dump(), enabled=False)


async def _change(database: Database, webhook_id: str, **values: object) -> None:
    async def work(session: AsyncSession) -> None:
        await session.exec(update(WebhookRow).where(col(WebhookRow.id) == webhook_id).values(**values))

    await database.run(work)


async def own(session: AsyncSession, owner: Owner, webhook_id: str, *, lock: bool = False) -> WebhookRow | None:
    """A webhook of the owner, locked against other messages if asked."""
    query = select(WebhookRow).where(col(WebhookRow.id) == webhook_id, _owned(owner))
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def owned(session: AsyncSession, owner: Owner, webhook_id: str) -> WebhookRow:
    """A webhook of the owner, locked; somebody else's is refused like one that does not exist."""
    row = await own(session, owner, webhook_id, lock=True)
    if row is None:
        raise Refused("unknown_webhook", UNKNOWN_WEBHOOK)
    return row


async def all_of(session: AsyncSession, owner: Owner) -> Sequence[WebhookRow]:
    """All webhooks of a user, newest first."""
    query = select(WebhookRow).where(_owned(owner)).order_by(col(WebhookRow.created_at).desc(), col(WebhookRow.id))
    return (await session.exec(query)).all()


async def one_at_a_time(session: AsyncSession, owner: Owner) -> None:
    """Let nobody else add a webhook for this user until the transaction ends: rows that are not there have no lock."""
    name = hashlib.sha256(f"webhooks {owner.tenant} {owner.user}".encode()).digest()
    await session.exec(select(func.pg_advisory_xact_lock(int.from_bytes(name[:8], "big", signed=True))))
