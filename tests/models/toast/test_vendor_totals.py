"""The figures of the rows are Toast's own, field by field, on recorded answers where they are at hand.

Each entry of `FIGURES` names a column of the row and what Toast calls the same figure. Of a check with the
fields `amount`, `taxAmount` and `totalAmount` these hold whatever is on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines import json_text
from pipelines.toast import CONNECTOR
from pos_core.errors import DocumentError
from tests.models.history import ROOT, History, Row
from tests.models.toast.documents import (
    RESTAURANT,
    charge,
    check,
    order,
    payment,
    refund,
    refunded,
    restaurant,
    selection,
)

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))
_STATES_THAT_PAY = ("VOIDED", "DENIED", "CANCELLED")
_NO_SALES = ("TOAST_CARD_SELL", "TOAST_CARD_RELOAD", "HOUSE_ACCOUNT_PAY_BALANCE")


def _money(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _charges(document: Row, *, gratuity: bool, category: str | None = None) -> Decimal:
    return sum(
        (
            _money(each["chargeAmount"])
            for each in document.get("appliedServiceCharges") or []
            if bool(each.get("gratuity")) is gratuity
            and (category is None or each.get("serviceChargeCategory") == category)
        ),
        Decimal(0),
    )


def _tips(document: Row) -> Decimal:
    payments = document.get("payments") or []
    kept = [each for each in payments if each.get("paymentStatus") not in _STATES_THAT_PAY]
    return sum((_money(each["tipAmount"]) for each in kept if not each.get("voidInfo")), Decimal(0))


def _lines(document: Row, *, are_sales: bool) -> list[Row]:
    return [
        each
        for each in document.get("selections") or []
        if not each["voided"]
        and (not each["deferred"] and each.get("selectionType") not in _NO_SALES) is are_sales
    ]


def _sum(lines: list[Row], key: str) -> Decimal:
    return sum((_money(each[key]) for each in lines), Decimal(0))


FIGURES: dict[str, tuple[str, Callable[[Row], Decimal]]] = {
    "tax_amount": ("check.taxAmount", lambda c: _money(c["taxAmount"])),
    "tip_amount": (
        "payments.tipAmount + gratuity appliedServiceCharges.chargeAmount",
        lambda c: _tips(c) + _charges(c, gratuity=True),
    ),
    "rounding_amount": (
        "CASH_ROUNDING appliedServiceCharges.chargeAmount",
        lambda c: _charges(c, gratuity=False, category="CASH_ROUNDING"),
    ),
    "net_sales_amount": ("selections.price", lambda c: _sum(_lines(c, are_sales=True), "price")),
    "gross_sales_amount": (
        "selections.preDiscountPrice",
        lambda c: _sum(_lines(c, are_sales=True), "preDiscountPrice"),
    ),
    "non_sales_amount": (
        "deferred selections.price + FUNDRAISING_CAMPAIGN chargeAmount",
        lambda c: (
            _sum(_lines(c, are_sales=False), "price")
            + _charges(c, gratuity=False, category="FUNDRAISING_CAMPAIGN")
        ),
    ),
    "total_amount": (
        "check.totalAmount, where it holds tips and gratuities as real answers do",
        lambda c: _money(c["totalAmount"]),
    ),
}


def _own_orders() -> list[Row]:
    plain = check("plain", [selection("a", 8, tax=0.69)], 8, tax=0.69, totalAmount=8.69)
    full = check(
        "full",
        [
            selection("a", 9.2, preDiscountPrice=9.99, tax=0.58),
            selection("b", 18.42, preDiscountPrice=20, tax=2.15),
            selection("card", 25, selectionType="TOAST_CARD_SELL", deferred=True),
            selection("gone", 7.5, voided=True),
        ],
        27.62 + 25 + 1.5 + 0.02 + 2,
        tax=2.73,
        charges=[
            charge(3, gratuity=True),
            charge(1.5),
            charge(0.02, "CASH_ROUNDING"),
            charge(2, "FUNDRAISING_CAMPAIGN"),
        ],
        payments=[payment("p", 61.87, 6.67), payment("q", 42.8, 9, paymentStatus="VOIDED")],
        totalAmount=27.62 + 25 + 1.5 + 0.02 + 2 + 2.73 + 3 + 6.67,
    )
    precise = check("precise", [selection("a", 9.99, tax=0.7)], 9.99, tax=0.7, totalAmount=10.69)
    return [order("o1", [plain, full]), order("o2", [precise])]


def _recorded_orders() -> list[Row]:
    orders = []
    for path in sorted((REFERENCE / "vendor_payloads" / "toast").glob("*.json")):
        saved = json_text.parse(path.read_text())
        if isinstance(saved, dict) and saved.get("entityType") == "Check":
            saved = {**order(f"order of {saved['guid']}", []), "checks": [saved]}
        try:
            found = CONNECTOR.unpack("orders", saved)
        except DocumentError:
            continue
        orders += [
            {"restaurantGuid": RESTAURANT, **CONNECTOR.strip("orders", each)}
            for each in found
            if each.get("checks")
        ]
    return orders


def _land(history: History, orders: list[Row]) -> None:
    guids = {each["restaurantGuid"] for each in orders}
    history.land("restaurants", [restaurant(guid) for guid in sorted(guids)])
    plain = json.loads(json_text.to_text(orders))
    history.land("orders", plain)
    history.normalise()


def _differences(history: History, orders: list[Row]) -> list[tuple[str, str, str, Decimal, Decimal]]:
    return [
        (each["guid"], column, field, row[column], figure(each))
        for document in orders
        for each in document["checks"]
        for row in [history.transaction(each["guid"])]
        for column, (field, figure) in FIGURES.items()
        if row[column] != round(figure(each), 6)
    ]


@pytest.mark.parametrize("recorded", [False, True], ids=["our own orders", "recorded orders"])
def test_every_figure_of_a_check_is_the_vendors(history: History, recorded: bool) -> None:
    """Nothing is rejected, nothing is left over; where no answers are at hand ours stand for them."""
    orders = (_recorded_orders() if recorded else []) or _own_orders()
    _land(history, orders)
    assert _differences(history, orders) == []
    assert history.query("select external_id from pos_transactions where residual_amount <> 0") == []
    assert history.query("select * from pos_work.int_documents_rejected") == []
    assert history.query("select * from pos_work.int_documents_waiting") == []


def test_a_refunded_payment_as_recorded_is_a_return_of_its_amount(history: History) -> None:
    """Trap 4: the payment stays captured with its full amount; the refund is a document of its own."""
    path = REFERENCE / "vendor_payloads" / "toast" / "13_payment_refunded_full.json"
    given = refund(6.36)
    paid = json_text.parse(path.read_text()) if path.exists() else payment("p", 6.36, refund=given)
    refunded_amount = _money(paid["refund"]["refundAmount"])
    sale = check("c", [selection("a", 5.99, tax=0.37)], 5.99, tax=0.37, payments=[paid])
    _land(history, [order("o", [sale])])
    back = history.transaction(f"c:refund:{paid['guid']}")
    assert back["total_amount"] == -refunded_amount == back["paid_amount"] == back["net_sales_amount"]
    assert history.transaction("c")["paid_amount"] == refunded_amount
    (tender,) = history.payments("c")
    assert tender["status"] == "captured"


def test_the_figures_of_an_itemised_refund_are_the_vendors(history: History) -> None:
    """`refundDetails` of lines and charges, and `refund` of the payments, all in one transaction."""
    sale = check(
        "c",
        [
            selection("a", 10, tax=0.8, refundDetails=refunded(10, "t", 0.8)),
            selection("b", 4, tax=0.32),
        ],
        15.5,
        tax=1.12,
        charges=[charge(1.5, refundDetails=refunded(1.5, "t")), charge(2, gratuity=True)],
        payments=[
            payment("p", 12, 3, refund=refund(9, 1, "t")),
            payment("q", 6.62, refund=refund(4, 0, "t")),
        ],
    )
    _land(history, [order("o", [sale])])
    back = history.transaction("c:refund:t")
    assert back["total_amount"] == back["paid_amount"] == Decimal("-14")
    assert (back["tax_amount"], back["service_charge_amount"]) == (Decimal("-0.8"), Decimal("-1.5"))
    assert (back["tip_amount"], back["net_sales_amount"]) == (-1, Decimal("-10.7"))
    lines = [
        (each["external_line_id"], each["net_amount"], each["tax_amount"])
        for each in history.items("c:refund:t")
    ]
    assert lines == [("return:a", -10, Decimal("-0.8")), ("amount", Decimal("-0.7"), 0)]
    assert back["residual_amount"] == 0
