"""Reading and writing assistants and their versions; none of it commits.

A draft is its owner's alone; a published assistant may be seen by everybody of its tenant, and changed by its owner.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, tuple_
from sqlalchemy.orm import defer
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_assistants import ListAssistants
from contracts.message import Owner
from kit.refusal import Refused
from services.architect.assistant_models import AssistantRow, DeletionRow, VersionRow

UNKNOWN_ASSISTANT = "There is no such assistant."
UNKNOWN_VERSION = "There is no such version of this assistant."
NOT_YOURS = "This assistant is somebody else's: only its owner may do this. You can copy it."
MAX_VERSION = 2**31 - 1
"""As far as the column counts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MARK = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9_-]{1,64})")


def _mine(owner: Owner) -> ColumnElement[bool]:
    return and_(col(AssistantRow.tenant) == owner.tenant, col(AssistantRow.user) == owner.user)


def _published(owner: Owner) -> ColumnElement[bool]:
    return and_(col(AssistantRow.tenant) == owner.tenant, col(AssistantRow.status) == "published")


def is_mine(row: AssistantRow, owner: Owner) -> bool:
    """Whether an assistant is this owner's."""
    return (row.tenant, row.user) == (owner.tenant, owner.user)


async def visible(session: AsyncSession, owner: Owner, assistant_id: str) -> AssistantRow:
    """An assistant that may be seen. Another's draft is refused like one that does not exist."""
    query = select(AssistantRow).where(col(AssistantRow.id) == assistant_id, or_(_mine(owner), _published(owner)))
    row = (await session.exec(query)).one_or_none()
    if row is None:
        raise Refused("unknown_assistant", UNKNOWN_ASSISTANT)
    return row


async def own(session: AsyncSession, owner: Owner, assistant_id: str) -> AssistantRow | None:
    """The owner's assistant of that id, if there is one."""
    query = select(AssistantRow).where(col(AssistantRow.id) == assistant_id, _mine(owner))
    return (await session.exec(query)).one_or_none()


async def changeable(session: AsyncSession, owner: Owner, assistant_id: str) -> AssistantRow:
    """The owner's assistant, locked against other messages. Raises Refused."""
    query = select(AssistantRow).where(col(AssistantRow.id) == assistant_id, _mine(owner)).with_for_update()
    row = (await session.exec(query)).one_or_none()
    if row is None:
        await visible(session, owner, assistant_id)
        raise Refused("not_yours", NOT_YOURS)
    return row


async def version_of(session: AsyncSession, owner: Owner, row: AssistantRow, version: int | None) -> VersionRow:
    """A version of an assistant that may be seen; none: the newest. Raises Refused.

    Older ones are its history, which only its owner is told: they may be from before it was published.
    """
    wanted = row.latest_version if version is None else version
    if wanted != row.latest_version and not is_mine(row, owner):
        raise Refused("unknown_version", UNKNOWN_VERSION)
    found = await session.get(VersionRow, (row.id, wanted)) if 0 < wanted <= MAX_VERSION else None
    if found is None:
        raise Refused("unknown_version", UNKNOWN_VERSION)
    return found


async def load_definition(
    session: AsyncSession, owner: Owner, assistant_id: str, version: int | None
) -> tuple[AssistantRow, VersionRow]:
    """An assistant that the owner may run, and what it does in a version. Raises Refused."""
    row = await visible(session, owner, assistant_id)
    return row, await version_of(session, owner, row, version)


def mark_after(row: AssistantRow) -> str:
    """What names the page that follows this assistant. It stays good when the assistant goes."""
    return f"{(row.created_at - _EPOCH) // _MICROSECOND}.{row.id}"


def _from_mark(mark: str) -> tuple[datetime, str]:
    match = _MARK.fullmatch(mark)
    if match is None:
        raise Refused("invalid_cursor", "This is not the `next` of an earlier page.")
    return _EPOCH + int(match[1]) * _MICROSECOND, match[2]


async def page(session: AsyncSession, query: ListAssistants, words: Sequence[str]) -> Sequence[AssistantRow]:
    """What the owner may see, newest first. Each of the words is in the name or the description."""
    seen = {True: _mine(query.owner), False: and_(_published(query.owner), ~_mine(query.owner))}
    wanted = [or_(*seen.values()) if query.mine is None else seen[query.mine]]
    wanted += [or_(_says(AssistantRow.name, word), _says(AssistantRow.description, word)) for word in words]
    order = (col(AssistantRow.created_at), col(AssistantRow.id))
    if query.before is not None:
        wanted.append(tuple_(*order) < tuple_(*_from_mark(query.before)))
    rows = select(AssistantRow).where(*wanted).order_by(*(column.desc() for column in order)).limit(query.limit)
    return (await session.exec(rows)).all()


def _says(column: Any, word: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = col(column).icontains(word, autoescape=True)
    return found


async def history(session: AsyncSession, assistant_id: str) -> Sequence[VersionRow]:
    """All versions, newest first, without what they do."""
    query = select(VersionRow).where(col(VersionRow.assistant_id) == assistant_id)
    without = defer(VersionRow.definition, raiseload=True)  # type: ignore[arg-type]
    return (await session.exec(query.order_by(col(VersionRow.version).desc()).options(without))).all()


async def remove(session: AsyncSession, row: AssistantRow, now: datetime) -> None:
    """Delete an assistant with its versions; everybody is still to be told."""
    await session.merge(DeletionRow(assistant_id=row.id, tenant=row.tenant, user=row.user, deleted_at=now))
    await session.exec(delete(AssistantRow).where(col(AssistantRow.id) == row.id))


async def untold(session: AsyncSession, limit: int, assistant_id: str | None = None) -> Sequence[AssistantRow]:
    """Assistants of all owners, or one, of which not everybody is known to be told; locked, others' left out."""
    query = select(AssistantRow).where(col(AssistantRow.told_at).is_(None)).order_by(col(AssistantRow.updated_at))
    if assistant_id is not None:
        query = query.where(col(AssistantRow.id) == assistant_id)
    return (await session.exec(query.limit(limit).with_for_update(skip_locked=True))).all()


async def untold_deletions(session: AsyncSession, limit: int, assistant_id: str | None = None) -> Sequence[DeletionRow]:
    """Assistants that are gone, and not everybody is known to be told; locked, others' left out."""
    query = select(DeletionRow).order_by(col(DeletionRow.deleted_at))
    if assistant_id is not None:
        query = query.where(col(DeletionRow.assistant_id) == assistant_id)
    return (await session.exec(query.limit(limit).with_for_update(skip_locked=True))).all()
