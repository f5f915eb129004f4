"""Reading a page of sales through the API: the first and the last of many, in every order."""

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from sqlalchemy import Engine, text

from benchmarks.machine import Measured, measured
from benchmarks.service import serving
from pipelines.normalise import normalise
from pos_core.database.connect import database_address, get_engine, tenant_engine
from pos_core.database.migrate import migrate
from pos_core.repositories import transactions
from pos_core.repositories.transactions import Filters, Sort
from pos_core.settings import get_settings
from webhook_api.auth import READ, mint
from webhook_api.services import cursors

_LIMIT = 100
_SALES = """
    insert into pos_transactions (
        transaction_id, tenant_id, configuration_id, pos_system, external_id, external_order_id,
        external_location_id, kind, status, is_revenue, occurred_at, business_date, timezone, currency,
        gross_sales_amount, discount_amount, net_sales_amount, tax_amount, service_charge_amount, tip_amount,
        rounding_amount, non_sales_amount, total_amount, residual_amount, paid_amount, item_count, source,
        first_received_at, normalized_at
    )
    select
        md5(n::text)::uuid, :tenant, :tenant, 'some', n::text, n::text, 'l' || n % 5, 'sale', 'completed',
        true, timestamptz '2024-01-01Z' + n * interval '1 minute', date '2024-01-01' + n / 1440, 'UTC', 'EUR',
        4.5, 0, 4.5, 0, 0, 0, 0, 0, 4.5, 0, 4.5, 0, 'poll', now(),
        timestamptz '2026-06-01Z' + (n::bigint * 7919 % :count / 500) * interval '1 second'
    from generate_series(0, :count - 1) as n
"""


def measure_reading(home: Path, count: int, requests: int) -> list[Measured]:
    """Requests of single pages among `count` sales of one tenant, over loopback.

    Args:
        requests: how many of each kind.
    """
    engine, tenant_id = get_engine(), uuid4()
    migrate(engine)
    normalise(engine, database_address(), home / "dbt")
    _fill(engine, tenant_id, count)
    token = mint(get_settings(), tenant_id, frozenset({READ}), timedelta(hours=1))
    with _client(token) as client:
        return [
            _requested(client, tenant_id, sort, place, requests, home / "postgres")
            for sort in Sort
            for place in ("first", "last")
        ]


def _fill(engine: Engine, tenant_id: UUID, count: int) -> None:
    with engine.begin() as connection:
        connection.execute(text(_SALES), {"tenant": tenant_id, "count": count})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze pos_transactions")


def _requested(
    client: httpx.Client, tenant_id: UUID, sort: Sort, place: str, requests: int, data: Path
) -> Measured:
    query: dict[str, str | int] = {"sort": sort.value, "limit": _LIMIT}
    if place == "last":
        query["cursor"] = _last_page(tenant_id, sort)
    path = f"/api/v1/tenants/{tenant_id}/pos/transactions"
    took: list[float] = []
    client.get(path, params=query).raise_for_status()
    with measured(f"{place} page by {sort.value}", requests, "requests", data) as result:
        for _ in range(requests):
            started = time.perf_counter()
            page = client.get(path, params=query).raise_for_status()
            took.append(time.perf_counter() - started)
    assert len(page.json()["data"]) == _LIMIT
    p50, p95 = statistics.median(took), sorted(took)[math.ceil(0.95 * len(took)) - 1]
    result.title += f": p50 {1000 * p50:.1f} ms, p95 {1000 * p95:.1f} ms"
    return result


def _last_page(tenant_id: UUID, sort: Sort) -> str:
    """The cursor behind which the last page lies."""
    key = transactions.SORT_KEYS[sort]
    direction = "desc" if sort is Sort.CHANGED else "asc"
    order = ", ".join(f"{name} {direction}" for name in key)
    query = text(f"select {', '.join(key)} from pos_transactions order by {order} offset {_LIMIT} limit 1")
    with tenant_engine(tenant_id).connect() as connection:
        row = connection.execute(query).mappings().one()
    return cursors.encode(tenant_id, sort, Filters(), transactions.position(dict(row), sort))


@contextmanager
def _client(token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serving() as address,
        httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client,
    ):
        yield client
