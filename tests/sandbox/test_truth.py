"""What was sold against what is answered: two computations that share only the sale records."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.clock import parse_instant
from sandbox.engine import Options
from sandbox.square.driver import Driver, serving

Order = dict[str, Any]
Row = dict[str, Any]
EXPONENTS = {"USD": 2, "EUR": 2, "JPY": 0}


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Order, Row]]:
    """Every order of three markets after two rounds of edits, beside what the truth says of it."""
    found: list[tuple[Order, Row]] = []
    with serving(Options(merchants=3, orders=390)) as driver:
        for _ in range(2):
            driver.control("edits", {})
        for account in range(3):
            rows = {each["external_id"]: each for each in driver.truth(account)["transactions"]}
            found += [(order, rows[key]) for key, order in driver.orders(account).items()]
    return found


def minor(value: dict[str, Any] | None) -> int:
    """The amount of a Money object, 0 for a missing one."""
    return 0 if value is None else int(value["amount"])


def stated(order: Order, name: str) -> int:
    """An amount of the whole document, as the vendor states it."""
    returned = minor(order.get("return_amounts", {}).get(name))
    return minor(order.get(f"total_{name}".replace("total_total", "total"))) - returned


def text(amount: int, row: Row) -> str:
    """An amount in the truth's words."""
    exponent = EXPONENTS[row["currency"]]
    return str(Decimal(amount).scaleb(-exponent))


def test_every_order_fulfils_the_vendor_identity(pairs: list[tuple[Order, Row]]) -> None:
    checked = 0
    for order, _ in pairs:
        charges = sum(
            minor(each["total_money"])
            for each in order.get("service_charges", [])
            if each["treatment_type"] != "APPORTIONED_TREATMENT"
        )
        parts = (
            sum(minor(each["total_money"]) for each in order.get("line_items", [])),
            charges,
            minor(order.get("total_tip_money")),
            minor(order.get("total_card_surcharge_money")),
            minor(order.get("rounding_adjustment", {}).get("amount_money")),
        )
        assert sum(parts) == minor(order.get("total_money")), order["id"]
        checked += any(parts)
    assert checked > 300


def test_every_line_fulfils_the_vendor_identity(pairs: list[tuple[Order, Row]]) -> None:
    # Europe leaves inclusive tax in the gross sales; the United States and Japan take it out.
    for order, row in pairs:
        taxes = {each["uid"]: each["type"] for each in order.get("taxes", [])}
        for line in order.get("line_items", []):
            added = sum(
                minor(each["applied_money"])
                for each in line.get("applied_taxes", [])
                if taxes[each["tax_uid"]] == "ADDITIVE" or row["currency"] != "EUR"
            )
            total = minor(line["gross_sales_money"]) - minor(line["total_discount_money"])
            total += added + minor(line["total_service_charge_money"])
            assert total == minor(line["total_money"])


def test_totals_agree_with_the_truth(pairs: list[tuple[Order, Row]]) -> None:
    for order, row in pairs:
        assert row["total_amount"] == text(stated(order, "total_money"), row), order["id"]
        assert row["tax_amount"] == text(stated(order, "tax_money"), row), order["id"]
        assert row["discount_amount"] == text(stated(order, "discount_money"), row), order["id"]


def test_the_truth_fulfils_its_own_identities(pairs: list[tuple[Order, Row]]) -> None:
    for _, row in pairs:
        names = ("net_sales", "tax", "service_charge", "tip", "rounding", "non_sales")
        parts = sum(Decimal(row[f"{name}_amount"]) for name in names)
        assert parts == Decimal(row["total_amount"])
        gross = Decimal(row["net_sales_amount"]) + Decimal(row["discount_amount"])
        assert gross == Decimal(row["gross_sales_amount"])


def test_completed_documents_are_paid_in_full(pairs: list[tuple[Order, Row]]) -> None:
    for order, row in pairs:
        states = {each["status"] for each in order.get("refunds", [])}
        if row["is_revenue"] and not states & {"PENDING", "FAILED", "REJECTED"}:
            assert row["paid_amount"] == row["total_amount"], order["id"]


def test_rows_of_lines_and_payments_are_counted(pairs: list[tuple[Order, Row]]) -> None:
    for order, row in pairs:
        lines = list(order.get("line_items", []))
        for part in order.get("returns", []):
            lines += part.get("return_line_items", [])
        extras = [*(x for line in lines for x in line.get("modifiers", []))]
        extras += [x for line in lines for x in line.get("return_modifiers", [])]
        assert row["item_count"] == len(lines) + len(extras)
        tenders, refunds = order.get("tenders", []), order.get("refunds", [])
        assert row["payment_count"] == len(tenders) + len(refunds)


