"""What the tables of architect have in common."""

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kit.db.tables import table_base

SCHEMA = "architect"
Table = table_base(SCHEMA)


def json_column(*, nullable: bool = True) -> Any:
    """A column for JSON."""
    column = Column(JSONB(none_as_null=True), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)
