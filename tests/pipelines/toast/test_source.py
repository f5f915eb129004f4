"""What is read and in which windows, however pages shift and whoever refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from pipelines import json_text
from pipelines.connector import Page, ReadRequest, WindowRead
from pipelines.credentials import NewKeeper
from pipelines.toast import CONNECTOR, source
from pipelines.windows import Plan
from pos_cli.sandbox import connect_accounts
from pos_core.errors import CredentialsError, VendorAuthError, VendorRequestError
from pos_core.repositories.configurations import Configuration
from sandbox.clock import moment_of
from sandbox.toast.driver import BULK, LONG_AGO, Driver
from sandbox.toast.names import time_text
from tests.conftest import Project

Events = list[Page | WindowRead]


@contextmanager
def reading(project: Project, vendor: Driver, account: int = 0, **fields: Any) -> Iterator[ReadRequest]:
    """A request for everything of an account, as the sync makes it."""
    credentials = fields.pop("credentials", vendor.accounts[account]["credentials"])
    keeper = NewKeeper(project.engine, project.vault, CONNECTOR.read_credentials(credentials))
    plan = fields.pop("plan", Plan(moment_of(LONG_AGO)))
    with CONNECTOR.open_http(CONNECTOR.base_url(), keeper) as http:
        account_id = fields.pop("account_id", vendor.account_id(account))
        yield ReadRequest(uuid4(), account_id, keeper.current, http, plan, fields.pop("waiting", {}))


def orders_of(events: Events) -> dict[str, dict[str, Any]]:
    """Every order on the pages, by guid."""
    pages = [each for each in events if isinstance(each, Page) and each.stream == "orders"]
    return {str(document["guid"]): dict(document) for page in pages for document in page.documents}


def bulk_calls(vendor: Driver) -> int:
    """How many pages of orders anybody has asked for."""
    calls = vendor.http.get("/_sandbox/calls").json()
    return sum(each["count"] for each in calls if each["path"] == BULK)


def changed_now(vendor: Driver, document: dict[str, Any]) -> None:
    """Modifies an order now, as a till would."""
    newer = {**document, "modifiedDate": time_text(vendor.now())}
    del newer["restaurantGuid"]
    inject(vendor, newer)


def inject(vendor: Driver, order: dict[str, Any]) -> None:
    """Puts an order into what the first account's list answers."""
    query = {"merchant_id": vendor.account_id(), "stream": "orders"}
    text = json_text.to_text(order)
    vendor.http.post("/_sandbox/inject", params=query, content=text).raise_for_status()


