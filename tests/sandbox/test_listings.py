"""ListPayments, ListPaymentRefunds and the catalogue: defaults, limits and links.

Source: Square API 2025-08-20.
"""

from __future__ import annotations

from typing import Any

from sandbox.clock import parse_instant
from sandbox.square.driver import Driver


def test_payments_are_those_of_the_main_location_unless_asked(shared: Driver) -> None:
    main = shared.get("/v2/merchants").json()["merchant"][0]["main_location_id"]
    payments = shared.listed("/v2/payments", "payments")
    assert {each["location_id"] for each in payments} == {main}
    assert len(shared.payments()) > len(payments)


def test_refunds_are_those_of_all_locations_unless_asked(shared: Driver) -> None:
    refunds = shared.listed("/v2/refunds", "refunds")
    assert {each["location_id"] for each in refunds} == set(shared.locations())
    one = shared.locations()[1]
    some = shared.listed("/v2/refunds", "refunds", location_id=one)
    assert 0 < len(some) < len(refunds)


def test_a_limit_above_100_counts_as_100(fresh: Driver) -> None:
    fresh.control("sell", {"merchant_id": fresh.merchant_id(1), "count": 150})
    answer = fresh.get("/v2/payments", 1, limit=500).json()
    assert len(answer["payments"]) == 100
    assert len(fresh.listed("/v2/payments", "payments", 1)) > 150


def test_lists_go_back_a_year(fresh: Driver) -> None:
    assert fresh.listed("/v2/refunds", "refunds")
    fresh.control("clock", {"advance_seconds": 366 * 86_400})
    assert fresh.listed("/v2/refunds", "refunds") == []
    assert fresh.listed("/v2/refunds", "refunds", begin_time="2026-01-01T00:00:00Z")


