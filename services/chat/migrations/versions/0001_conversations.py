"""Conversations, messages and runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "chat"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("system", sa.Text),
        _moment("created_at"),
        _moment("updated_at"),
        schema=SCHEMA,
    )
    op.create_index("conversation_by_owner", "conversation", ["tenant", "user", "id"], schema=SCHEMA)
    op.create_table(
        "message",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "conversation_id",
            sa.Text,
            sa.ForeignKey(f"{SCHEMA}.conversation.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("reasoning", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("error", JSONB),
        sa.Column("usage", JSONB),
        sa.Column("cost_usd", sa.Text),
        _moment("created_at"),
        sa.UniqueConstraint("conversation_id", "position", name="message_position"),
        schema=SCHEMA,
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("begins_conversation", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("request", JSONB, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("error", JSONB),
        _moment("created_at"),
        _moment("dispatched_at", nullable=True),
        _moment("ended_at", nullable=True),
        sa.UniqueConstraint("tenant", "user", "idempotency_key", name="run_idempotency_key"),
        schema=SCHEMA,
    )
    op.create_index("run_by_owner", "run", ["tenant", "user", "id"], schema=SCHEMA)
    op.create_index(
        "run_undispatched",
        "run",
        ["created_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )
    op.create_index(
        "run_in_progress",
        "run",
        ["conversation_id"],
        schema=SCHEMA,
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )


def downgrade() -> None:
    for table in ("run", "message", "conversation"):
        op.drop_table(table, schema=SCHEMA)