def test_every_order_of_every_restaurant_is_read_with_its_restaurant(
    project: Project, addressed: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_ORDERS_PER_PAGE", 7)
    with reading(project, addressed) as request:
        events = list(CONNECTOR.read(request))
    found = orders_of(events)
    for place in range(len(addressed.accounts[0]["locations"])):
        theirs = set(addressed.orders_of(0, place))
        restaurant = addressed.restaurant(0, place)
        assert {key for key, order in found.items() if order["restaurantGuid"] == restaurant} == theirs
    windows = [each for each in events if isinstance(each, WindowRead) and each.stream == "orders"]
    assert all(each.window_to - each.window_from <= timedelta(days=28) for each in windows)
    assert windows[0].window_from == moment_of(LONG_AGO)
    assert max(each.window_to for each in windows) == moment_of(addressed.now()) - timedelta(seconds=5)


def test_an_order_that_changes_while_pages_are_read_hides_none(
    project: Project, addressed: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the window and shifts what follows, in every pass until the windows are short enough."""
    monkeypatch.setattr(source, "_ORDERS_PER_PAGE", 5)
    before = set(addressed.orders(0))
    events: Events = []
    moved: set[str] = set()
    with reading(project, addressed) as request:
        for event in CONNECTOR.read(request):
            events.append(event)
            if isinstance(event, Page) and event.stream == "orders" and len(moved) < 8 and event.documents:
                document = dict(event.documents[0])
                if document["guid"] not in moved:
                    moved.add(str(document["guid"]))
                    changed_now(addressed, document)
    assert len(moved) == 8
    assert set(orders_of(events)) == before
    windows = [each for each in events if isinstance(each, WindowRead) and each.stream == "orders"]
    for restaurant in {each.location_ids for each in windows}:
        spans = sorted((w.window_from, w.window_to) for w in windows if w.location_ids == restaurant)
        assert spans[0][0] == moment_of(LONG_AGO)
        assert all(left[1] == right[0] for left, right in pairwise(spans))


def test_one_page_is_one_call_and_several_are_read_twice(
    project: Project, addressed: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(moment_of(addressed.now()) - timedelta(days=27))
    with reading(project, addressed, 1, plan=plan) as request:
        count = len(orders_of(list(CONNECTOR.read(request))))
    assert bulk_calls(addressed) == 1
    monkeypatch.setattr(source, "_ORDERS_PER_PAGE", 10)
    with reading(project, addressed, 1, plan=plan) as request:
        assert len(orders_of(list(CONNECTOR.read(request)))) == count
    assert bulk_calls(addressed) == 1 + 2 * -(-count // 10)


def test_a_restaurant_that_refuses_does_not_stop_the_others(project: Project, addressed: Driver) -> None:
    credentials = addressed.accounts[0]["credentials"]
    guids = ["00000000-0000-4000-8000-000000000000", *credentials["restaurant_guids"]]
    read: Events = []
    with (
        reading(project, addressed, credentials={**credentials, "restaurant_guids": guids}) as request,
        pytest.raises((VendorAuthError, VendorRequestError)),
    ):
        read.extend(CONNECTOR.read(request))
    assert set(orders_of(read)) == set(addressed.orders(0))


def test_a_restaurant_of_another_group_is_not_read(project: Project, addressed: Driver) -> None:
    with (
        reading(project, addressed, account_id="another-group") as request,
        pytest.raises(VendorAuthError, match="another management group"),
    ):
        list(CONNECTOR.read(request))
    assert bulk_calls(addressed) == 0


def test_a_published_configuration_is_read_from_its_first_page_again(
    project: Project, addressed: Driver
) -> None:
    """409 in the middle of a list: restart without the token."""
    addressed.control("faults", {"kind": "expire_cursors", "path": "/config/v2", "count": 1})
    with reading(project, addressed) as request:
        events = list(CONNECTOR.read(request))
    pages = [each for each in events if isinstance(each, Page) and each.stream == "config"]
    documents = [document for page in pages for document in page.documents]
    found = {CONNECTOR.identify("config", document).external_id for document in documents}
    expected = {
        f"{addressed.restaurant(0, place)}/{kind}/{each['guid']}"
        for place in range(len(addressed.accounts[0]["locations"]))
        for kind in source.CONFIG_KINDS
        for each in addressed.configured(kind, 0, place)
    }
    assert found == expected


def test_only_changed_names_are_asked_for_once_they_were_read(project: Project, addressed: Driver) -> None:
    until = moment_of(addressed.now())
    history_from = moment_of(LONG_AGO)
    covered = {
        (stream, addressed.restaurant(0, place)): [(history_from, until)]
        for stream in ("config", "orders", "orders_reread")
        for place in range(len(addressed.accounts[0]["locations"]))
    }
    with reading(project, addressed, plan=Plan(history_from, covered)) as request:
        events = list(CONNECTOR.read(request))
    windows = [each for each in events if isinstance(each, WindowRead)]
    assert {each.window_from for each in windows} == {until - timedelta(minutes=10)}
    config = [each for each in events if isinstance(each, Page) and each.stream == "config"]
    assert [document for page in config for document in page.documents] == []


def test_an_incomplete_order_waits_and_is_asked_for_again(
    project: Project, accounts: list[Configuration], vendor: Driver
) -> None:
    """The list names it without its checks; a day's patience begins, and the next sync reads it whole."""
    configuration = next(each for each in accounts if each.account_id == vendor.account_id())
    order = dict(next(iter(vendor.orders_of(0, 1).values())))
    stub = {"guid": order["guid"], "entityType": "Order", "modifiedDate": time_text(vendor.now() - 60_000)}
    inject(vendor, stub)
    report = project.sync(configuration)
    assert report.failed == []
    (waiting,) = project.rows("select * from pos_waiting_documents where resolved_at is null")
    assert (waiting["stream"], waiting["external_id"]) == ("orders", order["guid"])
    whole = {**order, "modifiedDate": time_text(vendor.now() - 30_000)}
    inject(vendor, whole)
    project.sync(configuration)
    assert project.rows("select * from pos_waiting_documents where resolved_at is null") == []


def test_a_partner_finds_its_restaurants_and_a_group_by_one_of_them(
    project: Project, addressed: Driver
) -> None:
    owner = addressed.accounts[0]
    named = sorted(owner["credentials"]["restaurant_guids"])
    one = {**owner["credentials"], "group_restaurant_guid": named[1]}
    del one["restaurant_guids"]
    with reading(project, addressed, credentials=one) as request:
        account = CONNECTOR.confirm(request.http, request.credentials)
    assert account.account_id == owner["account_id"]
    assert sorted(each.external_id for each in account.locations) == named
    partner = addressed.accounts[1]
    assert "restaurant_guids" not in partner["credentials"]
    with reading(project, addressed, 1) as request:
        account = CONNECTOR.confirm(request.http, request.credentials)
    assert [each.external_id for each in account.locations] == [each["id"] for each in partner["locations"]]


def test_a_group_that_names_no_restaurant_is_asked_for_them(project: Project, addressed: Driver) -> None:
    credentials = {**addressed.accounts[0]["credentials"]}
    del credentials["restaurant_guids"]
    with (
        reading(project, addressed, credentials=credentials) as request,
        pytest.raises(CredentialsError, match="restaurant_guids is missing"),
    ):
        CONNECTOR.confirm(request.http, request.credentials)


def test_the_account_is_the_group_that_the_vendor_confirms(
    addressed: Driver, accounts: list[Configuration]
) -> None:
    assert sorted(each.account_id for each in accounts) == sorted(
        addressed.account_id(account) for account in range(len(addressed.accounts))
    )
    again = [configuration.id for _, configuration in connect_accounts(addressed.url)]
    assert sorted(again) == sorted(each.id for each in accounts)
    assert all(isinstance(each.history_from, datetime) for each in accounts)


def test_a_replayed_envelope_lands_with_its_restaurant(
    project: Project, vendor: Driver, accounts: list[Configuration]
) -> None:
    configuration = next(each for each in accounts if each.account_id == vendor.account_id())
    order = next(iter(vendor.orders_of(0, 1).values()))
    details = {"restaurantGuid": vendor.restaurant(0, 1), "order": order}
    project.replay(configuration, "orders", {"eventType": "order_updated", "details": details})
    query = "select payload ->> 'restaurantGuid' from raw_toast.orders"
    assert project.value(query) == vendor.restaurant(0, 1)
    project.replay(configuration, "orders", {**order, "guid": "bare"})
    project.normalise()
    (waiting,) = project.rows(
        "select external_id, reason from pos_waiting_documents where reason like '%exactly%'"
    )
    assert waiting["external_id"] == "bare"


def test_the_documented_limits_are_kept(
    project: Project, addressed: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox counts as Toast does: five pages of orders a second, twenty calls, per restaurant."""
    monkeypatch.setattr(source, "_ORDERS_PER_PAGE", 6)
    addressed.control("settings", {"limits": 1})
    with reading(project, addressed) as request:
        found = orders_of(list(CONNECTOR.read(request)))
        calls, retries = request.http.usage.calls, request.http.usage.retries
    assert set(found) == set(addressed.orders(0))
    assert calls > 20
    assert retries <= calls // 5
