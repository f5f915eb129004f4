"""The tables that the models read, made in an empty database for the tests of the models."""

from __future__ import annotations

import psycopg

from pipelines.registry import connectors

STREAMS = {name: [stream.name for stream in each.streams] for name, each in connectors().items()}

_RAW_TABLE = """
create table {table} (
    tenant_id text not null, configuration_id text not null, external_id text not null,
    external_version bigint, external_updated_at timestamptz, content_hash text not null,
    source text not null, read_at timestamptz, received_at timestamptz not null, payload json not null,
    _dlt_load_id text not null, _dlt_id text
);
create index on {table} (configuration_id, external_id);
create index on {table} (_dlt_load_id);
"""

_ORDER_INDEX = "create index on {table} (configuration_id, (payload ->> 'order_id'));"

_LOADS_TABLE = """
create table {schema}._dlt_loads (
    load_id text not null, schema_name text, status bigint not null, inserted_at timestamptz not null,
    schema_version_hash text
);
create index on {schema}._dlt_loads (load_id);
"""

_OPERATIONAL_TABLES = """
create table public.pos_configurations (
    id uuid primary key, tenant_id uuid not null, pos_system text not null, name text not null,
    day_starts_at time not null default '00:00'
);
create table public.pos_pending_loads (pos_system text, load_id text, primary key (pos_system, load_id));
create table public.pos_touched_documents (
    configuration_id uuid not null, external_id text, requested_at timestamptz not null default now()
);
create table public.pos_quarantined_documents (
    id uuid primary key, tenant_id uuid, configuration_id uuid, pos_system text, stream text,
    external_id text, content_hash text, stage text not null, reason text not null, document_text text,
    source text, read_at timestamptz, first_seen_at timestamptz, last_seen_at timestamptz,
    resolved_at timestamptz
);
-- The policies are no part of the models; tests/pos_core/database/test_roles.py has the real ones over them.
create function public.pos_protect(relation regclass, for_readers boolean default false) returns void
language sql as '';
"""


def create_tables(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Create the raw and operational tables that the models read.

    Args:
        connection: to an empty database, as a role that may create schemas.
    """
    statements = [_OPERATIONAL_TABLES]
    for name, connector in connectors().items():
        schema = f"raw_{name}"
        statements += [f"create schema {schema};", _LOADS_TABLE.format(schema=schema)]
        for stream in connector.streams:
            statements.append(_RAW_TABLE.format(table=f"{schema}.{stream.name}"))
            if stream.refers_to_order:
                statements.append(_ORDER_INDEX.format(table=f"{schema}.{stream.name}"))
    for statement in statements:
        connection.execute(statement)
