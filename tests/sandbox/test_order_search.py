"""SearchOrders and BatchRetrieveOrders: every rule of the vendor, by name.

Source: Square API 2025-08-20.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clock import parse_instant
from sandbox.engine import Options
from sandbox.square.driver import LONG_AGO, Driver, serving


def times(name: str, **bounds: str) -> dict[str, Any]:
    """A filter by one time."""
    return {"date_time_filter": {name: bounds or {"start_at": LONG_AGO}}}


def query(filters: dict[str, Any], field: str | None = None, order: str = "ASC") -> dict[str, Any]:
    """A query with an optional sort."""
    sort = {} if field is None else {"sort": {"sort_field": field, "sort_order": order}}
    return {"filter": filters, **sort}


def test_location_ids_are_required(shared: Driver) -> None:
    assert shared.code(shared.search({})) == (400, "MISSING_REQUIRED_PARAMETER")


def test_at_most_ten_locations() -> None:
    with serving(Options(scale="large", orders=60)) as driver:
        assert len(driver.locations()) == 12
        body = driver.search_body(location_ids=driver.locations())
        assert driver.code(driver.search(body)) == (400, "ARRAY_LENGTH_TOO_LONG")
        assert len(driver.orders()) == len(driver.truth()["transactions"])


def test_locations_of_another_merchant_are_refused(shared: Driver) -> None:
    body = shared.search_body(location_ids=shared.locations(1))
    assert shared.code(shared.search(body)) == (400, "INVALID_VALUE")


@pytest.mark.parametrize(("limit", "code"), [(1001, "VALUE_TOO_HIGH"), (0, "VALUE_TOO_LOW")])
def test_limit_is_within_1_and_1000(shared: Driver, limit: int, code: str) -> None:
    assert shared.code(shared.search(shared.search_body(limit=limit))) == (400, code)


def test_exactly_one_time_filter(shared: Driver) -> None:
    both = {"date_time_filter": {**times("created_at")["date_time_filter"], "updated_at": {"a": 1}}}
    body = shared.search_body(query=query(both, "UPDATED_AT"))
    assert shared.code(shared.search(body)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("field", [None, "CREATED_AT", "CLOSED_AT"])
def test_sort_field_must_be_the_time_that_is_filtered(shared: Driver, field: str | None) -> None:
    body = shared.search_body(query=query(times("updated_at"), field))
    assert shared.code(shared.search(body)) == (400, "BAD_REQUEST")


def test_default_sort_is_newest_created_first(shared: Driver) -> None:
    body = {"location_ids": shared.locations(), "limit": 20}
    created = [parse_instant(each["created_at"]) for each in shared.search(body).json()["orders"]]
    assert created == sorted(created, reverse=True)


def test_closed_at_with_open_orders_is_refused(shared: Driver) -> None:
    for states in ([], ["OPEN", "COMPLETED"], ["DRAFT"]):
        filters = {**times("closed_at"), "state_filter": {"states": states}}
        body = shared.search_body(query=query(filters, "CLOSED_AT"))
        assert shared.code(shared.search(body)) == (400, "BAD_REQUEST")
    filters = {**times("closed_at"), "state_filter": {"states": ["COMPLETED", "CANCELED"]}}
    orders = shared.search(shared.search_body(query=query(filters, "CLOSED_AT"))).json()["orders"]
    closed = [parse_instant(each["closed_at"]) for each in orders]
    assert closed == sorted(closed)
    assert {each["state"] for each in orders} == {"COMPLETED", "CANCELED"}


def test_both_bounds_are_inclusive(shared: Driver) -> None:
    order = next(iter(shared.orders().values()))
    at = order["updated_at"]
    body = shared.search_body(query=query(times("updated_at", start_at=at, end_at=at), "UPDATED_AT"))
    assert order["id"] in {each["id"] for each in shared.search(body).json()["orders"]}


def test_times_that_are_no_times_are_refused(shared: Driver) -> None:
    body = shared.search_body(query=query(times("updated_at", start_at="soon"), "UPDATED_AT"))
    assert shared.code(shared.search(body)) == (400, "INVALID_TIME")
    bounds = {"start_at": "2026-04-02T00:00:00Z", "end_at": "2026-04-01T00:00:00Z"}
    body = shared.search_body(query=query(times("updated_at", **bounds), "UPDATED_AT"))
    assert shared.code(shared.search(body)) == (400, "INVALID_TIME_RANGE")


def test_an_empty_answer_has_no_orders_key(shared: Driver) -> None:
    bounds = {"start_at": "2020-01-01T00:00:00Z", "end_at": "2020-01-02T00:00:00Z"}
    body = shared.search_body(query=query(times("updated_at", **bounds), "UPDATED_AT"))
    assert shared.search(body).json() == {}


def test_entries_name_orders_without_their_content(shared: Driver) -> None:
    answer = shared.search(shared.search_body(return_entries=True)).json()
    assert "orders" not in answer
    assert all(set(each) <= {"order_id", "version", "location_id"} for each in answer["order_entries"])
    assert any("version" not in each for each in answer["order_entries"])


def test_states_and_sources_and_customers_and_fulfilments_filter_together(shared: Driver) -> None:
    pickup = next(each for each in shared.orders().values() if "fulfillments" in each)
    filters = {
        "state_filter": {"states": [pickup["state"]]},
        "source_filter": {"source_names": [pickup["source"]["name"]]},
        "customer_filter": {"customer_ids": [pickup["customer_id"]]},
        "fulfillment_filter": {"fulfillment_types": ["PICKUP"]},
    }
    body = {"location_ids": shared.locations(), "query": {"filter": filters}}
    found = shared.search(body).json()["orders"]
    assert pickup["id"] in {each["id"] for each in found}
    assert {each["state"] for each in found} == {pickup["state"]}
    assert all("fulfillments" in each for each in found)


def test_batch_retrieve_leaves_unknown_ids_out(shared: Driver) -> None:
    known = list(shared.orders())[:3]
    answer = shared.post("/v2/orders/batch-retrieve", {"order_ids": [*known, "nobody"]}).json()
    assert [each["id"] for each in answer["orders"]] == known
    foreign = list(shared.orders(1))[:1]
    assert shared.post("/v2/orders/batch-retrieve", {"order_ids": foreign}).json() == {}


def test_batch_retrieve_takes_at_most_100_ids(shared: Driver) -> None:
    answer = shared.post("/v2/orders/batch-retrieve", {"order_ids": ["x"] * 101})
    assert shared.code(answer) == (400, "ARRAY_LENGTH_TOO_LONG")


def test_one_order_by_id(shared: Driver) -> None:
    key, order = next(iter(shared.orders().items()))
    assert shared.get(f"/v2/orders/{key}").json() == {"order": order}
    assert shared.code(shared.get("/v2/orders/nobody")) == (404, "NOT_FOUND")


def test_body_must_be_json(shared: Driver) -> None:
    answer = shared.http.post("/v2/orders/search", content=b"{", headers=shared.headers())
    assert shared.code(answer) == (400, "EXPECTED_JSON_BODY")


def test_lines_are_missing_for_the_first_reads_of_a_new_order(fresh: Driver) -> None:
    fresh.control("settings", {"lag_reads": 2})
    key = fresh.control("sell", {"merchant_id": fresh.merchant_id(), "count": 1})["created"][0]
    reads = [fresh.get(f"/v2/orders/{key}").json()["order"] for _ in range(3)]
    assert ["line_items" in each for each in reads] == [False, False, True]
    assert reads[0]["total_money"]["amount"] > 0
