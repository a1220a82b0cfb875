"""What the tables of notifier have in common."""

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kit.db.tables import table_base

SCHEMA = "notifier"
Table = table_base(SCHEMA)


def json_column() -> Any:
    """A column for JSON, or nothing."""
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
