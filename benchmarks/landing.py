"""Landing documents by dlt against a plain COPY of the same rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from benchmarks.machine import Measured, measured
from pipelines.connector import Identity
from pipelines.documents import Landable
from pipelines.landing import land, make_batch
from pipelines.registry import connectors
from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import database_address
from pos_core.database.raw import CONTENT_COLUMNS, raw_schema

_BYTES = 1_400
_PER_BATCH = 500


def measure_landing(home: Path, count: int) -> list[Measured]:
    """Lands `count` documents of 1.4 kB, then copies the same into a table of the same shape."""
    address = database_address()
    connector = next(iter(connectors().values()))
    tenant_id, configuration_id = uuid4(), uuid4()
    stream, data = connector.sales_stream, home / "postgres"
    documents = list(_documents(stream, count))
    batches = (
        make_batch(tenant_id, configuration_id, stream, "poll", documents[at : at + _PER_BATCH])
        for at in range(0, count, _PER_BATCH)
    )
    with measured("landing by dlt, Arrow and ADBC", count, "documents", data) as landed:
        land(address, connector.pos_system, batches, home / "work")
    with measured("plain COPY of the same", count, "documents", data) as copied:
        _copy(
            address, f'{raw_schema(connector.pos_system)}."{stream}"', tenant_id, configuration_id, documents
        )
    return [landed, copied]


def _documents(stream: str, count: int) -> Iterator[Landable]:
    now = datetime.now(UTC)
    for number in range(count):
        text = json.dumps({"id": f"document-{number}", "filler": "x" * (_BYTES - 60)})
        yield Landable(stream, Identity(f"document-{number}", 1, now), f"{number:064x}", text, now)


def _copy(
    address: DatabaseAddress, like: str, tenant_id: UUID, configuration_id: UUID, documents: list[Landable]
) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(address.libpq()) as connection:
        connection.execute(f"create temp table copied (like {like} including indexes)".encode())
        columns = ", ".join((*CONTENT_COLUMNS, "_dlt_load_id"))
        with connection.cursor().copy(f"copy copied ({columns}) from stdin".encode()) as copy:
            for each in documents:
                identity = each.identity
                row = (
                    tenant_id, configuration_id, identity.external_id, identity.version, identity.updated_at,
                    each.content_hash, "poll", each.read_at, now, each.text, "0",
                )  # fmt: skip
                copy.write_row(row)
