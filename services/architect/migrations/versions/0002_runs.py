"""Runs of assistants, their steps and what is told of them; duties, and the orders to purge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "architect"


def _moments(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True)) for name in names]


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    op.create_index(name, table, columns, schema=SCHEMA, postgresql_where=None if where is None else sa.text(where))


def _of_run() -> sa.Column[object]:
    return sa.Column("run_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.run.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("assistant_id", sa.Text, nullable=False),  # no foreign key: runs outlive their assistant
        sa.Column("assistant_version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fields", JSONB, nullable=False),
        sa.Column("inputs", JSONB, nullable=False),
        sa.Column("notify", sa.Text),
        sa.Column("parent_run_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("stopping", JSONB),
        sa.Column("error", JSONB),
        sa.Column("usage", JSONB),
        sa.Column("cost_usd", sa.Text),
        sa.Column("timeout_seconds", sa.Float),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("trace", JSONB),
        sa.Column("last_n", sa.Integer, nullable=False),
        sa.Column("told_n", sa.Integer, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        _moment("created_at"),
        *_moments("due_at", "owed_since", "dispatched_at", "ended_at", "told_at", "purged_at"),
        sa.UniqueConstraint("tenant", "user", "idempotency_key", name="run_idempotency_key"),
        schema=SCHEMA,
    )
    _index("run_by_owner", "run", ["tenant", "user", "id"])
    _index("run_by_assistant", "run", ["tenant", "user", "assistant_id", "id"])
    _index("run_owed", "run", ["owed_since"], "owed_since IS NOT NULL")
    _index("run_due", "run", ["due_at"], "due_at IS NOT NULL")
    _index("run_to_purge", "run", ["ended_at"], "told_at IS NOT NULL AND purged_at IS NULL")
    op.create_table(
        "step",
        _of_run(),
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("depends_on", JSONB, nullable=False),
        sa.Column("on_error", sa.Text, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("approval", JSONB),
        sa.Column("decision", JSONB),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lane", sa.Text),
        sa.Column("attempts", JSONB, nullable=False),
        sa.Column("request", JSONB),
        sa.Column("stopped", sa.Text),
        sa.Column("own", sa.Boolean, nullable=False),
        sa.Column("origin_run_id", sa.Text),
        sa.Column("origin_step", sa.Text),
        sa.Column("origin_lane", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("reasoning", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("error", JSONB),
        sa.Column("usage", JSONB),
        sa.Column("cost_usd", sa.Text),
        sa.Column("queued_ms", sa.BigInteger),
        sa.Column("first_token_ms", sa.BigInteger),
        sa.Column("total_ms", sa.BigInteger),
        *_moments("started_at", "sent_at", "due_at", "timer_at", "ended_at"),
        schema=SCHEMA,
    )
    _index("step_going", "step", ["run_id"], "status = 'running'")
    _index("step_ready", "step", ["sent_at"], "status = 'ready'")
    _index("step_due", "step", ["due_at"], "due_at IS NOT NULL")
    op.create_table(
        "run_event",
        _of_run(),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        schema=SCHEMA,
    )
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
    for table in ("log_purge", "duty", "run_event", "step", "run"):
        op.drop_table(table, schema=SCHEMA)
