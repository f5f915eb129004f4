"""The raw tables of Square."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "square_0001"
down_revision = None
branch_labels = ("square",)
depends_on = None


def upgrade() -> None:
    op.execute("create schema raw_square")
    op.create_table(
        "_dlt_loads",
        sa.Column("load_id", sa.String(length=64), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("inserted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schema_version_hash", sa.Text(), nullable=True),
        schema="raw_square",
    )
    op.create_index("_dlt_loads_load_id_idx", "_dlt_loads", ["load_id"], unique=False, schema="raw_square")
    op.create_table(
        "_dlt_version",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.BigInteger(), nullable=False),
        sa.Column("inserted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=False),
        sa.Column("version_hash", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_table(
        "catalog",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("configuration_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("external_version", sa.BigInteger(), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("_dlt_load_id", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_index(
        "catalog_configuration_id_external_id_idx",
        "catalog",
        ["configuration_id", "external_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_index("catalog_dlt_load_id_idx", "catalog", ["_dlt_load_id"], unique=False, schema="raw_square")
    op.create_table(
        "locations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("configuration_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("external_version", sa.BigInteger(), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("_dlt_load_id", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_index(
        "locations_configuration_id_external_id_idx",
        "locations",
        ["configuration_id", "external_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_index(
        "locations_dlt_load_id_idx",
        "locations",
        ["_dlt_load_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_table(
        "orders",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("configuration_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("external_version", sa.BigInteger(), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("_dlt_load_id", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_index(
        "orders_configuration_id_external_id_idx",
        "orders",
        ["configuration_id", "external_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_index("orders_dlt_load_id_idx", "orders", ["_dlt_load_id"], unique=False, schema="raw_square")
    op.create_table(
        "payments",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("configuration_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("external_version", sa.BigInteger(), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("_dlt_load_id", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_index(
        "payments_configuration_id_external_id_idx",
        "payments",
        ["configuration_id", "external_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_index(
        "payments_configuration_id_order_id_idx",
        "payments",
        ["configuration_id", sa.literal_column("(payload ->> 'order_id')")],
        unique=False,
        schema="raw_square",
    )
    op.create_index(
        "payments_dlt_load_id_idx", "payments", ["_dlt_load_id"], unique=False, schema="raw_square"
    )
    op.create_table(
        "refunds",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("configuration_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("external_version", sa.BigInteger(), nullable=True),
        sa.Column("external_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("_dlt_load_id", sa.Text(), nullable=False),
        schema="raw_square",
    )
    op.create_index(
        "refunds_configuration_id_external_id_idx",
        "refunds",
        ["configuration_id", "external_id"],
        unique=False,
        schema="raw_square",
    )
    op.create_index(
        "refunds_configuration_id_order_id_idx",
        "refunds",
        ["configuration_id", sa.literal_column("(payload ->> 'order_id')")],
        unique=False,
        schema="raw_square",
    )
    op.create_index("refunds_dlt_load_id_idx", "refunds", ["_dlt_load_id"], unique=False, schema="raw_square")


def downgrade() -> None:
    op.drop_index("refunds_dlt_load_id_idx", table_name="refunds", schema="raw_square")
    op.drop_index("refunds_configuration_id_order_id_idx", table_name="refunds", schema="raw_square")
    op.drop_index("refunds_configuration_id_external_id_idx", table_name="refunds", schema="raw_square")
    op.drop_table("refunds", schema="raw_square")
    op.drop_index("payments_dlt_load_id_idx", table_name="payments", schema="raw_square")
    op.drop_index("payments_configuration_id_order_id_idx", table_name="payments", schema="raw_square")
    op.drop_index("payments_configuration_id_external_id_idx", table_name="payments", schema="raw_square")
    op.drop_table("payments", schema="raw_square")
    op.drop_index("orders_dlt_load_id_idx", table_name="orders", schema="raw_square")
    op.drop_index("orders_configuration_id_external_id_idx", table_name="orders", schema="raw_square")
    op.drop_table("orders", schema="raw_square")
    op.drop_index("locations_dlt_load_id_idx", table_name="locations", schema="raw_square")
    op.drop_index("locations_configuration_id_external_id_idx", table_name="locations", schema="raw_square")
    op.drop_table("locations", schema="raw_square")
    op.drop_index("catalog_dlt_load_id_idx", table_name="catalog", schema="raw_square")
    op.drop_index("catalog_configuration_id_external_id_idx", table_name="catalog", schema="raw_square")
    op.drop_table("catalog", schema="raw_square")
    op.drop_table("_dlt_version", schema="raw_square")
    op.drop_index("_dlt_loads_load_id_idx", table_name="_dlt_loads", schema="raw_square")
    op.drop_table("_dlt_loads", schema="raw_square")
    op.execute("drop schema raw_square")
