"""Messages as a tree, images, tools, ratings, runs that wait, and completions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "chat"

_FLAG = {"nullable": False, "server_default": sa.false()}
_COUNT = {"nullable": False, "server_default": "0"}
_NEW: dict[str, tuple[sa.Column[object], ...]] = {
    "conversation": (
        sa.Column("hidden", sa.Boolean, **_FLAG),  # type: ignore[arg-type]
        sa.Column("pinned", sa.Boolean, **_FLAG),  # type: ignore[arg-type]
        sa.Column("archived", sa.Boolean, **_FLAG),  # type: ignore[arg-type]
        sa.Column("head_id", sa.Text),
        sa.Column("forked_from", sa.Text),
    ),
    "message": (
        sa.Column("parent_id", sa.Text),
        sa.Column("client_id", sa.Text),
        sa.Column("images", JSONB),
        sa.Column("tool_calls", JSONB),
        sa.Column("tool_results", JSONB),
        sa.Column("omitted_messages", sa.Integer, **_COUNT),  # type: ignore[arg-type]
        sa.Column("rating", JSONB),
        sa.Column("rated_at", sa.BigInteger),
    ),
    "run": (
        sa.Column("parent_id", sa.Text),
        sa.Column("hidden", sa.Boolean, **_FLAG),  # type: ignore[arg-type]
        sa.Column("completion", JSONB),
        sa.Column("fingerprint", sa.Text),
        sa.Column("follows_head", sa.Boolean, **_FLAG),  # type: ignore[arg-type]
        sa.Column("omitted_messages", sa.Integer, **_COUNT),  # type: ignore[arg-type]
        sa.Column("announced_at", sa.DateTime(timezone=True)),
        sa.Column("promoted_at", sa.DateTime(timezone=True)),
    ),
}
_ONE_BRANCH = """
    UPDATE chat.message SET parent_id = before.id
    FROM (SELECT id AS of, lag(id) OVER (PARTITION BY conversation_id ORDER BY position) AS id FROM chat.message) before
    WHERE message.id = before.of AND before.id IS NOT NULL
"""
_HEADS = """
    UPDATE chat.conversation SET head_id = (
        SELECT id FROM chat.message WHERE conversation_id = conversation.id ORDER BY position DESC LIMIT 1
    )
"""
_ASKED = """
    UPDATE chat.run SET parent_id = message.id FROM chat.message
    WHERE message.conversation_id = run.conversation_id AND message.position = run.position - 1
"""


def upgrade() -> None:
    for table, columns in _NEW.items():
        for column in columns:
            op.add_column(table, column, schema=SCHEMA)
    for statement in (_ONE_BRANCH, _HEADS, _ASKED):
        op.execute(statement)
    op.drop_index("conversation_by_owner", "conversation", schema=SCHEMA)
    owner = ["tenant", "user", "id"]
    _index("conversation_by_owner", "conversation", owner, "NOT hidden")
    _index("conversation_pinned", "conversation", owner, "pinned")
    _index("message_client_id", "message", ["conversation_id", "client_id"], "client_id IS NOT NULL", unique=True)
    op.create_unique_constraint("run_position", "run", ["conversation_id", "position"], schema=SCHEMA)
    _index("run_waiting", "run", ["conversation_id", "position"], "status = 'queued'")
    _index("run_completion", "run", ["ended_at"], "hidden")
    op.create_table(
        "attachment",
        sa.Column(
            "conversation_id",
            sa.Text,
            sa.ForeignKey(f"{SCHEMA}.conversation.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.execute("ALTER TABLE chat.attachment ALTER COLUMN data SET STORAGE EXTERNAL")  # images are compressed already


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, unique=unique, postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_table("attachment", schema=SCHEMA)
    for name, table in (
        ("run_completion", "run"),
        ("run_waiting", "run"),
        ("message_client_id", "message"),
        ("conversation_pinned", "conversation"),
        ("conversation_by_owner", "conversation"),
    ):
        op.drop_index(name, table, schema=SCHEMA)
    op.drop_constraint("run_position", "run", schema=SCHEMA)
    for table, columns in _NEW.items():
        for column in columns:
            op.drop_column(table, column.name, schema=SCHEMA)
    op.create_index("conversation_by_owner", "conversation", ["tenant", "user", "id"], schema=SCHEMA)
