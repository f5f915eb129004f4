"""What is asked of Square, in which windows, and what happens when its cursors die."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pipelines.connector import Page, ReadRequest, WindowRead
from pipelines.credentials import NewKeeper
from pipelines.http import VendorHttp
from pipelines.square import client, source
from pipelines.windows import Interval, Plan
from pos_core.errors import VendorRequestError
from tests.conftest import Project
from tests.pipelines.scripted import Reply, ScriptedVendor

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 12, 18, tzinfo=UTC)
DATE = {"date": "Sun, 12 Apr 2026 18:00:00 GMT"}
DEAD_CURSOR = Reply(400, b'{"errors":[{"code":"INVALID_CURSOR"}]}')


@pytest.fixture
def http(vendor: ScriptedVendor, project: Project) -> Iterator[VendorHttp]:
    """A client with a token."""
    keeper = NewKeeper(project.engine, project.vault, {"access_token": "for-a-test"})
    with client.open_http(vendor.url, keeper) as http:
        yield http


def answer(**body: Any) -> Reply:
    """An answer of the vendor's, by its own clock."""
    return Reply(body=json.dumps(body).encode(), headers=DATE)


def read(http: VendorHttp, covered: dict[tuple[str, str], list[Interval]] | None = None) -> list[Any]:
    """All that a read yields."""
    plan = Plan(BEGINNING, covered or {})
    return list(source.read(ReadRequest(UUID(int=1), "M1", {}, http, plan)))


def spans(events: list[Any], stream: str) -> list[tuple[tuple[str, ...], datetime, datetime]]:
    """The windows of a stream."""
    return [
        (each.location_ids, each.window_from, each.window_to)
        for each in events
        if isinstance(each, WindowRead) and each.stream == stream
    ]


def bodies(vendor: ScriptedVendor, path: str) -> list[Any]:
    """What was sent to a path."""
    return [json.loads(each.body) for each in vendor.requests if each.path == path]


def test_an_account_without_shops_is_read_without_searching_orders(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    vendor.replies = [answer()]
    events = read(http)
    assert bodies(vendor, "/v2/orders/search") == []
    assert spans(events, "catalog") == [(("",), BEGINNING, NOW)]
    assert spans(events, "refunds") == [(("",), BEGINNING, NOW)]


def test_shops_with_the_same_windows_share_a_search_of_ten_at_most(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    shops = [{"id": f"L{number:02d}"} for number in range(23)]
    read_before = [(BEGINNING, NOW - timedelta(days=1))]
    covered = {("orders", "L05"): read_before, ("orders_reread", "L05"): [(BEGINNING, NOW)]}
    vendor.replies = [answer(locations=shops), answer()]
    events = read(http, covered)
    searches = bodies(vendor, "/v2/orders/search")
    assert sorted(len(each["location_ids"]) for each in searches) == [1, 2, 10, 10]
    (late,) = [each for each in searches if each["location_ids"] == ["L05"]]
    span = late["query"]["filter"]["date_time_filter"]["updated_at"]
    assert span == {"start_at": "2026-04-11T17:50:00.000Z", "end_at": "2026-04-12T18:00:00.000Z"}
    read_of = [location for locations, _, _ in spans(events, "orders") for location in locations]
    assert sorted(read_of) == [shop["id"] for shop in shops]


def test_each_page_begins_at_the_time_of_the_last_document_and_ends_a_window(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    page = [
        {"id": "a", "updated_at": "2026-02-01T00:00:00.5Z"},
        {"id": "b", "updated_at": "2026-02-02T00:00:00Z"},
    ]
    vendor.replies = [
        answer(locations=[{"id": "L1"}]), answer(), answer(), answer(),
        answer(orders=page, cursor="never-used"), answer(orders=page[1:]),
    ]  # fmt: skip
    events = read(http)
    middle = datetime(2026, 2, 2, tzinfo=UTC)
    assert spans(events, "orders") == [(("L1",), BEGINNING, middle), (("L1",), middle, NOW)]
    first, second = bodies(vendor, "/v2/orders/search")
    assert (
        second["query"]["filter"]["date_time_filter"]["updated_at"]["start_at"] == "2026-02-02T00:00:00.000Z"
    )
    assert "cursor" not in second
    assert first["query"]["sort"] == {"sort_field": "UPDATED_AT", "sort_order": "ASC"}


def test_only_where_a_page_shares_one_instant_is_the_cursor_followed(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    page = [{"id": key, "updated_at": "2026-01-01T00:00:00Z"} for key in "ab"]
    vendor.replies = [
        answer(locations=[{"id": "L1"}]), answer(), answer(), answer(),
        answer(orders=page, cursor="c"), DEAD_CURSOR, answer(orders=page, cursor="d"), answer(),
    ]  # fmt: skip
    events = read(http)
    assert [each.get("cursor") for each in bodies(vendor, "/v2/orders/search")] == [None, "c", None, "d"]
    assert spans(events, "orders") == [(("L1",), BEGINNING, NOW)]


def test_the_catalogue_is_searched_again_when_its_cursor_dies(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    one, two = {"id": "I1", "type": "ITEM"}, {"id": "I2", "type": "ITEM"}
    vendor.replies = [
        answer(), answer(objects=[one], cursor="c"), DEAD_CURSOR,
        answer(objects=[one], cursor="d"), answer(objects=[two]), answer(),
    ]  # fmt: skip
    events = read(http)
    pages = [each.documents for each in events if isinstance(each, Page) and each.stream == "catalog"]
    assert pages == [[one], [one], [two]]
    assert spans(events, "catalog") == [(("",), BEGINNING, NOW)]
    assert bodies(vendor, "/v2/catalog/search")[0]["begin_time"] == "2025-12-31T23:59:59.999Z"


def test_a_catalogue_whose_cursors_always_die_is_given_up(vendor: ScriptedVendor, http: VendorHttp) -> None:
    vendor.replies = [answer(), *[answer(objects=[], cursor="c"), DEAD_CURSOR] * 3]
    with pytest.raises(VendorRequestError, match="INVALID_CURSOR"):
        read(http)


def test_orders_that_are_waited_for_are_asked_for_by_the_hundred(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    ids = [f"o{number}" for number in range(150)]
    request = ReadRequest(UUID(int=1), "M1", {}, http, Plan(BEGINNING), {"orders": ids})
    vendor.replies = [answer()]
    list(source.read(request))
    asked = bodies(vendor, "/v2/orders/batch-retrieve")
    assert [len(each["order_ids"]) for each in asked] == [100, 50]
    assert [key for each in asked for key in each["order_ids"]] == ids
