"""Restaurants, their group, a partner's connections, and who may ask about whom."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.toast.api import RESTAURANT_HEADER
from sandbox.toast.driver import BULK, Driver

ANY_DAY: dict[str, Any] = {"businessDate": "20260401"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_a_restaurant_tells_zone_closeout_hour_and_currency(shared: Driver) -> None:
    for account, each in enumerate(shared.accounts):
        for place, location in enumerate(each["locations"]):
            path = f"/restaurants/v1/restaurants/{location['id']}"
            general = shared.read(path, account, place)["general"]
            assert ZoneInfo(general["timeZone"]).key == location["timezone"]
            assert general["closeoutHour"] in (3, 4, 5)
            assert general["currencyCode"] == location["currency"] == "USD"
            assert general["managementGroupGuid"] == each["account_id"]
            assert general["locationName"] == location["name"]


def test_the_chains_have_two_time_zones_and_two_closeout_hours(shared: Driver) -> None:
    zones = {location["timezone"] for each in shared.accounts for location in each["locations"]}
    assert zones == {"America/New_York", "America/Chicago"}


def test_a_group_lists_its_restaurants_for_one_of_them(shared: Driver) -> None:
    path = f"/restaurants/v1/groups/{shared.account_id()}/restaurants"
    expected = [{"guid": shared.restaurant(0, place)} for place in range(2)]
    assert shared.read(path) == expected
    assert shared.get(path, place=None).status_code == 400
    assert shared.get(f"/restaurants/v1/groups/{shared.account_id(1)}/restaurants").status_code == 403


def test_a_partner_lists_its_connections_and_a_groups_own_client_may_not(shared: Driver) -> None:
    assert shared.get("/partners/v1/restaurants", 0, None).status_code == 403
    listed = shared.read("/partners/v1/restaurants", 1, None)
    kept = [each for each in listed if not each["deleted"]]
    assert [each["restaurantGuid"] for each in kept] == [shared.restaurant(1)]
    gone = next(each["restaurantGuid"] for each in listed if each["deleted"])
    headers = {**shared.headers(1), RESTAURANT_HEADER: gone}
    assert shared.http.get(BULK, params=ANY_DAY, headers=headers).status_code == 403
    assert shared.http.get("/partners/v1/restaurants").status_code == 401


def test_the_partners_credentials_name_no_restaurant(shared: Driver) -> None:
    own, partner = (each["credentials"] for each in shared.accounts)
    assert own["restaurant_guids"] == [each["id"] for each in shared.accounts[0]["locations"]]
    assert set(partner) == {"client_id", "client_secret"}
    assert [each["address_variables"] for each in shared.accounts] == [["TOAST_BASE_URL"]] * 2


@pytest.mark.parametrize("path", [BULK, "/config/v2/discounts", "/orders/v2/payments"])
def test_a_call_names_a_restaurant_of_its_own(shared: Driver, path: str) -> None:
    assert shared.get(path, place=None).status_code == 400
    for name in (shared.restaurant(1), shared.account_id(), UNKNOWN):
        headers = {**shared.headers(), RESTAURANT_HEADER: name}
        refused = shared.http.get(path, params=ANY_DAY, headers=headers)
        assert (refused.status_code, refused.json()["status"]) == (403, 403)


def test_a_restaurant_that_is_not_there_is_not_found(shared: Driver) -> None:
    assert shared.get(f"/restaurants/v1/restaurants/{UNKNOWN}").status_code == 404
    assert shared.get(f"/restaurants/v1/restaurants/{shared.restaurant(1)}").status_code == 404


def test_without_a_token_nothing_is_answered(shared: Driver) -> None:
    for path in (BULK, "/config/v2/taxRates", f"/restaurants/v1/restaurants/{shared.restaurant()}"):
        answer = shared.http.get(path, params=ANY_DAY)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)


def test_a_path_that_does_not_exist_is_refused_in_the_vendors_words(shared: Driver) -> None:
    body: dict[str, Any] = shared.get("/orders/v9/loaves").json()
    assert body["status"] == 404
    assert set(body) >= {"code", "message", "requestId"}
