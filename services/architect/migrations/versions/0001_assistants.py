"""Assistants and their versions; files that are given to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "architect"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, postgresql_where=None if where is None else sa.text(where))


def upgrade() -> None:
    op.create_table(
        "assistant",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("latest_version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("copied_from", sa.Text),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("told_at", nullable=True),
        schema=SCHEMA,
    )
    _index("assistant_by_owner", "assistant", ["tenant", "user", "created_at", "id"])
    _index("assistant_published", "assistant", ["tenant", "created_at", "id"], "status = 'published'")
    _index("assistant_untold", "assistant", ["updated_at"], "told_at IS NULL")
    op.create_table(
        "version",
        sa.Column(
            "assistant_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.assistant.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _moment("created_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "assistant_deletion",
        sa.Column("assistant_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        _moment("deleted_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "file",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("characters", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        _moment("created_at"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in ("file", "assistant_deletion", "version", "assistant"):
        op.drop_table(table, schema=SCHEMA)
