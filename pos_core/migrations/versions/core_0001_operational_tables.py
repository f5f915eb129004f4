"""The operational tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pos_audit_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_audit_logs_pkey")),
    )
    op.create_index(
        op.f("pos_audit_logs_tenant_id_at_idx"), "pos_audit_logs", ["tenant_id", "at"], unique=False
    )
    op.create_table(
        "pos_configurations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False, comment="as the vendor confirmed it"),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column("base_url", sa.Text(), nullable=False, comment="the vendor address it was made for"),
        sa.Column(
            "credentials_sealed",
            sa.Text(),
            nullable=True,
            comment="null once the credentials are destroyed",
        ),
        sa.Column("credentials_fingerprint", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("day_starts_at", sa.Time(), server_default=sa.text("'00:00'"), nullable=False),
        sa.Column("history_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_interval_seconds", sa.Integer(), server_default="300", nullable=False),
        sa.Column(
            "next_sync_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("status in ('active', 'disabled')", name=op.f("pos_configurations_status_check")),
        sa.CheckConstraint("sync_interval_seconds >= 10", name=op.f("pos_configurations_interval_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_configurations_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "pos_system",
            "account_id",
            name=op.f("pos_configurations_tenant_id_pos_system_account_id_key"),
        ),
    )
    op.create_index(
        op.f("pos_configurations_next_sync_at_idx"),
        "pos_configurations",
        ["next_sync_at"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "pos_configuration_locations",
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("external_location_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("is_live", sa.Boolean(), server_default="true", nullable=False),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_configuration_locations_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "configuration_id",
            "external_location_id",
            name=op.f("pos_configuration_locations_pkey"),
        ),
    )
    op.create_index(
        "pos_configuration_locations_live_key",
        "pos_configuration_locations",
        ["tenant_id", "pos_system", "external_location_id"],
        unique=True,
        postgresql_where=sa.text("is_live"),
    )
    op.create_table(
        "pos_sync_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="running", nullable=False),
        sa.Column("windows_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("documents_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("documents_landed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("documents_skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("documents_quarantined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("documents_waiting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", postgresql.JSONB(), nullable=True, comment="per step: fetch, land"),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status in ('running', 'succeeded', 'failed')", name=op.f("pos_sync_logs_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_sync_logs_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_sync_logs_pkey")),
    )
    op.create_index(
        op.f("pos_sync_logs_configuration_id_started_at_idx"),
        "pos_sync_logs",
        ["configuration_id", "started_at"],
        unique=False,
    )
    op.create_table(
        "pos_sync_windows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_location_id", sa.Text(), nullable=False, comment="empty: the whole account"),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=False, comment="the sync that last extended it"),
        sa.Column(
            "committed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("window_from < window_to", name=op.f("pos_sync_windows_half_open_check")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_sync_windows_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_sync_windows_pkey")),
        comment="intervals read completely; touching ones are one row, so what lies between rows is a gap",
    )
    op.create_index(
        op.f("pos_sync_windows_configuration_id_stream_external_location_id_window_to_idx"),
        "pos_sync_windows",
        ["configuration_id", "stream", "external_location_id", "window_to"],
        unique=False,
    )
    op.create_table(
        "pos_webhook_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("configuration_id", sa.Uuid(), nullable=True),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("vendor_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="pending", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_webhook_logs_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_webhook_logs_pkey")),
        sa.UniqueConstraint("pos_system", "event_id", name=op.f("pos_webhook_logs_pos_system_event_id_key")),
    )


def downgrade() -> None:
    op.drop_table("pos_webhook_logs")
    op.drop_index(
        op.f("pos_sync_windows_configuration_id_stream_external_location_id_window_to_idx"),
        table_name="pos_sync_windows",
    )
    op.drop_table("pos_sync_windows")
    op.drop_index(op.f("pos_sync_logs_configuration_id_started_at_idx"), table_name="pos_sync_logs")
    op.drop_table("pos_sync_logs")
    op.drop_index(
        "pos_configuration_locations_live_key",
        table_name="pos_configuration_locations",
        postgresql_where=sa.text("is_live"),
    )
    op.drop_table("pos_configuration_locations")
    op.drop_index(
        op.f("pos_configurations_next_sync_at_idx"),
        table_name="pos_configurations",
        postgresql_where=sa.text("status = 'active'"),
    )
    op.drop_table("pos_configurations")
    op.drop_index(op.f("pos_audit_logs_tenant_id_at_idx"), table_name="pos_audit_logs")
    op.drop_table("pos_audit_logs")
