"""A run keeps what its owner wants to be told of its end."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "compare"


def upgrade() -> None:
    op.add_column("run", sa.Column("notify", sa.Text), schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("run", "notify", schema=SCHEMA)
