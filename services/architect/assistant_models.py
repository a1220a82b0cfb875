"""The tables of assistants, and of the files that are given to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field

from kit.db.tables import timestamp
from services.architect.tables import Table, json_column


class AssistantRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """An assistant; what it does is in its versions.

    `revision` counts its changes, those of its texts included. `told_at`: everybody has been told of the newest one.
    """

    __tablename__ = "assistant"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    name: str
    description: str = Field(sa_column=Column(Text, nullable=False))
    status: str
    latest_version: int = 1
    revision: int = 1
    copied_from: str | None = None
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()
    told_at: datetime | None = timestamp(nullable=True)


class VersionRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One version of an assistant, never changed. `definition` is the resolved one."""

    __tablename__ = "version"

    assistant_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    definition: dict[str, Any] = json_column(nullable=False)
    steps: int
    note: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = timestamp()


class DeletionRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """An assistant that is gone, until everybody has been told."""

    __tablename__ = "assistant_deletion"

    assistant_id: str = Field(primary_key=True)
    tenant: str
    user: str
    deleted_at: datetime = timestamp()


class FileRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """A file as text; its bytes are not kept. An id is one of its owner's: others may have the same."""

    __tablename__ = "file"

    tenant: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    media_type: str
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    characters: int
    text: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = timestamp()
