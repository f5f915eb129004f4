"""Documents that change between two pages, and a clock that is wrong: what listings look like then."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox.clock import DAY, instant_of, parse_instant
from sandbox.engine import Options
from sandbox.hosting import in_thread
from sandbox.lightspeed.driver import Driver as LightspeedDriver
from sandbox.lightspeed.driver import serving as lightspeed_serving
from sandbox.square.driver import Driver
from sandbox.toast.driver import Driver as ToastDriver
from sandbox.toast.driver import serving as toast_serving

SMALL = Options(scale="small")
POS_SYSTEMS = ("square", "toast", "lightspeed")


def _changed(driver: Driver | ToastDriver | LightspeedDriver, account_id: str) -> str:
    return str(driver.control("change", {"merchant_id": account_id})["changed"])


def test_a_changed_order_is_the_newest_and_its_tip_is_in_the_truth(fresh: Driver) -> None:
    before = fresh.orders()
    total = {each["external_id"]: each["tip_amount"] for each in fresh.truth(0)["transactions"]}
    key = _changed(fresh, fresh.merchant_id())
    after = fresh.orders()
    newest = max(after.values(), key=lambda order: str(order["updated_at"]))
    assert newest["id"] == key
    assert after[key]["total_tip_money"]["amount"] > before[key]["total_tip_money"]["amount"]
    assert {name for name, order in after.items() if order != before[name]} == {key}
    told = {each["external_id"]: each["tip_amount"] for each in fresh.truth(0)["transactions"]}
    assert [name for name, tip in told.items() if tip != total[name]] == [key]


def test_a_changed_order_of_a_restaurant_is_the_newest_and_its_tip_is_in_the_truth() -> None:
    with toast_serving(SMALL) as driver:
        before, truth = driver.orders(), driver.truth()
        key = _changed(driver, driver.account_id())
        after = driver.orders()
        assert max(after.values(), key=lambda order: parse_instant(order["modifiedDate"]))["guid"] == key
        assert {name for name, order in after.items() if order != before[name]} == {key}
        raised = [row["tip_amount"] for row in driver.truth() if row not in truth]
        assert len(raised) == 1


def test_a_changed_account_is_listed_as_of_now_and_cancelled_in_the_truth() -> None:
    with lightspeed_serving(SMALL) as driver:
        before = driver.sales()
        key = _changed(driver, driver.account_id())
        driver.control("clock", {"advance_seconds": 1})  # what is closed now is listed from then on
        after = driver.sales()
        assert max(after, key=lambda name: str(after[name]["timeClosed"])) == key
        assert {name for name, sale in after.items() if sale != before[name]} == {key}
        assert driver.truth()[key]["status"] == "canceled"


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_the_next_change_is_of_another_document(pos_system: str) -> None:
    with in_thread(Options(merchants=1, orders=20, only=pos_system)) as url:
        changed = _changes(url, 2)
    assert None not in changed
    assert len(set(changed)) == 2


def test_an_account_is_cancelled_once_and_in_the_end_none_is_left() -> None:
    with in_thread(Options(merchants=1, orders=10, only="lightspeed")) as url:
        changed = [each for each in _changes(url, 12) if each is not None]
    assert 0 < len(set(changed)) == len(changed) < 12


def _changes(url: str, count: int) -> list[str | None]:
    [account] = httpx.get(f"{url}/_sandbox/accounts").json()
    body = {"merchant_id": account["account_id"]}
    return [httpx.post(f"{url}/_sandbox/change", json=body).json()["changed"] for _ in range(count)]


def test_pages_by_number_miss_what_has_moved_up_to_the_page_before() -> None:
    with toast_serving(SMALL) as driver:
        driver.control("faults", {"kind": "shift", "path": "/orders/v2/ordersBulk", "rate": 1})
        start_at, end_at = driver.now() - 30 * DAY, driver.now()
        shifted = [order["guid"] for page in driver.pages(start_at, end_at, page_size=2) for order in page]
        driver.http.delete("/_sandbox/faults")
        still = [order["guid"] for page in driver.pages(start_at, end_at, page_size=2) for order in page]
        assert set(still) - set(shifted)


def test_pages_newest_first_miss_nothing_but_what_has_changed(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "shift", "path": "/v2/orders/search", "rate": 0.5})
    body = fresh.search_body(limit=5)
    body["query"]["sort"]["sort_order"] = "DESC"
    seen = {order["id"] for page in fresh.chain(body) for order in page["orders"]}
    [fault] = fresh.http.get("/_sandbox/faults").json()
    fresh.http.delete("/_sandbox/faults")
    missed = set(fresh.orders()) - seen
    assert 0 < len(missed) <= fault["happened"]


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_skewed_clock_is_wrong_in_the_header_alone(fresh: Driver, seconds: int) -> None:
    right = _date(fresh.get("/v2/locations"))
    orders = fresh.orders()
    fresh.control("faults", {"kind": "skew", "seconds": seconds})
    assert _date(fresh.get("/v2/locations")) - right == seconds * 1000
    assert fresh.orders() == orders
    refused = {"kind": "status", "status": 503, "path": "/v2/locations"}
    fresh.control("faults", refused)
    both = fresh.get("/v2/locations")
    assert (both.status_code, _date(both) - right) == (503, seconds * 1000)


def _date(answer: httpx.Response) -> int:
    return instant_of(parsedate_to_datetime(answer.headers["date"]))


def test_a_change_is_done_again_after_a_restart(tmp_path: Any) -> None:
    with in_thread(SMALL, tmp_path) as url:
        for account in httpx.get(f"{url}/_sandbox/accounts").json():
            httpx.post(f"{url}/_sandbox/change", json={"merchant_id": account["account_id"]})
        truth = httpx.get(f"{url}/_sandbox/truth").json()
    with in_thread(SMALL, tmp_path) as url:
        assert httpx.get(f"{url}/_sandbox/truth").json() == truth
