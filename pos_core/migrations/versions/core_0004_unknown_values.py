"""What each sync met of values that no list knows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "pos_sync_logs",
        sa.Column(
            "unknown_values",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="how often each value was landed that no list of the vendor's values has",
        ),
    )


def downgrade() -> None:
    op.drop_column("pos_sync_logs", "unknown_values")
