"""Tables about documents: quarantined, waited for, and which loads are normalised."""

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pos_model_builds",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("pos_model_builds_single_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_model_builds_pkey")),
    )
    op.create_table(
        "pos_normalised_loads",
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("load_id", sa.Text(), nullable=False),
        sa.Column(
            "normalised_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("pos_system", "load_id", name=op.f("pos_normalised_loads_pkey")),
    )
    op.create_table(
        "pos_pending_loads",
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("load_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pos_system", "load_id", name=op.f("pos_pending_loads_pkey")),
        comment="the loads that the models are normalising now; filled and emptied in their transaction",
    )
    op.create_table(
        "pos_quarantined_documents",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True, comment="null where the document has none"),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column(
            "stage",
            sa.Text(),
            nullable=False,
            comment="landing: raw cannot hold it; model: the models refuse it; normalise: the database did",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "document",
            sa.LargeBinary(),
            nullable=True,
            comment="UTF-8 JSON; only of documents that raw cannot hold",
        ),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "stage in ('landing', 'model', 'normalise')",
            name=op.f("pos_quarantined_documents_stage_check"),
        ),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_quarantined_documents_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_quarantined_documents_pkey")),
        sa.UniqueConstraint(
            "configuration_id",
            "stream",
            "content_hash",
            "stage",
            name=op.f("pos_quarantined_documents_configuration_id_stream_content_hash_stage_key"),
        ),
    )
    op.create_index(
        op.f("pos_quarantined_documents_configuration_id_idx"),
        "pos_quarantined_documents",
        ["configuration_id"],
        unique=False,
        postgresql_where=sa.text("resolved_at is null"),
    )
    op.create_table(
        "pos_touched_documents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column(
            "external_id",
            sa.Text(),
            nullable=True,
            comment="null: every document of the configuration",
        ),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_touched_documents_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_touched_documents_pkey")),
    )
    op.create_table(
        "pos_waiting_documents",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column(
            "stage",
            sa.Text(),
            nullable=False,
            comment="landing: ask the vendor again; normalise: a reference is missing",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "stage in ('landing', 'normalise')", name=op.f("pos_waiting_documents_stage_check")
        ),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_waiting_documents_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_waiting_documents_pkey")),
        sa.UniqueConstraint(
            "configuration_id",
            "stream",
            "external_id",
            "stage",
            name=op.f("pos_waiting_documents_configuration_id_stream_external_id_stage_key"),
        ),
    )


def downgrade() -> None:
    op.drop_table("pos_waiting_documents")
    op.drop_table("pos_touched_documents")
    op.drop_index(
        op.f("pos_quarantined_documents_configuration_id_idx"),
        table_name="pos_quarantined_documents",
        postgresql_where=sa.text("resolved_at is null"),
    )
    op.drop_table("pos_quarantined_documents")
    op.drop_table("pos_pending_loads")
    op.drop_table("pos_normalised_loads")
    op.drop_table("pos_model_builds")
