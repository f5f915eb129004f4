"""Lists of orders: windows, pages, links, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.clock import DAY, HOUR, MINUTE, WORLD_END, parse_instant
from sandbox.toast.driver import BULK, LONG_AGO, Driver
from sandbox.toast.names import time_text

WINDOW: dict[str, Any] = {
    "startDate": "2026-03-16T00:00:00.000+0000",
    "endDate": "2026-04-13T00:00:00.000+0000",
}


def message(driver: Driver, **parameters: Any) -> tuple[int, str]:
    """Status and message of a refusal."""
    answer = driver.get(BULK, **parameters)
    return answer.status_code, str(answer.json()["message"])


def test_pages_are_followed_by_links_that_have_no_last(shared: Driver) -> None:
    answer = shared.get(BULK, **WINDOW, pageSize=7)
    assert set(answer.links) == {"first", "self", "next"}
    assert "Toast-Total-Result-Count" not in answer.headers
    second = shared.http.get(answer.links["next"]["url"], headers=shared.headers())
    assert set(second.links) == {"first", "self", "prev", "next"}
    assert second.links["prev"]["url"] == answer.links["self"]["url"] == answer.links["first"]["url"]
    pages = list(shared.pages(LONG_AGO + 12 * DAY, WORLD_END, page_size=7))
    assert [len(page) for page in pages[:-1]] == [7] * (len(pages) - 1)
    keys = [order["guid"] for page in pages for order in page]
    assert len(keys) == len(set(keys)) > 20


def test_a_page_behind_the_end_is_empty(shared: Driver) -> None:
    answer = shared.get(BULK, **WINDOW, page=50, pageSize=100)
    assert answer.json() == []
    assert "next" not in answer.links


def test_the_start_is_in_the_window_and_the_end_is_not(shared: Driver) -> None:
    order = next(iter(shared.orders_of().values()))
    at = parse_instant(order["modifiedDate"])

    def holds(start_at: int, end_at: int) -> bool:
        return order["guid"] in {each["guid"] for page in shared.pages(start_at, end_at) for each in page}

    assert holds(at, at + 1)
    assert not holds(at - HOUR, at)
    assert not holds(at + 1, at + HOUR)


def test_an_order_is_found_by_its_last_change_and_not_by_its_opening(shared: Driver) -> None:
    orders = shared.orders_of().values()
    late = [
        order
        for order in orders
        if parse_instant(order["modifiedDate"]) - parse_instant(order["openedDate"]) > 2 * DAY
    ]
    assert late
    opened_at = parse_instant(late[0]["openedDate"])
    found = [order for page in shared.pages(opened_at - MINUTE, opened_at + MINUTE) for order in page]
    assert late[0]["guid"] not in {order["guid"] for order in found}


def test_other_offsets_mean_the_same_instant(shared: Driver) -> None:
    zulu = shared.get(BULK, startDate="2026-03-16T00:00:00Z", endDate="2026-04-13T00:00:00.000Z")
    east = shared.get(BULK, startDate="2026-03-16T05:00:00+0500", endDate="2026-04-12T19:00:00-05:00")
    assert zulu.content == east.content == shared.get(BULK, **WINDOW).content


def test_times_are_in_utc_with_milliseconds_and_an_offset_without_colon(shared: Driver) -> None:
    for order in shared.orders_of().values():
        for key in ("openedDate", "modifiedDate", "paidDate"):
            if order[key] is not None:
                assert order[key] == time_text(parse_instant(order[key]))


def test_the_order_of_a_list_tells_nothing(shared: Driver) -> None:
    times = [
        order["modifiedDate"] for page in shared.pages(WORLD_END - 28 * DAY, WORLD_END) for order in page
    ]
    assert times != sorted(times)
    assert times != sorted(times, reverse=True)


def test_an_order_that_changes_while_paging_shifts_the_pages_behind_it(fresh: Driver) -> None:
    fresh.control("settings", {"token_seconds": 10_000_000})
    end_at = WORLD_END + 1
    before = [order["guid"] for order in next(fresh.pages(WORLD_END - 28 * DAY, end_at))]
    pages = fresh.pages(WORLD_END - 28 * DAY, end_at, page_size=5)
    first = [order["guid"] for order in next(pages)]
    fresh.control("edits")
    rest = [order["guid"] for page in pages for order in page]
    after = [order["guid"] for order in next(fresh.pages(WORLD_END - 28 * DAY, end_at))]
    assert set(before) > set(after)
    assert set(first + rest) < set(before)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"startDate": WINDOW["startDate"]},
        {"endDate": WINDOW["endDate"]},
        {**WINDOW, "businessDate": "20260401"},
    ],
)
def test_either_a_window_or_a_business_date_is_required(shared: Driver, parameters: dict[str, Any]) -> None:
    expected = "EITHER (startDate and endDate) OR businessDate is required"
    assert message(shared, **parameters) == (400, expected)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"startDate": "2015-11-30T23:59:59.999+0000"}, "2015-12-01"),
        ({"endDate": WINDOW["startDate"]}, "later than"),
        ({"startDate": "2026-03-12T00:00:00.000+0000"}, "one month"),
        ({"startDate": "yesterday"}, "no date and time"),
        ({"startDate": "2026-03-16T00:00:00.000"}, "no date and time"),
        ({"page": 0}, "page must"),
        ({"page": "one"}, "page must"),
        ({"pageSize": 101}, "pageSize must"),
        ({"pageSize": -1}, "pageSize must"),
    ],
)
def test_values_out_of_range_are_refused(shared: Driver, changes: dict[str, object], part: str) -> None:
    status, text = message(shared, **{**WINDOW, **changes})
    assert status == 400
    assert part in text


def test_a_plus_that_was_not_encoded_is_no_time(shared: Driver) -> None:
    query = f"startDate={WINDOW['startDate']}&endDate={WINDOW['endDate']}"
    assert shared.http.get(f"{BULK}?{query}", headers=shared.headers()).status_code == 400


def test_a_business_date_lists_what_was_opened_or_promised_for_it(grown: Driver) -> None:
    orders = grown.orders_of()
    days = [f"202603{day:02d}" for day in range(14, 32)] + [f"202604{day:02d}" for day in range(1, 21)]
    listed = {int(day): {order["guid"] for order in grown.read(BULK, businessDate=day)} for day in days}
    assert all(key in listed[order["businessDate"]] for key, order in orders.items())
    elsewhere = {key for day, keys in listed.items() for key in keys if orders[key]["businessDate"] != day}
    assert elsewhere == {key for key, order in orders.items() if order["promisedDate"] is not None} != set()
    assert grown.get(BULK, businessDate="2026-04-01").status_code == 400


def test_one_order_is_the_same_as_in_the_list(shared: Driver) -> None:
    key, order = next(iter(shared.orders_of().items()))
    assert shared.read(f"/orders/v2/orders/{key}") == order
    assert shared.get(f"/orders/v2/orders/{key}", place=1).status_code == 404
    assert shared.get("/orders/v2/orders/not-a-guid").status_code == 400


def test_amounts_are_numbers_that_keep_their_digits(grown: Driver) -> None:
    text = grown.get(BULK, **WINDOW).text
    amounts = set(re.findall(r'"(?:amount|price|taxAmount)":([^,}]+)', text))
    assert all(re.fullmatch(r"-?\d+(\.\d{0,2}[1-9])?", each) for each in amounts)
    assert any("." in each for each in amounts)
    assert any("." not in each for each in amounts)