def test_time_of_change_can_be_filtered_and_sorted_by(shared: Driver) -> None:
    payments = shared.listed("/v2/payments", "payments", sort_field="UPDATED_AT", sort_order="ASC")
    changed = [parse_instant(each["updated_at"]) for each in payments]
    assert changed == sorted(changed)
    middle = payments[len(payments) // 2]["updated_at"]
    later = shared.listed(
        "/v2/payments",
        "payments",
        sort_field="UPDATED_AT",
        sort_order="ASC",
        updated_at_begin_time=middle,
    )
    assert later == payments[-len(later) :]
    assert later[0]["updated_at"] == middle


def test_a_payment_and_its_tender_tell_the_tip_differently(shared: Driver) -> None:
    payments = {each["id"]: each for each in shared.payments()}
    tipped = 0
    for order in shared.orders().values():
        for tender in order.get("tenders", []):
            if "payment_id" not in tender:
                continue
            payment = payments[tender["payment_id"]]
            tip = payment.get("tip_money", {"amount": 0})["amount"]
            assert tender["amount_money"] == payment["total_money"]
            assert payment["amount_money"]["amount"] + tip == payment["total_money"]["amount"]
            tipped += tip > 0
    assert tipped > 3


def test_refunds_link_payment_return_and_order(shared: Driver) -> None:
    orders = shared.orders()
    unlinked = 0
    for refund in shared.listed("/v2/refunds", "refunds"):
        order = orders[refund["order_id"]]
        suffix = refund["id"].rpartition("_")[2]
        listed = next(each for each in order["refunds"] if each["id"] == suffix)
        assert listed["amount_money"] == refund["amount_money"]
        assert order["returns"]
        if "payment_id" in refund:
            assert refund["id"] == f"{refund['payment_id']}_{suffix}"
            assert listed["tender_id"] == refund["payment_id"]
        else:
            assert refund["unlinked"] is True
            assert "tender_id" not in listed
            unlinked += 1
        expected = {"COMPLETED": "APPROVED"}.get(refund["status"], refund["status"])
        assert listed["status"] == expected
    assert unlinked


def test_refunds_by_status(shared: Driver) -> None:
    failed = shared.listed("/v2/refunds", "refunds", status="PENDING")
    assert {each["status"] for each in failed} == {"PENDING"}


def test_one_payment_or_refund_by_id(shared: Driver) -> None:
    payment = shared.payments()[0]
    assert shared.get(f"/v2/payments/{payment['id']}").json() == {"payment": payment}
    refund = shared.listed("/v2/refunds", "refunds")[0]
    assert shared.get(f"/v2/refunds/{refund['id']}").json() == {"refund": refund}
    assert shared.code(shared.get("/v2/payments/nobody")) == (404, "NOT_FOUND")


def test_personal_data_is_there_to_be_stripped(shared: Driver) -> None:
    payments = shared.payments()
    for key in ("buyer_email_address", "billing_address", "note", "customer_id"):
        assert any(key in each for each in payments), key
    cards = [each["card_details"]["card"] for each in payments if "card_details" in each]
    assert all({"fingerprint", "bin", "exp_month", "exp_year"} <= set(card) for card in cards)
    orders = list(shared.orders().values())
    recipients = [
        pickup["pickup_details"]["recipient"] for order in orders for pickup in order.get("fulfillments", [])
    ]
    assert all(each["email_address"].endswith("@example.com") for each in recipients)
    assert recipients
    assert any("ticket_name" in order for order in orders)
    assert any("note" in line for order in orders for line in order.get("line_items", []))


def catalog(driver: Driver, **body: Any) -> dict[str, Any]:
    """A catalogue search."""
    answer: dict[str, Any] = driver.post("/v2/catalog/search", body).json()
    return answer


def test_deleted_objects_only_on_demand(shared: Driver) -> None:
    live = catalog(shared, object_types=["ITEM"])["objects"]
    every = catalog(shared, object_types=["ITEM"], include_deleted_objects=True)["objects"]
    assert [each["is_deleted"] for each in every].count(True) == 1
    assert len(live) == len(every) - 1


def test_the_list_of_the_catalogue_never_has_deleted_objects(shared: Driver) -> None:
    objects = shared.listed("/v2/catalog/list", "objects", types="ITEM,CATEGORY")
    assert {each["type"] for each in objects} == {"ITEM", "CATEGORY"}
    assert not any(each["is_deleted"] for each in objects)


def test_begin_time_is_exclusive(shared: Driver) -> None:
    answer = catalog(shared, object_types=["ITEM"], include_deleted_objects=True)
    newest = answer["objects"][-1]
    assert answer["latest_time"] == newest["updated_at"]
    since = catalog(shared, object_types=["ITEM"], begin_time=newest["updated_at"])
    assert "objects" not in since
    before = catalog(shared, object_types=["ITEM"], begin_time="2026-04-01T17:59:59Z")
    assert [each["id"] for each in before["objects"]] == [newest["id"]]


def test_catalogue_pages(shared: Driver) -> None:
    body: dict[str, Any] = {"object_types": ["ITEM", "CATEGORY"], "limit": 4}
    found: list[str] = []
    while True:
        answer = catalog(shared, **body)
        found += [each["id"] for each in answer.get("objects", [])]
        if "cursor" not in answer:
            break
        body["cursor"] = answer["cursor"]
    assert len(found) == len(set(found)) == 20


def test_categories_are_told_in_every_way_there_is(shared: Driver) -> None:
    items = [each["item_data"] for each in catalog(shared, object_types=["ITEM"])["objects"]]
    keys = {"reporting_category", "categories", "category_id"}
    shapes = {frozenset(keys & set(item)) for item in items}
    assert {frozenset(), frozenset({"categories"}), frozenset({"category_id"})} <= shapes
    assert frozenset({"reporting_category", "categories"}) in shapes
    skus = ["sku" in each["item_variation_data"] for item in items for each in item["variations"]]
    assert set(skus) == {True, False}


def test_lines_name_variations_and_the_version_of_the_whole_catalogue(shared: Driver) -> None:
    items = catalog(shared, object_types=["ITEM"], include_deleted_objects=True)["objects"]
    variations = {each["id"]: item for item in items for each in item["item_data"]["variations"]}
    used = [
        (line["catalog_object_id"], line["catalog_version"])
        for order in shared.orders().values()
        for line in order.get("line_items", [])
        if "catalog_object_id" in line
    ]
    assert {key for key, _ in used} <= set(variations)
    deleted = {key for key, item in variations.items() if item["is_deleted"]}
    assert deleted & {key for key, _ in used}
    # Older than the object as it is now: the line was sold before the last rename.
    assert any(version < variations[key]["version"] for key, version in used)
    assert any(version > variations[key]["version"] for key, version in used)


def test_locations_and_merchant(shared: Driver) -> None:
    locations = shared.get("/v2/locations").json()["locations"]
    merchant = shared.get("/v2/merchants").json()["merchant"][0]
    assert [each["id"] for each in locations] == shared.locations()
    assert {each["timezone"] for each in locations} == {"America/New_York", "America/Chicago"}
    assert merchant["id"] == shared.merchant_id()
