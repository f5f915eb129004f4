"""Following changes: whatever becomes visible after a reading is in the next one, however late it commits."""

from threading import Thread
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from tests.webhook_api.sales import Sales


def _now(sales: Sales) -> str:
    return str(
        sales.project.value("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ')")
    )


def _follow(sales: Sales, cursor: str, **parameters: Any) -> tuple[set[str], str]:
    """What has changed since a cursor, and the cursor to go on from."""
    rows = []
    while True:
        page = sales.page(cursor=cursor, limit=3, **parameters)
        rows += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return {row["transaction_id"] for row in rows}, cursor


def test_the_last_page_goes_on_with_what_changes_later(sales: Sales) -> None:
    first = sales.page(sort="changed", limit=1000)
    assert {row["transaction_id"] for row in first["data"]} == sales.ids()
    assert first["has_more"] is False
    seen, cursor = _follow(sales, first["next_cursor"], sort="changed")
    assert seen == set()
    order = sales.marts("kind = 'sale'")[0]["external_order_id"]
    sales.touch(order)
    seen, cursor = _follow(sales, cursor, sort="changed")
    assert seen == sales.ids(f"external_order_id = '{order}'")
    assert _follow(sales, cursor, sort="changed") == (set(), cursor)


def test_a_filter_that_finds_nothing_goes_on_behind_everything_there_is(sales: Sales) -> None:
    parameters = {"sort": "changed", "configuration_id": str(uuid4())}
    page = sales.page(**parameters)
    assert (page["data"], page["has_more"]) == ([], False)
    unfiltered = sales.page(sort="changed", limit=1000)
    assert len(unfiltered["data"]) > 1
    assert _follow(sales, page["next_cursor"], **parameters) == (set(), page["next_cursor"])


def test_a_tenant_without_sales_yet_can_begin_to_follow(sales: Sales) -> None:
    everything = sales.ids()
    sales.project.execute("create table held as select * from pos_transactions")
    try:
        sales.project.execute("delete from pos_transactions")
        since = _now(sales)
        page = sales.page(changed_since=since)
        sales.project.execute("insert into pos_transactions select * from held")
    finally:
        sales.project.execute("drop table held")
    assert page["data"] == []
    assert _follow(sales, page["next_cursor"], changed_since=since)[0] == everything


def test_what_commits_late_with_an_earlier_time_is_not_missed(sales: Sales) -> None:
    """A batch is held up before it commits; a reader comes in between, then goes on from its cursor."""
    order = sales.marts("kind = 'sale'")[0]["external_order_id"]
    ids = sales.ids(f"external_order_id = '{order}'")
    slow = Thread(target=sales.touch, args=(order,))
    with sales.project.engine.connect() as connection, connection.begin():
        # Payments are the last that a batch writes.
        connection.execute(text("lock table pos_transaction_payments in share mode"))
        slow.start()
        while slow.is_alive() and not sales.project.value("select count(*) from pg_locks where not granted"):
            pass
        since = _now(sales)
        early = sales.page(changed_since=since)
        all_changes = sales.page(sort="changed", limit=1000)
    slow.join()
    assert early["data"] == []
    assert len(all_changes["data"]) == len(sales.ids())
    [normalized_at] = {row["normalized_at"] for row in sales.marts(f"external_order_id = '{order}'")}
    assert normalized_at.isoformat() < since
    assert _follow(sales, early["next_cursor"], changed_since=since)[0] == ids
    assert _follow(sales, all_changes["next_cursor"], sort="changed")[0] == ids
    assert sales.page(changed_since=since)["data"] == []
