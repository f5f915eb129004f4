"""The documents behind a transaction: complete loads alone, one tenant's alone, found by index."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from pipelines.registry import connectors
from pos_core.database.connect import tenant_engine
from pos_core.database.raw import raw_schema
from pos_core.repositories import raw_documents
from tests.conftest import Project

MINE, THEIRS, CONFIGURATION = uuid4(), uuid4(), uuid4()
POS_SYSTEM, REFERRING = next(
    (connector.pos_system, stream.name)
    for connector in connectors().values()
    for stream in connector.streams
    if stream.refers_to_order
)
SALES = connectors()[POS_SYSTEM].sales_stream
_DOCUMENTS = """
    insert into {table} (
        tenant_id, configuration_id, external_id, content_hash, source, received_at, payload, _dlt_load_id
    )
    select :tenant, :configuration, 'd' || n, 'h' || n, 'poll', cast(:at as timestamptz),
        json_build_object('order_id', 'o' || n / 2), :load
    from generate_series(0, :count - 1) as n
"""


def _given(
    project: Project, stream: str, tenant: object = MINE, load: str = "complete", count: int = 4
) -> None:
    project.execute(
        _DOCUMENTS.format(table=f'{raw_schema(POS_SYSTEM)}."{stream}"'),
        tenant=str(tenant),
        configuration=str(CONFIGURATION),
        at=datetime(2026, 3, 1, tzinfo=UTC),
        load=load,
        count=count,
    )


@pytest.fixture
def landed(project: Project) -> Project:
    """One complete load and one that never was."""
    project.execute(
        f"insert into {raw_schema(POS_SYSTEM)}._dlt_loads (load_id, status, inserted_at)"
        " values ('complete', 0, now()), ('broken', 1, now())"
    )
    return project


def _versions(stream: str, external_id: str, **options: Any) -> list[dict[str, Any]]:
    wanted = {"is_order_reference": stream == REFERRING, "with_payload": False, "limit": 10, **options}
    with tenant_engine(MINE).connect() as connection:
        return raw_documents.versions(
            connection, MINE, POS_SYSTEM, stream, CONFIGURATION, external_id, **wanted
        )


@pytest.mark.parametrize(("stream", "key", "found"), [(SALES, "d1", ["d1"]), (REFERRING, "o1", ["d2", "d3"])])
def test_documents_are_those_of_complete_loads_and_of_the_tenant(
    landed: Project, stream: str, key: str, found: list[str]
) -> None:
    _given(landed, stream)
    _given(landed, stream, load="broken")
    _given(landed, stream, tenant=THEIRS)
    assert [each["external_id"] for each in _versions(stream, key)] == found
    assert len(_versions(stream, key, limit=1)) == 1
    assert "payload" not in _versions(stream, key)[0]
    assert "order_id" in _versions(stream, key, with_payload=True)[0]["payload"]


@pytest.mark.parametrize(
    "query",
    [
        f"select * from {raw_schema(POS_SYSTEM)}.\"{SALES}\" where configuration_id = '{CONFIGURATION}'"
        " and external_id = 'd7'",
        f"select * from pos_documents_of_order('{POS_SYSTEM}', '{REFERRING}', '{CONFIGURATION}', 'o7', 10)",
    ],
    ids=["the sales document", "what refers to it"],
)
def test_documents_are_found_by_index_under_row_level_security(landed: Project, query: str) -> None:
    for stream in (SALES, REFERRING):
        _given(landed, stream, count=20_000)
        landed.execute(f'analyze {raw_schema(POS_SYSTEM)}."{stream}"')
    with tenant_engine(MINE).connect() as connection:
        connection.exec_driver_sql(query)  # what the catalogue is asked for the first time does not count
        explained: Any = connection.exec_driver_sql(
            f"explain (analyze, buffers, format json) {query}"
        ).scalar()
    plan = explained[0]["Plan"]
    assert plan["Actual Rows"] >= 1
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 30
