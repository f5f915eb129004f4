"""The listing over real HTTP: every filter, all pages, every format, and nobody else's rows."""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from pos_core.repositories.transactions import TRANSACTION_COLUMNS
from tests.conftest import Project
from tests.webhook_api.sales import Sales
from webhook_api.schemas.transactions import TransactionPage
from webhook_api.services import transactions as service

FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"occurred_from": "2026-04-05T00:00:00Z"}, "occurred_at >= '2026-04-05Z'"),
    ({"occurred_to": "2026-04-05T00:00:00+02:00"}, "occurred_at < '2026-04-04 22:00Z'"),
    ({"business_date_from": "2026-04-05"}, "business_date >= '2026-04-05'"),
    ({"business_date_to": "2026-04-05"}, "business_date <= '2026-04-05'"),
    (
        {"business_date_from": "2026-04-05", "business_date_to": "2026-04-05", "sort": "occurred"},
        "business_date = '2026-04-05'",
    ),
    ({"kind": "return"}, "kind = 'return'"),
    ({"kind": ["return", "exchange"]}, "kind in ('return', 'exchange')"),
    ({"status": ["open", "canceled"]}, "status in ('open', 'canceled')"),
    ({"revenue_only": "true"}, "is_revenue"),
    ({"revenue_only": "false"}, "true"),
    ({"pos_system": "square"}, "pos_system = 'square'"),
    ({"pos_system": "none"}, "false"),
    ({"configuration_id": str(uuid4())}, "false"),
    ({"changed_since": "2026-04-05T00:00:00Z"}, "true"),
    ({"changed_since": "2199-01-01T00:00:00Z"}, "false"),
    ({"kind": "sale", "revenue_only": "true", "occurred_from": "2026-04-05T00:00:00Z"},
     "kind = 'sale' and is_revenue and occurred_at >= '2026-04-05Z'"),
]  # fmt: skip


def test_every_filter_finds_what_the_marts_have(sales: Sales) -> None:
    [first, second] = sorted({row["external_location_id"] for row in sales.marts()})
    filters = [
        *FILTERS,
        ({"location": first}, f"external_location_id = '{first}'"),
        ({"location": [first, second, "nowhere"]}, "true"),
        ({"configuration_id": str(sales.configuration.id)}, "true"),
    ]
    assert len(sales.ids()) > 50
    for parameters, condition in filters:
        found = [row["transaction_id"] for row in sales.pages(**parameters, limit=40)]
        assert len(found) == len(set(found))
        assert set(found) == sales.ids(condition), parameters


ORDERS: list[tuple[dict[str, Any], str]] = [
    ({}, "-occurred_at"),
    ({"sort": "business_date"}, "-business_date"),
    ({"sort": "changed"}, "normalized_at"),
    ({"business_date_from": "2020-01-01"}, "-business_date"),
    ({"changed_since": "2020-01-01T00:00:00Z"}, "normalized_at"),
    ({"business_date_from": "2020-01-01", "occurred_from": "2020-01-01T00:00:00Z"}, "-occurred_at"),
]


def test_pages_add_up_to_all_rows_once_and_in_order(sales: Sales) -> None:
    sales.touch(*(row["external_order_id"] for row in sales.marts("kind = 'sale'")[:5]))
    for parameters, key in ORDERS:
        rows = sales.pages(**parameters, limit=7)
        assert {row["transaction_id"] for row in rows} == sales.ids()
        assert len(rows) == len(sales.ids())
        values = [_comparable(row[key.removeprefix("-")]) for row in rows]
        assert values == sorted(values, reverse=key.startswith("-"))
        assert len(set(values)) > 1


