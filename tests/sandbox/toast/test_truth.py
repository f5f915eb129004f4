"""What was sold against what is answered: two computations that share only the records."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.toast.driver import Driver

Doc = dict[str, Any]
Row = dict[str, Any]
NOT_SALES = {"TOAST_CARD_SELL", "TOAST_CARD_RELOAD", "HOUSE_ACCOUNT_PAY_BALANCE"}
GONE = {"VOIDED", "DENIED", "CANCELLED"}
PARTS = ("net_sales", "tax", "service_charge", "tip", "rounding", "non_sales")


@pytest.fixture(scope="module")
def rows(grown: Driver) -> dict[str, Row]:
    """All rows of two accounts."""
    return {row["external_id"]: row for account in range(2) for row in grown.truth(account)}


@pytest.fixture(scope="module")
def checks(grown: Driver) -> list[tuple[Doc, Doc]]:
    """Every check with its order."""
    orders = [order for account in range(2) for order in grown.orders(account).values()]
    return [(order, check) for order in orders for check in order["checks"]]


def money(row: Row, name: str) -> Decimal:
    """An amount of a row."""
    return Decimal(row[f"{name}_amount"])


def total(values: Any) -> Decimal:
    """A sum of amounts."""
    return sum(values, Decimal(0))


def lines_of(check: Doc) -> list[Doc]:
    """Lines that count."""
    return [line for line in check["selections"] if not line["voided"]]


def is_sale(line: Doc) -> bool:
    """Whether a line is net sales."""
    return not line["deferred"] and line["selectionType"] not in NOT_SALES


def charges_of(check: Doc, *categories: str | None) -> Decimal:
    """Charges of some categories that are no gratuities."""
    return total(
        each["chargeAmount"]
        for each in check["appliedServiceCharges"]
        if not each["gratuity"] and each.get("serviceChargeCategory") in categories
    )


def gratuities_of(check: Doc) -> Decimal:
    """Charges that are gratuities."""
    return total(each["chargeAmount"] for each in check["appliedServiceCharges"] if each["gratuity"])


def refunds_of(check: Doc) -> dict[str, list[Doc]]:
    """Refunded payments by transaction, else by themselves."""
    found: dict[str, list[Doc]] = {}
    for payment in check["payments"]:
        if payment["refund"] is not None:
            transaction = payment["refund"].get("refundTransaction")
            found.setdefault((transaction or payment)["guid"], []).append(payment)
    return found


def test_every_row_adds_up(rows: dict[str, Row]) -> None:
    assert len(rows) > 450
    for row in rows.values():
        assert total(money(row, part) for part in PARTS) == money(row, "total")
        assert money(row, "net_sales") + money(row, "discount") == money(row, "gross_sales")


def test_every_check_and_every_refund_has_one_row(
    checks: list[tuple[Doc, Doc]], rows: dict[str, Row]
) -> None:
    expected = {check["guid"] for _, check in checks}
    expected |= {f"{check['guid']}:refund:{name}" for _, check in checks for name in refunds_of(check)}
    assert expected <= set(rows)
    assert {rows[key]["status"] for key in set(rows) - expected} == {"deleted"}


def test_amounts_are_those_of_the_answers(checks: list[tuple[Doc, Doc]], rows: dict[str, Row]) -> None:
    for _, check in checks:
        row, lines = rows[check["guid"]], lines_of(check)
        fundraising = charges_of(check, "FUNDRAISING_CAMPAIGN")
        rounding = charges_of(check, "CASH_ROUNDING")
        others = charges_of(check, "SERVICE_CHARGE", "CREDIT_CARD_SURCHARGE", "PACKAGING_DEPOSIT", None)
        cards = total(line["price"] for line in lines if not is_sale(line))
        tips = total(each["tipAmount"] for each in check["payments"] if each["paymentStatus"] not in GONE)
        assert money(row, "net_sales") == check["amount"] - fundraising - rounding - others - cards
        assert money(row, "tax") == check["taxAmount"]
        assert money(row, "service_charge") == others
        assert money(row, "rounding") == rounding
        assert money(row, "non_sales") == cards + fundraising
        assert money(row, "tip") == tips + gratuities_of(check)
        assert money(row, "total") == check["totalAmount"]
        off = total(line["preDiscountPrice"] - line["price"] for line in lines if is_sale(line))
        assert money(row, "discount") == off


def test_the_answers_add_up(checks: list[tuple[Doc, Doc]]) -> None:
    for _, check in checks:
        lines = lines_of(check)
        charges = [each for each in check["appliedServiceCharges"] if not each["gratuity"]]
        goods = total(line["price"] for line in lines)
        assert check["amount"] == goods + total(each["chargeAmount"] for each in charges)
        taxes = total(
            tax["taxAmount"] for each in check["appliedServiceCharges"] for tax in each["appliedTaxes"]
        )
        assert check["taxAmount"] == total(line["tax"] for line in lines) + taxes
        listed = total(
            each["nonTaxDiscountAmount"]
            for owner in [check, *lines]
            for each in owner["appliedDiscounts"]
            if each["processingState"] != "VOID"
        )
        if not any(line["price"] == 0 != line["preDiscountPrice"] for line in lines) or listed:
            assert listed == total(line["preDiscountPrice"] - line["price"] for line in lines)


def test_payments_and_lines_are_counted(checks: list[tuple[Doc, Doc]], rows: dict[str, Row]) -> None:
    def deep(lines: list[Doc]) -> int:
        return sum(1 + deep(line["modifiers"]) for line in lines)

    for _, check in checks:
        row = rows[check["guid"]]
        captured = [each for each in check["payments"] if each["paymentStatus"] == "CAPTURED"]
        assert money(row, "paid") == total(each["amount"] + each["tipAmount"] for each in captured)
        assert row["payment_count"] == len(check["payments"])
        assert row["item_count"] == deep(check["selections"])


def test_refunds_are_rows_of_their_own_day(checks: list[tuple[Doc, Doc]], rows: dict[str, Row]) -> None:
    days: Counter[bool] = Counter()
    for order, check in checks:
        for name, payments in refunds_of(check).items():
            row = rows[f"{check['guid']}:refund:{name}"]
            given = [each["refund"] for each in payments]
            amount = total(each["refundAmount"] for each in given)
            tips = total(each["tipRefundAmount"] for each in given)
            details = [
                each["refundDetails"]
                for each in [*check["selections"], *check["appliedServiceCharges"]]
                if (each.get("refundDetails") or {"refundTransaction": {"guid": ""}})["refundTransaction"][
                    "guid"
                ]
                == name
            ]
            assert money(row, "total") == money(row, "paid") == -(amount + tips)
            assert money(row, "tax") == -total(each["taxRefundAmount"] for each in details)
            assert money(row, "discount") == 0
            assert (row["kind"], row["parent_external_id"]) == ("return", check["guid"])
            day = min(each["refundBusinessDate"] for each in given)
            assert row["business_date"].replace("-", "") == str(day)
            days[day > order["businessDate"]] += 1
            rest = amount - total(each["refundAmount"] + each["taxRefundAmount"] for each in details)
            lines = sum(1 for line in check["selections"] if line.get("refundDetails") in details)
            assert row["item_count"] == lines + (rest != 0)
            assert row["payment_count"] == len(payments)
    assert days[True] > 10
    assert days[False] > 0


def test_states_and_revenue(checks: list[tuple[Doc, Doc]], rows: dict[str, Row]) -> None:
    seen: Counter[tuple[str, str, bool]] = Counter()
    for order, check in checks:
        row = rows[check["guid"]]
        is_accepted = order.get("approvalStatus", "APPROVED") == "APPROVED"
        is_trade = is_accepted and not order.get("createdInTestMode") and not order.get("excessFood")
        status = "completed"
        if order["deleted"] or check["deleted"]:
            status = "deleted"
        elif order["voided"] or check["voided"]:
            status = "voided"
        elif not is_accepted or check["paymentStatus"] == "OPEN":
            status = "open"
        assert row["status"] == status
        assert row["kind"] == ("sale" if is_trade else "other")
        assert row["is_revenue"] is (is_trade and status == "completed")
        seen[row["kind"], row["status"], row["is_revenue"]] += 1
        for name in refunds_of(check):
            refund = rows[f"{check['guid']}:refund:{name}"]
            is_undone = status in ("deleted", "voided")
            assert refund["status"] == (status if is_undone else "completed")
            assert refund["is_revenue"] is (is_trade and not is_undone)
    assert set(seen) >= {
        ("sale", "completed", True),
        ("sale", "open", False),
        ("sale", "voided", False),
        ("sale", "deleted", False),
        ("other", "completed", False),
        ("other", "open", False),
    }


def test_business_days_end_at_the_closeout_hour(grown: Driver, rows: dict[str, Row]) -> None:
    nights = 0
    for account, each in enumerate(grown.accounts):
        for place, location in enumerate(each["locations"]):
            path = f"/restaurants/v1/restaurants/{location['id']}"
            hour = grown.read(path, account, place)["general"]["closeoutHour"]
            for order in grown.orders_of(account, place).values():
                local = datetime.fromisoformat(order["openedDate"]).astimezone(ZoneInfo(location["timezone"]))
                day = (local - timedelta(days=local.hour < hour)).date()
                nights += local.hour < hour
                assert str(order["businessDate"]) == f"{day:%Y%m%d}"
                for check in order["checks"]:
                    assert rows[check["guid"]]["business_date"] == day.isoformat()
                    assert rows[check["guid"]]["external_location_id"] == location["id"]
    assert nights > 5


def test_every_trap_of_the_vendor_is_there(checks: list[tuple[Doc, Doc]]) -> None:
    orders = [order for order, _ in checks]
    lines = [line for _, check in checks for line in check["selections"]]
    extras = [extra for line in lines for extra in line["modifiers"]]
    payments = [each for _, check in checks for each in check["payments"]]
    charges = [each for _, check in checks for each in check["appliedServiceCharges"]]
    taxes = [tax for line in lines for tax in line["appliedTaxes"]]
    assert any(extra["modifiers"] and extra["modifiers"][0]["modifiers"] for extra in extras)
    assert {each.get("serviceChargeCategory") for each in charges} >= {
        None, "SERVICE_CHARGE", "CASH_ROUNDING", "CREDIT_CARD_SURCHARGE", "FUNDRAISING_CAMPAIGN",
    }  # fmt: skip
    assert {each["type"] for each in payments} >= {"CASH", "CREDIT", "GIFTCARD", "HOUSE_ACCOUNT", "OTHER"}
    assert {each["paymentStatus"] for each in payments} >= {"AUTHORIZED", "CAPTURED", *GONE}
    assert {line["selectionType"] for line in lines} >= {"NONE", "OPEN_ITEM", "SPECIAL_REQUEST", *NOT_SALES}
    assert {order.get("approvalStatus") for order in orders} >= {
        None, "APPROVED", "FUTURE", "NEEDS_APPROVAL", "NOT_APPROVED",
    }  # fmt: skip
    assert {line.get("taxInclusion") for line in lines} == {None, "INCLUDED", "NOT_INCLUDED"}
    assert any(tax["facilitatorCollectAndRemitTax"] for tax in taxes)
    assert any(tax["taxAmount"] * 100 % 1 for tax in taxes)
    assert {tax["type"] for tax in taxes} == {"PERCENT", "FIXED", "EXTERNAL"}
    assert any(line["unitOfMeasure"] == "LB" and line["quantity"] % 1 for line in lines if "plu" in line)
    assert any(line["voided"] for line in lines)
    assert any(line["deferred"] and line["selectionType"] == "OPEN_ITEM" for line in lines)
    assert any((each["amountTendered"] or 0) > each["amount"] for each in payments if each["type"] == "CASH")
    assert max(len(refunds_of(check)) for _, check in checks) == 2
    assert any(len(each) == 2 for _, check in checks for each in refunds_of(check).values())
    assert any(each["refund"] and "refundTransaction" not in each["refund"] for each in payments)
    assert any(
        check["paymentStatus"] == "CLOSED"
        and total(each["amount"] + each["tipAmount"] for each in check["payments"]) < check["totalAmount"]
        for _, check in checks
        if not check["deleted"]
    )
    assert any(check["voided"] and not order["voided"] for order, check in checks)
    assert any(check["deleted"] and not order["deleted"] for order, check in checks)
    assert any(order["deleted"] and not check["deleted"] for order, check in checks)
    assert any(order["excessFood"] for order in orders if "excessFood" in order)
    assert any(order["createdInTestMode"] for order in orders if "createdInTestMode" in order)
    assert max(len(order["checks"]) for order in orders) == 3
