"""A run keeps its trace, so that a sweep or a late ending still belongs to it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "chat"


def upgrade() -> None:
    op.add_column("run", sa.Column("trace", JSONB), schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("run", "trace", schema=SCHEMA)