def _comparable(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def test_rows_that_change_between_pages_are_neither_lost_nor_doubled(sales: Sales) -> None:
    orders = [row["external_order_id"] for row in sales.marts()]
    seen, page = [], sales.page(limit=9)
    while True:
        seen += [row["transaction_id"] for row in page["data"]]
        if not page["has_more"]:
            break
        sales.touch(*orders[len(seen) % 5 :: 11])
        page = sales.page(limit=9, cursor=page["next_cursor"])
    assert len(seen) == len(set(seen))
    assert set(seen) == sales.ids()


def test_every_format_agrees_with_the_marts_to_the_cent(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_CHUNK_ROWS", 7)
    listed = {row["transaction_id"]: row for row in sales.pages(include="items,payments", limit=13)}
    lines = sales.get("/transactions", {"Accept": "application/x-ndjson"}, include="payments,items")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert {row["transaction_id"]: row for row in map(json.loads, lines.text.splitlines())} == listed
    table = sales.get("/transactions", {"Accept": "text/csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    cells = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert list(cells[0]) == list(TRANSACTION_COLUMNS)
    assert {row["transaction_id"]: row for row in cells} == {
        key: {name: _cell(row[name]) for name in TRANSACTION_COLUMNS} for key, row in listed.items()
    }
    marts = {str(row["transaction_id"]): row for row in sales.marts()}
    assert listed.keys() == marts.keys()
    for key, row in listed.items():
        _agree(row, marts[key])
    for part, name in (("items", "item"), ("payments", "payment")):
        given = {row[f"transaction_{name}_id"]: row for each in listed.values() for row in each[part]}
        held = {
            str(row[f"transaction_{name}_id"]): row for row in sales.marts(table=f"pos_transaction_{part}")
        }
        assert given.keys() == held.keys()
        for key, row in given.items():
            _agree(row, held[key])


def _agree(given: dict[str, Any], held: dict[str, Any]) -> None:
    for name, value in given.items():
        if name in ("items", "payments"):
            continue
        if isinstance(held[name], Decimal):
            assert Decimal(value) == held[name]
            assert isinstance(value, str)
        elif isinstance(held[name], datetime):
            assert datetime.fromisoformat(value) == held[name]
        else:
            assert value == (str(held[name]) if isinstance(held[name], UUID | date) else held[name])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def test_an_answer_is_what_the_document_says(sales: Sales) -> None:
    answer = sales.get("/transactions", include="items,payments", limit=1000)
    page = TransactionPage.model_validate_json(answer.text)
    assert len(page.data) == len(sales.ids())
    assert any(row.items and row.payments for row in page.data)


def test_a_page_of_csv_or_lines_links_to_the_next(sales: Sales) -> None:
    for accept, header in (("text/csv", 1), ("application/x-ndjson", 0)):
        found, query = 0, "?limit=25"
        while query:
            answer = sales.client.get(
                f"{sales.address}/transactions{query}", headers={**sales.headers, "Accept": accept}
            )
            found += len(answer.text.splitlines()) - header
            query = answer.links.get("next", {}).get("url", "")
        assert found == len(sales.ids())


def test_a_cursor_is_refused_with_other_filters_and_when_it_was_changed(sales: Sales) -> None:
    cursor = sales.page(limit=5)["next_cursor"]
    assert sales.page(limit=50, cursor=cursor, include="items")["data"]
    for wrong in (
        {"cursor": cursor, "revenue_only": "true"},
        {"cursor": cursor, "sort": "changed"},
        {"cursor": cursor[:-1]},
        {"cursor": cursor.swapcase()},
        {"cursor": "-"},
    ):
        answer = sales.get("/transactions", **wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "query"), wrong


def test_a_page_that_the_client_has_is_not_sent_again(sales: Sales) -> None:
    for accept in ("application/json", "text/csv"):
        headers = {"Accept": accept}
        first = sales.get("/transactions", headers, limit=20)
        again = sales.get("/transactions", {**headers, "If-None-Match": first.headers["etag"]}, limit=20)
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = sales.get("/transactions", {**headers, "If-None-Match": first.headers["etag"]}, limit=21)
        assert other.status_code == 200
        sales.touch(sales.page(limit=1)["data"][0]["external_order_id"])
        changed = sales.get("/transactions", {**headers, "If-None-Match": first.headers["etag"]}, limit=20)
        assert changed.status_code == 200
    tags = {
        sales.get("/transactions", {"Accept": each}, limit=5).headers["etag"] for each in service.MEDIA_TYPES
    }
    assert len(tags) == 3


def test_what_cannot_be_asked_is_a_problem(sales: Sales) -> None:
    for parameters in (
        {"limit": 0}, {"limit": 1001}, {"limit": 10**30}, {"kind": "nothing"}, {"status": "nothing"},
        {"unknown": 1}, {"location": "\x00"}, {"location": ["x"] * 101}, {"location": "x" * 201},
        {"pos_system": "A"}, {"include": "secrets"}, {"sort": "amount"}, {"configuration_id": "1"},
        {"occurred_from": "1700000000"}, {"occurred_from": "0001-01-01T00:00:00+23:59"},
        {"occurred_from": "2026-03-02T00:00:00Z", "occurred_to": "2026-03-01T00:00:00Z"},
        {"business_date_from": "2026-03-02", "business_date_to": "2026-03-01"}, {"cursor": "\x00"},
        {"changed_since": "2026-03-02T00:00:00Z", "sort": "occurred"}, {"cursor": ""},
    ):  # fmt: skip
        answer = sales.get("/transactions", **parameters)
        assert answer.status_code == 422, parameters
        assert answer.headers["content-type"] == "application/problem+json"
    assert sales.get("/transactions", {"Accept": "text/csv"}, include="items").status_code == 422
    refused = sales.get("/transactions", {"Accept": "text/html"})
    assert (refused.status_code, refused.headers["content-type"]) == (406, "application/problem+json")


def test_nobody_elses_sales_are_seen(
    sales: Sales, bearer: Any, connected: list[Any], client: httpx.Client, project: Project
) -> None:
    [other] = {each.tenant_id for each in connected} - {sales.tenant_id}
    theirs = project.rows("select transaction_id from pos_transactions where tenant_id = :id", id=other)
    assert theirs
    assert not {str(row["transaction_id"]) for row in theirs} & {
        row["transaction_id"] for row in sales.pages()
    }
    summary = "/summary?from=2026-03-01&to=2026-04-30"
    for path in ("/transactions", f"/transactions/{theirs[0]['transaction_id']}", summary):
        foreign = client.get(f"{sales.address}{path}", headers=bearer(of=other))
        assert foreign.status_code == 404
        assert client.get(f"{sales.address}{path}").status_code == 401
        assert (
            client.get(f"{sales.address}{path}", headers=bearer("pos:write", of=sales.tenant_id)).status_code
            == 403
        )
    assert sales.get(f"/transactions/{theirs[0]['transaction_id']}").status_code == 404
    nobody = uuid4()
    for accept in service.MEDIA_TYPES:
        empty = client.get(
            f"/api/v1/tenants/{nobody}/pos/transactions", headers={**bearer(of=nobody), "Accept": accept}
        )
        assert empty.status_code == 200
        assert 'transaction_id":' not in empty.text


def test_before_the_first_sync_there_is_a_problem_and_no_failure(
    project: Project, client: httpx.Client, bearer: Any
) -> None:
    tenant = uuid4()
    project.execute("alter table pos_transactions rename to not_made_yet")
    try:
        for path in ("transactions", f"transactions/{uuid4()}", "summary?from=2026-03-01&to=2026-03-01"):
            for accept in service.MEDIA_TYPES:
                headers = {**bearer(of=tenant), "Accept": accept}
                answer = client.get(f"/api/v1/tenants/{tenant}/pos/{path}", headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (503, "database")
    finally:
        project.execute("alter table not_made_yet rename to pos_transactions")
