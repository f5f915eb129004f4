"""Tokens that several configurations share."""

import sqlalchemy as sa
from alembic import op

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pos_shared_tokens",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pos_shared_tokens_pkey")),
        comment="access tokens that many configurations use, found by a hash of their credential",
    )


def downgrade() -> None:
    op.drop_table("pos_shared_tokens")
