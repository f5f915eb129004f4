"""Pages and cursors: bound to their query, short-lived, over rows that move."""

from __future__ import annotations

import pytest

from sandbox.square.driver import Driver


def first_cursor(driver: Driver) -> str:
    """A cursor of the search that ``search_body(limit=5)`` is."""
    return str(driver.search(driver.search_body(limit=5)).json()["cursor"])


def test_the_list_ends_where_there_is_no_cursor(shared: Driver) -> None:
    pages = list(shared.chain(shared.search_body(limit=7)))
    assert all(page["cursor"] for page in pages[:-1])
    assert "cursor" not in pages[-1]
    keys = [order["id"] for page in pages for order in page["orders"]]
    assert len(keys) == len(set(keys)) == len(shared.truth(0)["transactions"])


def test_a_page_may_be_shorter_than_its_limit(shared: Driver) -> None:
    sizes = [len(page["orders"]) for page in shared.chain(shared.search_body(limit=6))]
    assert sizes[:3] == [6, 4, 6]


@pytest.mark.parametrize("change", [{"query": {}}, {"location_ids": "one"}, {"return_entries": True}])
def test_a_cursor_belongs_to_its_query(shared: Driver, change: dict[str, object]) -> None:
    if change.get("location_ids"):
        change = {"location_ids": shared.locations()[:1]}
    body = {**shared.search_body(limit=5), **change, "cursor": first_cursor(shared)}
    assert shared.code(shared.search(body)) == (400, "INVALID_CURSOR")


def test_a_cursor_belongs_to_its_merchant(shared: Driver) -> None:
    body = shared.search_body(1, limit=5, cursor=first_cursor(shared))
    assert shared.code(shared.search(body, 1)) == (400, "INVALID_CURSOR")


def test_a_cursor_can_be_used_again(shared: Driver) -> None:
    body = shared.search_body(limit=5, cursor=first_cursor(shared))
    first, again = shared.search(body).json(), shared.search(body).json()
    assert first["orders"] == again["orders"]


def test_an_unknown_cursor_is_refused(shared: Driver) -> None:
    answer = shared.search(shared.search_body(cursor="made-up"))
    assert shared.code(answer) == (400, "INVALID_CURSOR")


def test_a_cursor_dies_after_some_minutes_of_sandbox_time(fresh: Driver) -> None:
    body = fresh.search_body(limit=5, cursor=first_cursor(fresh))
    fresh.control("clock", {"advance_seconds": 299})
    assert fresh.search(body).status_code == 200
    fresh.control("clock", {"advance_seconds": 2})
    assert fresh.code(fresh.search(body)) == (400, "INVALID_CURSOR")


def test_cursors_die_on_demand(fresh: Driver) -> None:
    body = fresh.search_body(limit=5, cursor=first_cursor(fresh))
    assert fresh.control("faults", {"kind": "expire_cursors"}) == {"expired": 1}
    assert fresh.code(fresh.search(body)) == (400, "INVALID_CURSOR")


def test_only_requests_with_a_cursor_meet_a_counted_cursor_fault(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "expire_cursors", "path": "/v2/orders/search", "count": 1})
    body = fresh.search_body(limit=5, cursor=first_cursor(fresh))
    assert fresh.code(fresh.search(body)) == (400, "INVALID_CURSOR")
    assert fresh.search(body).status_code == 200


def test_without_an_end_the_chain_ends_at_its_first_request(fresh: Driver) -> None:
    body = fresh.search_body(limit=5)
    cursor = fresh.search(body).json()["cursor"]
    fresh.control("clock", {"advance_seconds": 60})
    sold = fresh.control("sell", {"merchant_id": fresh.merchant_id(), "count": 3})["created"]
    keys = {
        order["id"]
        for page in fresh.chain({**body, "cursor": cursor, "limit": 1000})
        for order in page["orders"]
    }
    assert not keys & set(sold)
    assert set(sold) <= set(fresh.orders())


def test_rows_that_change_while_paging_move(fresh: Driver) -> None:
    # Newest first, an order that changes goes to the front, behind the reader's back.
    edited = fresh.search_body(limit=5)
    edited["query"]["sort"]["sort_order"] = "DESC"
    fresh.control("settings", {"cursor_seconds": 200_000})
    first = fresh.search(edited).json()
    changed = set(fresh.control("edits", {})["merchants"][0]["changed"])
    seen = {order["id"] for order in first["orders"]}
    rest = {**edited, "limit": 1000, "cursor": first["cursor"]}
    seen |= {order["id"] for page in fresh.chain(rest) for order in page["orders"]}
    assert changed - seen
    assert changed <= set(fresh.orders())
