"""Reading and writing whom to tell, and what they want to hear; none of it commits."""

import secrets
from datetime import datetime

from sqlalchemy import case, null
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner, Problem
from services.notifier.models import ContactRow, PreferenceRow

TOKEN_BYTES = 24
"""In the link of every mail: nobody guesses it."""


async def contact(session: AsyncSession, owner: Owner) -> ContactRow | None:
    """Where a user is reached."""
    return await session.get(ContactRow, (owner.tenant, owner.user))


async def preference(session: AsyncSession, owner: Owner, *, lock: bool = False) -> PreferenceRow | None:
    """What a user has said that he wants; None: nothing."""
    return await session.get(PreferenceRow, (owner.tenant, owner.user), with_for_update=lock or None)


async def known(session: AsyncSession, owner: Owner) -> tuple[PreferenceRow | None, ContactRow | None]:
    """What a user wants, and where he is reached."""
    return await preference(session, owner), await contact(session, owner)


async def by_token(session: AsyncSession, token: str) -> ContactRow | None:
    """Who was sent a mail with this token in it."""
    query = select(ContactRow).where(col(ContactRow.unsubscribe_token) == token)
    return (await session.exec(query)).one_or_none()


async def remember(session: AsyncSession, owner: Owner, email: str, name: str | None, seen_at: datetime) -> None:
    """Keep an address, if it is not older than the one that is known. A new one is not refused any more."""
    table = ContactRow.__table__
    query = insert(table).values(
        tenant=owner.tenant,
        user=owner.user,
        email=email,
        name=name,
        unsubscribe_token=secrets.token_urlsafe(TOKEN_BYTES),
        seen_at=seen_at,
    )
    new = query.excluded
    await session.exec(
        query.on_conflict_do_update(
            index_elements=["tenant", "user"],
            set_={
                "email": new.email,
                "name": new.name,
                "seen_at": new.seen_at,
                "refused": case((table.c.email == new.email, table.c.refused), else_=null()),
            },
            where=table.c.seen_at <= new.seen_at,
        )
    )


async def refuse(session: AsyncSession, owner: Owner, email: str, problem: Problem) -> None:
    """Send nothing more to this address, unless the user has another one by now."""
    found = await contact(session, owner)
    if found is not None and found.email == email:
        found.refused = problem.model_dump()


async def changed_preference(session: AsyncSession, owner: Owner) -> PreferenceRow:
    """The row of a user's wishes, locked, to be changed."""
    table = PreferenceRow.__table__
    query = insert(table).values(tenant=owner.tenant, user=owner.user, email=True, webhook=True)
    await session.exec(query.on_conflict_do_nothing())
    found = await preference(session, owner, lock=True)
    assert found is not None  # noqa: S101
    return found
