"""Indexes for the leaderboard: the newest votes and comparisons of a tenant."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "compare"


def upgrade() -> None:
    op.drop_index("vote_by_tenant", "vote", schema=SCHEMA)
    op.create_index("vote_by_tenant", "vote", ["tenant", "voted_at"], schema=SCHEMA)
    op.create_index("run_by_tenant", "run", ["tenant", "created_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_index("run_by_tenant", "run", schema=SCHEMA)
    op.drop_index("vote_by_tenant", "vote", schema=SCHEMA)
    op.create_index("vote_by_tenant", "vote", ["tenant"], schema=SCHEMA)
