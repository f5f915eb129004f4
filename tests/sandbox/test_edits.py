"""Rounds of edits and new sales: what they change and that they answer it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clock import HOUR, parse_instant
from sandbox.engine import Options
from sandbox.square.driver import Driver, serving

Orders = dict[str, dict[str, Any]]


@pytest.fixture
def round_one(fresh: Driver) -> tuple[Driver, Orders, dict[str, Any], Orders]:
    """A sandbox, its orders before, what a round answered, its orders after."""
    before = fresh.orders()
    answer = fresh.control("edits", {"round": 1})
    return fresh, before, answer, fresh.orders()


Round = tuple[Driver, Orders, dict[str, Any], Orders]


def test_a_round_takes_about_a_day(round_one: Round) -> None:
    driver, _, answer, _ = round_one
    elapsed = parse_instant(answer["now"]) - parse_instant("2026-04-12T18:00:00Z")
    assert 20 * HOUR <= elapsed <= 28 * HOUR
    assert driver.now() == answer["now"]


def test_what_changed_is_answered_and_nothing_else_changed(round_one: Round) -> None:
    driver, before, answer, after = round_one
    merchant = answer["merchants"][0]
    assert merchant["account_id"] == driver.merchant_id()
    assert set(after) - set(before) == set(merchant["created"])
    differing = {key for key in before if before[key] != after[key]}
    assert differing <= set(merchant["changed"])
    silent = set(merchant["changed"]) - differing
    assert all("refunds" in after[key] for key in silent)


def test_a_change_raises_the_version_and_the_time_of_change(round_one: Round) -> None:
    _, before, _, after = round_one
    differing = [key for key in before if before[key] != after[key]]
    for key in differing:
        old, new = before[key], after[key]
        assert parse_instant(new["updated_at"]) > parse_instant(old["updated_at"])
        assert parse_instant(new["updated_at"]) > parse_instant("2026-04-12T18:00:00Z")
        assert new.get("version", 1) > old.get("version", 0)


def test_a_pickup_is_closed_when_it_is_handed_over(round_one: Round) -> None:
    _, before, _, after = round_one
    handed = [k for k in before if before[k]["state"] == "OPEN" and after[k]["state"] != "OPEN"]
    assert handed
    for key in handed:
        assert "closed_at" not in before[key]
        assert before[key]["net_amount_due_money"]["amount"] == 0
        assert after[key]["state"] == "COMPLETED"
        assert after[key]["fulfillments"][0]["state"] == "COMPLETED"
        assert parse_instant(after[key]["closed_at"]) > parse_instant("2026-04-12T18:00:00Z")


def test_an_offline_sale_appears_late_with_the_time_it_was_sold(round_one: Round) -> None:
    driver, before, _, after = round_one
    late = [
        order
        for key, order in after.items()
        if key not in before and parse_instant(order["created_at"]) < parse_instant("2026-04-12T18:00:00Z")
    ]
    assert late
    payments = {each["order_id"]: each for each in driver.payments()}
    for order in late:
        hours = parse_instant(order["closed_at"]) - parse_instant(order["created_at"])
        assert hours <= 72 * HOUR
        assert payments[order["id"]]["is_offline_payment"] is True


def test_tips_are_raised_after_closing(round_one: Round) -> None:
    _, before, _, after = round_one
    raised = [
        key
        for key in before
        if after[key].get("total_tip_money", {"amount": 0})["amount"]
        > before[key].get("total_tip_money", {"amount": 0})["amount"]
    ]
    assert raised
    for key in raised:
        more = after[key]["total_tip_money"]["amount"] - before[key]["total_tip_money"]["amount"]
        total = after[key]["total_money"]["amount"] - before[key]["total_money"]["amount"]
        tender = after[key]["tenders"][0]["tip_money"]["amount"]
        assert more == total
        assert tender == after[key]["total_tip_money"]["amount"]


def test_a_refund_leaves_the_money_of_the_sale_alone(round_one: Round) -> None:
    _, before, _, after = round_one
    sources = {
        part["source_order_id"]
        for key in set(after) - set(before)
        for part in after[key].get("returns", [])
        if "source_order_id" in part
    }
    assert sources & set(before)
    for key in sources & set(before):
        assert after[key]["total_money"] == before[key]["total_money"]
        assert "refunds" not in after[key]


def test_pending_refunds_fail_later_and_some_returns_never_say_so(fresh: Driver) -> None:
    pending = {each["id"] for each in fresh.listed("/v2/refunds", "refunds", status="PENDING")}
    assert pending
    fresh.control("edits", {})
    refunds = {each["id"]: each for each in fresh.listed("/v2/refunds", "refunds")}
    orders = fresh.orders()
    told = {
        key: orders[refunds[key]["order_id"]]["refunds"][0]["status"]
        for key in pending
        if refunds[key]["status"] == "FAILED"
    }
    assert "PENDING" in told.values()
    canceled = {each["external_id"]: each["status"] for each in fresh.truth(0)["transactions"]}
    assert all(canceled[refunds[key]["order_id"]] == "canceled" for key in told)


def test_a_location_and_products_change(fresh: Driver) -> None:
    def products() -> dict[str, tuple[str, bool]]:
        body = {"object_types": ["ITEM"], "include_deleted_objects": True}
        objects = fresh.post("/v2/catalog/search", body).json()["objects"]
        return {each["id"]: (each["item_data"]["name"], each["is_deleted"]) for each in objects}

    names = {each["id"]: each for each in fresh.get("/v2/locations").json()["locations"]}
    shelf = products()
    fresh.control("edits", {})
    renamed = [
        each
        for each in fresh.get("/v2/locations").json()["locations"]
        if each["name"] != names[each["id"]]["name"]
    ]
    assert len(renamed) == 1
    assert renamed[0]["timezone"] == names[renamed[0]["id"]]["timezone"]
    changes = [(shelf[key], now) for key, now in products().items() if now != shelf[key]]
    assert any(old[0] != new[0] for old, new in changes)
    assert any(not old[1] and new[1] for old, new in changes)


def test_a_round_that_was_run_answers_the_same_again(fresh: Driver) -> None:
    first = fresh.control("edits", {"round": 1})
    second = fresh.control("edits", {})
    assert second["round"] == 2
    assert fresh.control("edits", {"round": 1}) == first
    assert fresh.now() == second["now"]
    assert fresh.http.post("/_sandbox/edits", json={"round": 9}).status_code == 400


def test_new_sales_are_the_newest_changes(fresh: Driver) -> None:
    order = {"merchant_id": fresh.merchant_id(), "count": 7}
    created = fresh.control("sell", order)["created"]
    orders = fresh.orders()
    for key in created:
        assert orders[key]["updated_at"] in ("2026-04-12T18:00:00.000Z", "2026-04-12T18:00:00Z")
    again = fresh.control("sell", order)["created"]
    assert not set(created) & set(again)
    assert set(again) <= set(fresh.orders())


def test_many_rounds_keep_truth_and_answers_together() -> None:
    with serving(Options(scale="small", seed=11)) as driver:
        for _ in range(4):
            driver.control("edits", {})
        for account in range(2):
            truth = {each["external_id"] for each in driver.truth(account)["transactions"]}
            assert truth == set(driver.orders(account))
