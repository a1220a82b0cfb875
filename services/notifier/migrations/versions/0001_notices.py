"""Whom to tell, what was to be told, and what became of it by each channel."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "notifier"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _owner(*, key: bool = False) -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("tenant", sa.Text, primary_key=key, nullable=False),
        sa.Column("user", sa.Text, primary_key=key, nullable=False),
    )


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, postgresql_where=None if where is None else sa.text(where))


def upgrade() -> None:
    op.create_table(
        "contact",
        *_owner(key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("unsubscribe_token", sa.Text, nullable=False, unique=True),
        sa.Column("refused", JSONB),
        _moment("seen_at"),
        schema=SCHEMA,
    )
    op.create_table(
        "preference",
        *_owner(key=True),
        sa.Column("policy", sa.Text),
        sa.Column("longer_than_seconds", sa.Float),
        sa.Column("email", sa.Boolean, nullable=False),
        sa.Column("webhook", sa.Boolean, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        *_owner(),
        sa.Column("outcome", sa.Text),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        _moment("happened_at"),
        _moment("decide_at"),
        _moment("decided_at", nullable=True),
        _moment("told_at", nullable=True),
        sa.UniqueConstraint("run_id", "about"),
        schema=SCHEMA,
    )
    _index("notice_by_owner", "notice", ["tenant", "user", "id"])
    _index("notice_waiting", "notice", ["decide_at"], "status = 'waiting'")
    _index("notice_untold", "notice", ["decided_at"], "status = 'not_told' AND told_at IS NULL")
    _index("notice_by_age", "notice", ["happened_at"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("notice_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.notice.id", ondelete="CASCADE"), nullable=False),
        *_owner(),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", JSONB),
        sa.Column("claim", sa.Text),
        _moment("claimed_until", nullable=True),
        _moment("handed_over_at", nullable=True),
        _moment("first_at", nullable=True),
        _moment("next_at"),
        _moment("sent_at", nullable=True),
        _moment("told_at", nullable=True),
        sa.UniqueConstraint("notice_id", "channel", "place"),
        schema=SCHEMA,
    )
    _index("delivery_due", "delivery", ["next_at"], "status = 'waiting'")
    _index("delivery_untold", "delivery", ["next_at"], "status <> 'waiting' AND told_at IS NULL")
    op.create_table(
        "webhook",
        sa.Column("id", sa.Text, primary_key=True),
        *_owner(),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("earlier_secret", sa.Text),
        _moment("earlier_until", nullable=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("problem", JSONB),
        _moment("created_at"),
        schema=SCHEMA,
    )
    _index("webhook_by_owner", "webhook", ["tenant", "user", "created_at", "id"])
    op.create_table(
        "duty",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        _moment("until"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in ("duty", "webhook", "delivery", "notice", "preference", "contact"):
        op.drop_table(table, schema=SCHEMA)
