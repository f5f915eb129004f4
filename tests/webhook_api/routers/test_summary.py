"""Sums over real HTTP: by every group they are those of the marts, to the cent."""

from decimal import Decimal
from typing import Any

import pytest

from tests.webhook_api.sales import Sales
from webhook_api.schemas.transactions import Summary
from webhook_api.services import transactions as service

SPRING: dict[str, Any] = {"from": "2026-03-01", "to": "2026-05-31"}
COLUMNS = {
    "day": ["business_date"],
    "location": ["pos_system", "external_location_id"],
    "pos_system": ["pos_system"],
}


GROUPS = ("", "day", "location", "pos_system", "day,pos_system", "location,day", "day,location,pos_system")


def test_sums_are_those_of_the_marts_in_every_grouping(sales: Sales) -> None:
    revenue = sales.marts("is_revenue")
    for group_by in GROUPS:
        parameters = {**SPRING, "group_by": group_by} if group_by else SPRING
        answer = sales.get("/summary", **parameters).raise_for_status()
        assert Summary.model_validate_json(answer.text).data
        groups = (group_by or "day,location").split(",")
        keys = list(dict.fromkeys([*(name for each in groups for name in COLUMNS[each]), "currency"]))
        assert len(answer.json()["data"]) == len({_key(row, keys) for row in revenue})
        for row in answer.json()["data"]:
            _agree(row, [each for each in revenue if _key(each, keys) == _key(row, keys)])


def _agree(row: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    returns = [each for each in rows if each["kind"] == "return"]
    assert (row["transaction_count"], row["refund_count"]) == (len(rows), len(returns))
    assert Decimal(row["refund_amount"]) == sum(each["total_amount"] for each in returns)
    for name in (name for name in row if name.endswith("_amount") and name != "refund_amount"):
        assert Decimal(row[name]) == sum(each[name] for each in rows)


def _key(row: dict[str, Any], keys: list[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in keys)


def test_both_ends_of_the_range_count(sales: Sales) -> None:
    days = sorted({str(row["business_date"]) for row in sales.marts("is_revenue")})
    first, last = days[1], days[-2]
    parameters: dict[str, Any] = {"from": first, "to": last, "group_by": "day"}
    found = sales.get("/summary", **parameters).json()["data"]
    assert [row["business_date"] for row in found] == days[1:-1]


def test_a_range_without_an_end_and_too_many_rows_are_refused(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {}, {"from": "2026-03-01"}, {"from": "2026-03-02", "to": "2026-03-01"}, {**SPRING, "group_by": ""},
        {"from": "2025-01-01", "to": "2026-01-02"}, {**SPRING, "group_by": "amount"}, {**SPRING, "more": "1"},
    )  # fmt: skip
    for parameters in wrong:
        assert sales.get("/summary", **parameters).status_code == 422, parameters
    longest: dict[str, Any] = {"from": "2025-01-01", "to": "2026-01-01"}
    assert sales.get("/summary", **longest).status_code == 200
    monkeypatch.setattr(service, "_MOST_GROUPS", 3)
    answer = sales.get("/summary", **SPRING)
    assert (answer.status_code, answer.json()["code"]) == (422, "query")
