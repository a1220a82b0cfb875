"""Reading and writing files, as text; none of it commits. Files are their owner's alone."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner
from kit.refusal import Refused
from services.architect.assistant_models import FileRow
from services.architect.inputs import FileText

UNKNOWN_FILE = "There is no such file."


def _owned(owner: Owner) -> ColumnElement[bool]:
    return and_(col(FileRow.tenant) == owner.tenant, col(FileRow.user) == owner.user)


async def file(session: AsyncSession, owner: Owner, file_id: str) -> FileRow | None:
    """A file of the owner's."""
    return await session.get(FileRow, (owner.tenant, owner.user, file_id))


async def owned(session: AsyncSession, owner: Owner, file_id: str) -> FileRow:
    """A file of the owner's. Raises Refused."""
    row = await file(session, owner, file_id)
    if row is None:
        raise Refused("unknown_file", UNKNOWN_FILE)
    return row


async def files_of(session: AsyncSession, owner: Owner, ids: Collection[str]) -> Mapping[str, FileText]:
    """By id, those of some files that are there and the owner's, with their texts."""
    if not ids:
        return {}
    rows = await session.exec(select(FileRow).where(_owned(owner), col(FileRow.id).in_(list(ids))))
    return {row.id: FileText(**row.model_dump(include=set(FileText.model_fields))) for row in rows}


async def remove(session: AsyncSession, owner: Owner, file_id: str) -> None:
    """Delete a file. Raises Refused."""
    done: Any = await session.exec(delete(FileRow).where(_owned(owner), col(FileRow.id) == file_id))
    if not done.rowcount:
        raise Refused("unknown_file", UNKNOWN_FILE)
