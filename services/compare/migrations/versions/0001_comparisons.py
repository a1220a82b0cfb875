"""Comparisons, their lanes and votes; duties, and the orders to purge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "compare"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, postgresql_where=None if where is None else sa.text(where))


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("parent_run_id", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("turns", JSONB, nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("trace", JSONB),
        sa.Column("error", JSONB),
        _moment("created_at"),
        _moment("stopped_at", nullable=True),
        _moment("dispatched_at", nullable=True),
        _moment("ended_at", nullable=True),
        _moment("told_at", nullable=True),
        _moment("purged_at", nullable=True),
        sa.UniqueConstraint("tenant", "user", "idempotency_key", name="run_idempotency_key"),
        schema=SCHEMA,
    )
    _index("run_by_owner", "run", ["tenant", "user", "id"])
    _index("run_parent", "run", ["parent_run_id"], "parent_run_id IS NOT NULL")
    _index("run_undispatched", "run", ["created_at"], "dispatched_at IS NULL")
    _index("run_untold", "run", ["ended_at"], "ended_at IS NOT NULL AND told_at IS NULL")
    _index("run_to_purge", "run", ["ended_at"], "told_at IS NOT NULL AND purged_at IS NULL")
    op.create_table(
        "lane",
        sa.Column("run_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("request", JSONB, nullable=False),
        sa.Column("origin_run_id", sa.Text),
        sa.Column("origin_lane", sa.Text),
        sa.Column("own", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("reasoning", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("attempt", sa.Integer),
        sa.Column("finish_reason", sa.Text),
        sa.Column("error", JSONB),
        sa.Column("usage", JSONB),
        sa.Column("cost_usd", sa.Text),
        sa.Column("queued_ms", sa.BigInteger),
        sa.Column("first_token_ms", sa.BigInteger),
        sa.Column("total_ms", sa.BigInteger),
        sa.Column("tokens_per_second", sa.Float),
        _moment("ended_at", nullable=True),
        schema=SCHEMA,
    )
    _index("lane_going", "lane", ["run_id"], "status = 'running'")
    op.create_table(
        "vote",
        sa.Column("run_id", sa.Text, primary_key=True),  # no foreign key: it stays
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("winner", sa.Text),
        sa.Column("comment", sa.Text),
        sa.Column("lanes", JSONB, nullable=False),
        _moment("voted_at"),
        _moment("told_at", nullable=True),
        schema=SCHEMA,
    )
    _index("vote_by_tenant", "vote", ["tenant"])
    _index("vote_untold", "vote", ["voted_at"], "told_at IS NULL")
    op.create_table(
        "duty",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        _moment("until"),
        schema=SCHEMA,
    )
    op.create_table(
        "log_purge",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("long_question", sa.Boolean, nullable=False),
        _moment("asked_at"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("purged", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=SCHEMA,
    )
    _index("log_purge_due", "log_purge", ["due_at"])


def downgrade() -> None:
    for table in ("log_purge", "duty", "vote", "lane", "run"):
        op.drop_table(table, schema=SCHEMA)
