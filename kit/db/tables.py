"""The base class of a service's tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


def table_base(schema: str) -> type[SQLModel]:
    """A SQLModel base with a registry of its own, so that two services may have tables of one name."""

    class Table(SQLModel, registry=registry(metadata=MetaData(schema=schema))):
        pass

    return Table


def timestamp(*, nullable: bool = False, **extra: Any) -> datetime:
    """A column for a moment, with time zone."""
    column = Column(DateTime(timezone=True), nullable=nullable)
    return Field(default=None, sa_column=column, **extra) if nullable else Field(sa_column=column, **extra)  # type: ignore[no-any-return]
