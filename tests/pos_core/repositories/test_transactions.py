"""A page costs the same wherever it is, in each order, under row-level security, beside small tenants."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql as literal
from sqlalchemy import Connection, text

from pos_core.database.connect import tenant_engine
from pos_core.repositories import transactions
from pos_core.repositories.transactions import Filters, Position, Sort
from tests.conftest import Project

LARGE = uuid4()
_ROWS, _SMALL_TENANTS, _LIMIT = 15_000, 3_000, 100
_SALES = """
    insert into pos_transactions (
        transaction_id, tenant_id, configuration_id, pos_system, external_id, external_order_id,
        external_location_id, kind, status, is_revenue, occurred_at, business_date, timezone, currency,
        gross_sales_amount, discount_amount, net_sales_amount, tax_amount, service_charge_amount, tip_amount,
        rounding_amount, non_sales_amount, total_amount, residual_amount, paid_amount, item_count, source,
        first_received_at, normalized_at
    )
    select
        gen_random_uuid(), tenant, tenant, 'some', n::text, 'o', 'l' || n % 5, 'sale', 'completed', true,
        timestamptz '2026-01-01Z' + n * interval '5 minutes', date '2026-01-01' + n / 300, 'UTC', 'EUR',
        4, 0, 4, 0, 0, 0, 0, 0, 4, 0, 4, 0, 'poll', now(),
        -- Normalised in another order than sold, many at a time.
        timestamptz '2026-06-01Z' + (n * 7919 % :rows / 500) * interval '1 second'
    from (
        select cast(:large as uuid) as tenant, generate_series(0, :rows - 1) as n
        union all
        select gen_random_uuid(), generate_series(0, 2) from generate_series(1, :small)
    ) as made
"""


@pytest.fixture
def sold(project: Project) -> Project:
    """One large tenant among many small ones, which mislead an optimiser that counts tenants."""
    project.execute(_SALES, rows=_ROWS, large=LARGE, small=_SMALL_TENANTS)
    with project.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze pos_transactions")
    return project


@dataclass
class Cost:
    """What a statement read."""

    rows: int
    buffers: int


RANGES = {
    Sort.OCCURRED: Filters(
        occurred_from=datetime(2026, 1, 2, tzinfo=UTC), occurred_to=datetime(2026, 2, 21, tzinfo=UTC)
    ),
    Sort.BUSINESS_DATE: Filters(business_date_from=date(2026, 1, 2), business_date_to=date(2026, 2, 18)),
    Sort.CHANGED: Filters(changed_since=datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
def test_the_last_page_reads_as_much_as_the_first_in_every_order(sold: Project, plan_cache_mode: str) -> None:
    with transactions.snapshot(tenant_engine(LARGE)) as connection:
        connection.exec_driver_sql(f"set local plan_cache_mode = {plan_cache_mode}")
        for sort in Sort:
            for filters in (Filters(), RANGES[sort]):
                rows = transactions.page(connection, LARGE, filters, sort, None, _ROWS)
                assert len(rows) > _ROWS * 0.9
                places = [None, *(transactions.position(rows[at], sort) for at in (_ROWS // 2, -_LIMIT - 1))]
                first, middle, last = (_cost(connection, sort, filters, place) for place in places)
                assert first.rows == middle.rows == last.rows == _LIMIT, (sort, filters)
                assert max(middle.buffers, last.buffers) <= first.buffers + 10, (sort, filters)


def _cost(connection: Connection, sort: Sort, filters: Filters, after: Position | None) -> Cost:
    """Of the statement as a prepared one, which is what a long-lived connection runs."""
    statement = transactions.page_statement(LARGE, filters, sort, after, _LIMIT)
    compiled = statement.compile(dialect=connection.dialect)
    names = list(compiled.params)
    numbered = str(compiled) % {name: f"${number}" for number, name in enumerate(names, 1)}
    values = ", ".join(literal.Literal(compiled.params[name]).as_string() for name in names)
    connection.exec_driver_sql(f"prepare page as {numbered}")
    explain = f"explain (analyze, buffers, format json) execute page ({values})"
    explained: Any = connection.exec_driver_sql(explain.replace("%", "%%")).scalar_one()
    connection.exec_driver_sql("deallocate page")
    plan = explained[0]["Plan"]
    read = sum(_rows_read(node) for node in _nodes(plan) if "Relation Name" in node)
    return Cost(read, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows_read(node: dict[str, Any]) -> int:
    return int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * int(node["Actual Loops"])


def test_the_columns_are_those_of_the_marts(project: Project) -> None:
    marts = {
        "pos_transactions": transactions.TRANSACTION_COLUMNS,
        "pos_transaction_items": ("transaction_id", "configuration_id", *transactions.ITEM_COLUMNS),
        "pos_transaction_payments": ("transaction_id", "configuration_id", *transactions.PAYMENT_COLUMNS),
    }
    for name, columns in marts.items():
        there = project.rows(
            "select attname from pg_attribute where attrelid = cast(:name as regclass) and attnum > 0",
            name=name,
        )
        assert {row["attname"] for row in there} == {"tenant_id", *columns}


def test_a_snapshot_is_taken_after_the_tables_are_locked_against_a_rebuild(sold: Project) -> None:
    """A rebuild swaps the tables; a snapshot from before the swap would see the new one empty."""
    read: list[int] = []

    def reader() -> None:
        with transactions.snapshot(tenant_engine(LARGE)) as connection:
            read.append(len(transactions.page(connection, LARGE, Filters(), Sort.OCCURRED, None, 10)))

    with sold.engine.connect() as connection:
        with connection.begin():
            connection.execute(text("create table swapped (like pos_transactions including all)"))
            connection.execute(text("select pos_protect('swapped'::regclass)"))
            connection.execute(text("insert into swapped select * from pos_transactions"))
            connection.execute(text("alter table pos_transactions rename to kept"))
            connection.execute(text("alter table swapped rename to pos_transactions"))
            thread = Thread(target=reader)
            thread.start()
            while thread.is_alive() and not sold.value("select count(*) from pg_locks where not granted"):
                pass
        thread.join()
        with connection.begin():
            connection.execute(text("drop table pos_transactions"))
            connection.execute(text("alter table kept rename to pos_transactions"))
    assert read == [10]
