"""The raw tables of Toast."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "toast_0001"
down_revision = None
branch_labels = ("toast",)
depends_on = None

_SCHEMA = "raw_toast"
_STREAMS = ("config", "orders", "restaurants")


def upgrade() -> None:
    op.execute(f"create schema {_SCHEMA}")
    _make_dlt_tables()
    for stream in _STREAMS:
        op.create_table(
            stream,
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
            schema=_SCHEMA,
        )
        op.create_index(
            f"{stream}_configuration_id_external_id_idx",
            stream,
            ["configuration_id", "external_id"],
            unique=False,
            schema=_SCHEMA,
        )
        op.create_index(f"{stream}_dlt_load_id_idx", stream, ["_dlt_load_id"], unique=False, schema=_SCHEMA)


def _make_dlt_tables() -> None:
    op.create_table(
        "_dlt_loads",
        sa.Column("load_id", sa.String(length=64), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("inserted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schema_version_hash", sa.Text(), nullable=True),
        schema=_SCHEMA,
    )
    op.create_index("_dlt_loads_load_id_idx", "_dlt_loads", ["load_id"], unique=False, schema=_SCHEMA)
    op.create_table(
        "_dlt_version",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.BigInteger(), nullable=False),
        sa.Column("inserted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=False),
        sa.Column("version_hash", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        schema=_SCHEMA,
    )


def downgrade() -> None:
    for stream in reversed(_STREAMS):
        op.drop_table(stream, schema=_SCHEMA)
    op.drop_table("_dlt_version", schema=_SCHEMA)
    op.drop_table("_dlt_loads", schema=_SCHEMA)
    op.execute(f"drop schema {_SCHEMA}")
