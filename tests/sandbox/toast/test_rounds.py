"""Rounds of edits and new sales: what they change, and that the answers tell it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clock import DAY, HOUR, MINUTE, WORLD_END, parse_instant
from sandbox.engine import Options
from sandbox.toast.driver import Driver, serving
from sandbox.toast.names import time_text

Orders = dict[str, dict[str, Any]]
Round = tuple[Driver, Orders, dict[str, Any], Orders]


@pytest.fixture(scope="module")
def round_one() -> Any:
    """A sandbox, its orders before, what a round answered, its orders after."""
    with serving(Options(merchants=2, orders=800)) as driver:
        before = driver.orders()
        answer = driver.control("edits", {"round": 1})
        driver.forget_tokens()
        yield driver, before, answer, driver.orders()


def checks_of(order: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Checks by identifier."""
    return {check["guid"]: check for check in order["checks"]}


def changed(round_one: Round) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Orders before and after, where they differ."""
    _, before, _, after = round_one
    return [(before[key], after[key]) for key in before if before[key] != after[key]]


def test_what_changed_is_answered_and_nothing_else_changed(round_one: Round) -> None:
    driver, before, answer, after = round_one
    merchant = answer["merchants"][0]
    assert merchant["account_id"] == driver.account_id()
    assert set(after) - set(before) == set(merchant["created"])
    assert {key for key in before if before[key] != after[key]} == set(merchant["changed"])
    assert len(merchant["changed"]) > 30


def test_a_change_raises_the_time_of_change(round_one: Round) -> None:
    for old, new in changed(round_one):
        assert parse_instant(new["modifiedDate"]) > parse_instant(old["modifiedDate"])
        assert WORLD_END < parse_instant(new["modifiedDate"]) <= round_one[0].now()
        for check in new["checks"]:
            assert parse_instant(check["modifiedDate"]) <= parse_instant(new["modifiedDate"])


def test_a_changed_order_is_found_in_the_rounds_window_alone(round_one: Round) -> None:
    driver, before, answer, _ = round_one
    places = range(len(driver.accounts[0]["locations"]))
    found = {
        order["guid"]
        for place in places
        for page in driver.pages(WORLD_END, driver.now() + 1, 0, place)
        for order in page
    }
    merchant = answer["merchants"][0]
    assert found == set(merchant["changed"]) | set(merchant["created"])
    assert found & set(before)


def test_cards_are_captured_after_the_closeout_hour_in_one_burst(round_one: Round) -> None:
    _, before, _, after = round_one
    burst = 0
    for key, order in before.items():
        for check in order["checks"]:
            waiting = [each for each in check["payments"] if each["paymentStatus"] == "AUTHORIZED"]
            if not waiting or check["deleted"]:
                continue
            new = checks_of(after[key])[check["guid"]]
            assert check["paymentStatus"] in ("PAID", "OPEN")
            assert {each["paymentStatus"] for each in new["payments"]} <= {"CAPTURED", "DENIED", "CANCELLED"}
            assert (new["amount"], new["taxAmount"]) == (check["amount"], check["taxAmount"])
            if check["paymentStatus"] == "PAID":
                assert new["paymentStatus"] == "CLOSED"
                assert new["closedDate"] <= after[key]["modifiedDate"]
                # 3 to 5 o'clock in New York or Chicago, and some minutes.
                assert 7 * HOUR <= parse_instant(new["closedDate"]) % DAY <= 10 * HOUR + 21 * MINUTE
            burst += 1
    assert burst >= 10


def test_what_was_paid_before_is_captured_with_its_own_days_closeout(round_one: Round) -> None:
    _, before, _, _ = round_one
    closed = [
        check
        for order in before.values()
        for check in order["checks"]
        if check["paymentStatus"] == "CLOSED" and check["closedDate"] and check["paidDate"]
        if parse_instant(check["closedDate"]) - parse_instant(check["paidDate"]) > HOUR
        if not check["voided"]
    ]
    assert len(closed) > 100
    for check in closed:
        wait = parse_instant(check["closedDate"]) - parse_instant(check["paidDate"])
        assert wait < DAY + 21 * MINUTE
        assert not [each for each in check["payments"] if each["paymentStatus"] == "AUTHORIZED"]


def test_tips_are_adjusted_before_the_closeout(round_one: Round) -> None:
    raised = 0
    for old, new in changed(round_one):
        for guid, check in checks_of(old).items():
            later = checks_of(new).get(guid, check)
            tips = [sum(each["tipAmount"] for each in part["payments"]) for part in (check, later)]
            raised += tips[1] > tips[0]
    assert raised >= 1


def test_a_combined_check_is_not_listed_any_more_but_sold_by_the_other_one(round_one: Round) -> None:
    driver, _, _, _ = round_one
    combined = [(old, new) for old, new in changed(round_one) if len(new["checks"]) < len(old["checks"])]
    assert combined
    rows = {row["external_id"]: row for row in driver.truth()}
    for old, new in combined:
        (gone,) = set(checks_of(old)) - set(checks_of(new))
        assert rows[gone]["status"] == "deleted"
        assert rows[gone]["is_revenue"] is False
        (kept,) = checks_of(new)
        assert checks_of(new)[kept]["amount"] == sum(check["amount"] for check in old["checks"])
        assert len(checks_of(new)[kept]["selections"]) == sum(
            len(each["selections"]) for each in old["checks"]
        )


def test_a_refund_leaves_the_money_of_the_sale_alone(round_one: Round) -> None:
    given = 0
    for old, new in changed(round_one):
        for guid, check in checks_of(old).items():
            later = checks_of(new).get(guid)
            refunds = [each for each in (later or check)["payments"] if each["refund"]]
            if later is None or not refunds or any(each["refund"] for each in check["payments"]):
                continue
            given += 1
            assert [later[key] for key in ("amount", "taxAmount", "totalAmount")] == [
                check[key] for key in ("amount", "taxAmount", "totalAmount")
            ]
            assert {each["refundStatus"] for each in refunds} <= {"PARTIAL", "FULL"}
            assert all(each["paymentStatus"] == "CAPTURED" for each in refunds)
    assert given >= 3


def test_orders_are_voided_deleted_opened_again_and_accepted(round_one: Round) -> None:
    kinds = {
        (
            old["voided"],
            new["voided"],
            old["deleted"],
            new["deleted"],
            old.get("approvalStatus") != "APPROVED",
        )
        for old, new in changed(round_one)
        if new.get("approvalStatus") == "APPROVED"
    }
    assert (False, True, False, False, False) in kinds
    assert (False, False, False, True, False) in kinds
    assert (False, False, False, False, True) in kinds
    opened = [
        new
        for old, new in changed(round_one)
        for guid, check in checks_of(old).items()
        if check["paymentStatus"] == "CLOSED"
        if checks_of(new).get(guid, check)["paymentStatus"] == "OPEN"
    ]
    assert opened


def test_a_restaurant_changes_its_name_and_nothing_else(fresh: Driver) -> None:
    def infos() -> list[dict[str, Any]]:
        fresh.forget_tokens()
        places = range(len(fresh.accounts[0]["locations"]))
        return [
            fresh.read(f"/restaurants/v1/restaurants/{fresh.restaurant(0, place)}", 0, place)["general"]
            for place in places
        ]

    before = infos()
    fresh.control("edits")
    differing = [
        {key for key in old if old[key] != new[key]} for old, new in zip(before, infos(), strict=True)
    ]
    assert sorted(map(sorted, differing)) == [[], ["locationName"]]


def test_new_sales_appear_some_seconds_after_their_time_of_change(fresh: Driver) -> None:
    order = {"merchant_id": fresh.account_id(), "count": 7}
    created = fresh.control("sell", order)["created"]
    orders = fresh.orders()
    known = {row["external_id"] for row in fresh.truth()}
    for key in created:
        assert time_text(WORLD_END - 10_000) <= orders[key]["modifiedDate"] <= time_text(WORLD_END - 6_000)
        assert {check["guid"] for check in orders[key]["checks"]} <= known
    again = fresh.control("sell", order)["created"]
    assert not set(created) & set(again)
    assert set(again) <= set(fresh.orders())


def test_a_round_that_was_run_answers_the_same_again(fresh: Driver) -> None:
    first = fresh.control("edits", {"round": 1})
    second = fresh.control("edits", {})
    assert second["round"] == 2
    assert fresh.control("edits", {"round": 1}) == first


def test_many_rounds_keep_truth_and_answers_together() -> None:
    with serving(Options(scale="small", seed=11)) as driver:
        for _ in range(6):
            driver.control("edits")
        driver.forget_tokens()
        for account in range(2):
            listed = {guid for order in driver.orders(account).values() for guid in checks_of(order)}
            sold = {row["external_id"]: row for row in driver.truth(account) if row["kind"] != "return"}
            assert listed <= set(sold)
            assert all(sold[guid]["status"] == "deleted" for guid in set(sold) - listed)
