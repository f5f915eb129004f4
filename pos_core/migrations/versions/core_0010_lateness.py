"""How late changes come; when a sync that was asked for was first taken up."""

import sqlalchemy as sa
from alembic import op

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pos_lateness",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "bucket",
            sa.SmallInteger(),
            nullable=False,
            comment="late by less than 2 to this power, in seconds; -1: in time",
        ),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["configuration_id"], ["pos_configurations.id"]),
        sa.PrimaryKeyConstraint("configuration_id", "stream", "bucket", name=op.f("pos_lateness_pkey")),
        comment="how late changes came where everything had been read before",
    )
    op.add_column(
        "pos_sync_requests",
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when a sync first took it: from then on its range counts as not read",
        ),
    )


def downgrade() -> None:
    op.drop_column("pos_sync_requests", "started_at")
    op.drop_table("pos_lateness")
