"""The vendor's own SDK drives the sandbox: it builds the requests, and its types accept the answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from square import Square
from square.core.api_error import ApiError

from sandbox.square.driver import LONG_AGO, Driver


@pytest.fixture
def client(shared: Driver) -> Iterator[Square]:
    with _sdk(shared, shared.accounts[0]["credentials"]["access_token"]) as client:
        yield client


@contextmanager
def _sdk(sandbox: Driver, token: str) -> Iterator[Square]:
    with httpx.Client() as http:
        yield Square(base_url=sandbox.url, token=token, httpx_client=http)


def test_the_sdk_finds_every_order_of_a_search(shared: Driver, client: Square) -> None:
    span = {"start_at": LONG_AGO}
    found: dict[str, int | None] = {}
    cursor = None
    while True:
        answer = client.orders.search(
            location_ids=shared.locations(),
            limit=20,
            cursor=cursor,
            query={
                "filter": {"date_time_filter": {"updated_at": span}},
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
        )
        for order in answer.orders or []:
            money = order.total_money
            found[str(order.id)] = None if money is None else money.amount
        cursor = answer.cursor
        if cursor is None:
            break
    expected = {key: order.get("total_money", {}).get("amount") for key, order in shared.orders().items()}
    assert found == expected


def test_the_sdk_pages_through_payments_and_refunds(shared: Driver, client: Square) -> None:
    for location in shared.locations():
        listed = list(client.payments.list(location_id=location, limit=10))
        assert {each.id for each in listed} == {
            each["id"] for each in shared.payments() if each["location_id"] == location
        }
    refunds = list(client.refunds.list(limit=3))
    assert [each.id for each in refunds] == [each["id"] for each in shared.listed("/v2/refunds", "refunds")]


def test_the_sdk_retrieves_orders_by_id_and_leaves_out_unknown_ones(shared: Driver, client: Square) -> None:
    some = sorted(shared.orders())[:5]
    answer = client.orders.batch_get(order_ids=[*some, "nothing-has-this-id"])
    assert {order.id for order in answer.orders or []} == set(some)


def test_the_sdk_reads_locations_and_the_catalogue(shared: Driver, client: Square) -> None:
    locations = client.locations.list().locations or []
    assert [each.id for each in locations] == shared.locations()
    answer = client.catalog.search(object_types=["ITEM", "CATEGORY"], include_deleted_objects=True)
    assert {each.type for each in answer.objects or []} == {"ITEM", "CATEGORY"}


def test_the_sdk_raises_its_own_error_for_a_token_that_nobody_has(shared: Driver) -> None:
    with _sdk(shared, "made-up") as stranger, pytest.raises(ApiError) as caught:
        stranger.locations.list()
    assert caught.value.status_code == 401