def test_every_kind_of_document_is_there(pairs: list[tuple[Order, Row]]) -> None:
    orders = [order for order, _ in pairs]
    lines = [line for order in orders for line in order.get("line_items", [])]
    charges = [each for order in orders for each in order.get("service_charges", [])]
    parts = [part for order in orders for part in order.get("returns", [])]
    tenders = Counter(each["type"] for order in orders for each in order.get("tenders", []))
    assert {order["state"] for order in orders} == {"OPEN", "COMPLETED", "CANCELED", "DRAFT"}
    assert {line["item_type"] for line in lines} == {"ITEM", "CUSTOM_AMOUNT", "GIFT_CARD"}
    assert {"CARD", "CASH", "SQUARE_GIFT_CARD", "NO_SALE", "OTHER", "BREAD_POINTS"} <= set(tenders)
    assert {each["type"] for each in charges} == {"CUSTOM", "AUTO_GRATUITY"}
    assert {each["treatment_type"] for each in charges} >= {"APPORTIONED_TREATMENT"}
    assert any(minor(each["total_tax_money"]) for each in charges)
    types = {each["type"] for order in orders for each in order.get("taxes", [])}
    assert types == {"ADDITIVE", "INCLUSIVE"}
    assert any("quantity_unit" in line and "." in line["quantity"] for line in lines)
    assert any(len(order.get("tenders", [])) > 1 for order in orders)
    assert any(minor(order.get("total_card_surcharge_money")) for order in orders)
    rounding = [minor(each["rounding_adjustment"]["amount_money"]) for each in orders
                if "rounding_adjustment" in each]  # fmt: skip
    assert min(rounding) < 0 < max(rounding)
    assert any("source_order_id" not in part for part in parts)
    keys = {key for part in parts for key in part}
    assert {"return_line_items", "return_service_charges", "return_tips", "return_taxes"} <= keys
    assert any(part.get("return_line_items") is None for part in parts)
    assert any(len(order.get("returns", [])) == 2 for order in orders)
    assert any("returns" in order and "line_items" in order for order in orders)
    assert any("line_items" not in order and "returns" not in order for order in orders)
    assert {row["kind"] for _, row in pairs} == {"sale", "return", "exchange", "other"}


def test_traps_of_the_vendor_are_there(pairs: list[tuple[Order, Row]]) -> None:
    orders = [order for order, _ in pairs]
    returns = [order for order in orders if "returns" in order and "line_items" not in order]
    assert any("total_money" not in order for order in returns)
    assert any(order.get("total_money") == {"amount": 0, "currency": "USD"} for order in returns)
    assert any("net_amounts" not in order for order in returns)
    assert all(order["source"] == {} for order in returns)
    assert any("version" not in order for order in orders)
    fractions = {len(order["updated_at"].rstrip("Z").partition(".")[2]) for order in orders}
    assert fractions >= {0, 2, 3}
    voided = [order for order in orders if order["state"] == "CANCELED" and "tenders" in order]
    assert all(each["tenders"][0]["card_details"]["status"] == "VOIDED" for each in voided)
    assert all(minor(each["net_amount_due_money"]) > 0 for each in voided)
    assert voided
    assert any(
        parse_instant(order["updated_at"]) < parse_instant(order["closed_at"])
        for order in orders
        if "closed_at" in order
    )


def test_open_canceled_and_drawers_are_no_revenue(pairs: list[tuple[Order, Row]]) -> None:
    for order, row in pairs:
        if order["state"] != "COMPLETED":
            assert row["is_revenue"] is False
            assert row["status"] == order["state"].lower()
        if any(tender["type"] == "NO_SALE" for tender in order.get("tenders", [])):
            assert (row["kind"], row["is_revenue"]) == ("other", False)
        states = {refund["status"] for refund in order.get("refunds", [])}
        if row["kind"] == "return" and states <= {"FAILED", "REJECTED"}:
            assert (row["status"], row["is_revenue"]) == ("canceled", False)


def test_parents_are_named_when_there_is_one(pairs: list[tuple[Order, Row]]) -> None:
    for order, row in pairs:
        sources = {part.get("source_order_id") for part in order.get("returns", [])} - {None}
        expected = next(iter(sources)) if len(sources) == 1 else None
        assert row["parent_external_id"] == expected


def test_offline_sales_happen_when_their_last_payment_was_taken(shared: Driver) -> None:
    payments: dict[str, list[Any]] = {}
    for payment in shared.payments():
        payments.setdefault(payment["order_id"], []).append(payment)
    zones = {each["id"]: ZoneInfo(each["timezone"]) for each in shared.accounts[0]["locations"]}
    rows = {each["external_id"]: each for each in shared.truth(0)["transactions"]}
    offline = 0
    for key, order in shared.orders().items():
        taken = payments.get(key, [])
        moment = order.get("closed_at", order["created_at"])
        if taken and all(each.get("is_offline_payment") for each in taken):
            details = [each.get("offline_payment_details", {}) for each in taken]
            times = [each.get("client_created_at", order["created_at"]) for each in details]
            moment = max(times, key=parse_instant)
            offline += 1
        local = datetime.fromisoformat(moment).astimezone(zones[order["location_id"]])
        assert rows[key]["business_date"] == local.date().isoformat()
    assert offline >= 2


def test_days_are_the_sum_of_their_revenue(shared: Driver) -> None:
    truth = shared.truth()
    sums: dict[tuple[str, str, str], tuple[int, Decimal, Decimal]] = {}
    for row in truth["transactions"]:
        if row["is_revenue"]:
            key = (row["account_id"], row["external_location_id"], row["business_date"])
            count, net, total = sums.get(key, (0, Decimal(0), Decimal(0)))
            net += Decimal(row["net_sales_amount"])
            sums[key] = (count + 1, net, total + Decimal(row["total_amount"]))
    days = {
        (day["account_id"], day["external_location_id"], day["business_date"]): (
            day["transactions"],
            Decimal(day["net_sales_amount"]),
            Decimal(day["total_amount"]),
        )
        for day in truth["days"]
    }
    assert days == sums


def test_sales_around_the_change_of_clocks(shared: Driver) -> None:
    rows = {each["external_id"]: each for each in shared.truth(1)["transactions"]}
    nights = [
        rows[key]["business_date"]
        for key, order in shared.orders(1).items()
        if order["created_at"].startswith(("2026-03-28T23:2", "2026-03-29T21:5"))
    ]
    assert nights.count("2026-03-29") >= 2


def test_what_is_still_offline_is_not_in_the_truth(fresh: Driver) -> None:
    before = {each["external_id"] for each in fresh.truth(0)["transactions"]}
    created = set(fresh.control("edits", {})["merchants"][0]["created"])
    assert not before & created
    assert created <= {each["external_id"] for each in fresh.truth(0)["transactions"]}
