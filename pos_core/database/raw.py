"""The shape of raw tables: one append-only table per stream in the schema `raw_<pos>`, and dlt's own.

Identifiers are text because ADBC copies text, and `payload` is `json` because it cannot copy into `jsonb`.
dlt finds these tables made and adds nothing to them.
"""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

CONTENT_COLUMNS = (
    "tenant_id",
    "configuration_id",
    "external_id",
    "external_version",
    "external_updated_at",
    "content_hash",
    "source",
    "read_at",
    "received_at",
    "payload",
)


def raw_schema(pos_system: str) -> str:
    """The schema with the documents of one POS."""
    return f"raw_{pos_system}"


def define_raw_tables(
    metadata: MetaData,
    pos_system: str,
    streams: Iterable[str],
    order_reference_streams: Iterable[str] = (),
) -> None:
    """Adds the raw tables of one POS to `metadata`.

    Args:
        streams: the names of the tables.
        order_reference_streams: those whose documents name an order in `order_id`; they get an index on it.
    """
    schema = raw_schema(pos_system)
    for stream in streams:
        table = _documents(metadata, schema, stream)
        if stream in set(order_reference_streams):
            Index(
                f"{stream}_configuration_id_order_id_idx",
                table.c.configuration_id,
                text("(payload ->> 'order_id')"),
            )
    _dlt_tables(metadata, schema)


def _documents(metadata: MetaData, schema: str, stream: str) -> Table:
    return Table(
        stream,
        metadata,
        Column("tenant_id", Text, nullable=False),
        Column("configuration_id", Text, nullable=False),
        Column("external_id", Text, nullable=False),
        Column("external_version", BigInteger),
        Column("external_updated_at", DateTime(timezone=True)),
        Column("content_hash", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("read_at", DateTime(timezone=True)),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("payload", JSON, nullable=False),
        Column("_dlt_load_id", Text, nullable=False),
        Index(f"{stream}_configuration_id_external_id_idx", "configuration_id", "external_id"),
        Index(f"{stream}_dlt_load_id_idx", "_dlt_load_id"),
        schema=schema,
    )


def _dlt_tables(metadata: MetaData, schema: str) -> None:
    Table(
        "_dlt_loads",
        metadata,
        Column("load_id", String(64), nullable=False),
        Column("schema_name", Text),
        Column("status", BigInteger, nullable=False),
        Column("inserted_at", DateTime(timezone=True), nullable=False),
        Column("schema_version_hash", Text),
        Index("_dlt_loads_load_id_idx", "load_id"),
        schema=schema,
    )
    Table(
        "_dlt_version",
        metadata,
        Column("version", BigInteger, nullable=False),
        Column("engine_version", BigInteger, nullable=False),
        Column("inserted_at", DateTime(timezone=True), nullable=False),
        Column("schema_name", Text, nullable=False),
        Column("version_hash", Text, nullable=False),
        Column("schema", Text, nullable=False),
        schema=schema,
    )
