"""Configuration: names of what orders refer to, page tokens, and what happens when it is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.clock import HOUR
from sandbox.toast.api import TOKEN_HEADER
from sandbox.toast.config import KINDS
from sandbox.toast.driver import Driver
from sandbox.toast.names import time_text

DISCOUNTS = "/config/v2/discounts"


def references(order: dict[str, Any]) -> dict[str, set[str]]:
    """The configured things that an order refers to, by kind."""
    checks = order["checks"]
    lines = [line for check in checks for line in check["selections"]]
    discounts = [each for owner in [*checks, *lines] for each in owner["appliedDiscounts"]]
    charges = [each for check in checks for each in check["appliedServiceCharges"]]
    payments = [each for check in checks for each in check["payments"]]
    taxes = [tax for owner in [*lines, *charges] for tax in owner["appliedTaxes"]]
    found: dict[str, list[dict[str, Any] | None]] = {
        "discounts": [each["discount"] for each in discounts],
        "serviceCharges": [each["serviceCharge"] for each in charges],
        "salesCategories": [line["salesCategory"] for line in lines],
        "diningOptions": [order["diningOption"], *(line["diningOption"] for line in lines)],
        "revenueCenters": [order["revenueCenter"]],
        "alternatePaymentTypes": [each["otherPayment"] for each in payments],
        "taxRates": [tax["taxRate"] for tax in taxes],
        "voidReasons": [line["voidReason"] for line in lines],
    }
    return {kind: {each["guid"] for each in some if each is not None} for kind, some in found.items()}


def test_everything_that_orders_refer_to_is_configured_in_their_restaurant(grown: Driver) -> None:
    for place in range(len(grown.accounts[0]["locations"])):
        used: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for order in grown.orders_of(0, place).values():
            for kind, guids in references(order).items():
                used[kind] |= guids
        for kind, guids in used.items():
            known = {each["guid"] for each in grown.configured(kind, 0, place)}
            assert guids <= known, kind
            assert guids, kind


def test_restaurants_have_things_of_their_own_by_the_same_names(shared: Driver) -> None:
    here, there = shared.configured("discounts"), shared.configured("discounts", place=1)
    assert not {each["guid"] for each in here} & {each["guid"] for each in there}
    assert {each["name"] for each in here} == {each["name"] for each in there}


def test_the_next_page_is_asked_for_by_the_token_of_the_header(shared: Driver) -> None:
    first = shared.get(DISCOUNTS)
    second = shared.get(DISCOUNTS, pageToken=first.headers[TOKEN_HEADER])
    assert [len(first.json()), len(second.json())] == [4, 3]
    assert TOKEN_HEADER not in second.headers
    assert shared.get(DISCOUNTS, pageToken=first.headers[TOKEN_HEADER]).content == second.content


@pytest.mark.parametrize("path", ["/config/v2/taxRates", DISCOUNTS])
def test_a_token_belongs_to_its_list(shared: Driver, path: str) -> None:
    token = shared.get(DISCOUNTS).headers[TOKEN_HEADER]
    assert shared.get(path, place=1, pageToken=token).status_code == 400
    assert shared.get(DISCOUNTS, pageToken="made-up").status_code == 400


def test_a_configuration_published_between_two_pages_answers_409(fresh: Driver) -> None:
    token = fresh.get(DISCOUNTS).headers[TOKEN_HEADER]
    fresh.control("edits")
    fresh.forget_tokens()
    refused = fresh.get(DISCOUNTS, pageToken=token)
    assert (refused.status_code, refused.json()["status"]) == (409, 409)
    assert len(fresh.configured("discounts")) == 7


def test_a_409_comes_on_demand(fresh: Driver) -> None:
    token = fresh.get(DISCOUNTS).headers[TOKEN_HEADER]
    assert fresh.control("faults", {"kind": "expire_cursors"}) == {"expired": 1}
    assert fresh.get(DISCOUNTS, pageToken=token).status_code == 409
    fresh.control("faults", {"kind": "expire_cursors", "path": DISCOUNTS, "count": 1})
    again = fresh.get(DISCOUNTS).headers[TOKEN_HEADER]
    assert fresh.get(DISCOUNTS, pageToken=again).status_code == 409
    assert fresh.get(DISCOUNTS, pageToken=again).status_code == 200


def test_only_what_changed_is_listed_on_demand(fresh: Driver) -> None:
    before = fresh.now()
    names = {each["guid"]: each["name"] for each in fresh.configured("discounts")}
    assert fresh.configured("discounts", lastModified=time_text(before)) == []
    fresh.control("edits")
    fresh.forget_tokens()
    changed = fresh.configured("discounts", lastModified=time_text(before))
    assert len(changed) == 1
    assert names[changed[0]["guid"]] == "Staff"
    assert changed[0]["name"] == "Staff 1"
    assert fresh.configured("discounts", lastModified=time_text(fresh.now() - HOUR)) == []
    assert fresh.get(DISCOUNTS, lastModified="lately").status_code == 400


def test_one_thing_is_answered_by_its_identifier(shared: Driver) -> None:
    listed = shared.configured("serviceCharges")[0]
    assert shared.read(f"/config/v2/serviceCharges/{listed['guid']}") == listed
    assert shared.get(f"/config/v2/discounts/{listed['guid']}").status_code == 404


def test_an_injected_thing_is_listed_verbatim(fresh: Driver) -> None:
    text = json.dumps({"guid": "stranger", "entityType": "Discount", "name": "Nut\\u0000"})
    query = {"merchant_id": fresh.account_id(), "stream": "discounts"}
    fresh.http.post("/_sandbox/inject", params=query, content=text).raise_for_status()
    assert fresh.get("/config/v2/discounts/stranger").text == text
    assert json.loads(text) in fresh.configured("discounts")
