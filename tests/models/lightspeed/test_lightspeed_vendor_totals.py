"""The totals of the rows are the vendor's own, on its examples where they are at hand and always on ours.

An example counts where its sums add up by the vendor's own description of its fields: what was paid is what
the lines come to, cash rounding included.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.lightspeed import CONNECTOR
from tests.models.history import ROOT, History
from tests.models.lightspeed.account_documents import (
    LOCATION,
    Document,
    account,
    added,
    included,
    location,
    payment,
)

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))


def _number(value: Any) -> Decimal:
    return Decimal(str(value)) if str(value or "").strip() else Decimal(0)


def _sum(document: Document, part: str, *names: str) -> Decimal:
    return sum((_number(each.get(name)) for each in document.get(part, []) for name in names), Decimal(0))


def _taxes(document: Document) -> Decimal:
    """`salesLines[].taxLines[].taxAmount`, and `salesLines[].taxAmount` of lines that have none."""
    return sum(
        (
            sum((_number(tax["taxAmount"]) for tax in line["taxLines"]), Decimal(0))
            if line.get("taxLines")
            else _number(line.get("taxAmount"))
            for line in document["salesLines"]
        ),
        Decimal(0),
    )


def _adds_tax(document: Document) -> bool:
    return any(
        tax["taxIncluded"] is False for line in document["salesLines"] for tax in line.get("taxLines", [])
    )


def _lines_total(document: Document) -> Decimal:
    """`totalNetAmountWithTax`; where tax is added, `totalNetAmountWithoutTax` + taxes + `serviceCharge`."""
    if not _adds_tax(document):
        return _sum(document, "salesLines", "totalNetAmountWithTax")
    return _sum(document, "salesLines", "totalNetAmountWithoutTax", "serviceCharge") + _taxes(document)


# Each column, and what of the vendor's document it is.
VENDOR_FIELDS: dict[str, Callable[[Document], Decimal]] = {
    "tax_amount": _taxes,
    "discount_amount": lambda each: _sum(each, "salesLines", "totalDiscountAmount"),
    "tip_amount": lambda each: _sum(each, "payments", "tip"),
    "rounding_amount": lambda each: _sum(each, "payments", "roundingAmount"),
    "service_charge_amount": lambda each: (
        _sum(each, "salesLines", "serviceCharge") + _sum(each, "payments", "surcharge")
    ),
    "total_amount": lambda each: (
        _lines_total(each) + _sum(each, "payments", "tip", "surcharge", "roundingAmount")
    ),
    "paid_amount": lambda each: _sum(each, "payments", "netAmountWithTax", "tip", "surcharge"),
}


def adds_up(document: Document) -> bool:
    """Whether what was paid is what the lines come to."""
    paid = _sum(document, "payments", "netAmountWithTax")
    return paid == _lines_total(document) + _sum(document, "payments", "roundingAmount")


def _own_documents() -> list[Document]:
    charged = {"serviceCharge": "1.00", "totalDiscountAmount": "1.00"}
    plain = account(
        "A1.1", [included("S1.1", "11.00", "1.666667", **charged)], [payment("11.00", tip="2.00")]
    )
    rounded = account(
        "A1.2",
        [included("S1.1", "10.62", "0.601132"), included("S1.2", 0, 0, parentLineId="S1.1")],
        [payment("10.60", roundingAmount="-0.02")],
    )
    exclusive = account(
        "A1.3",
        [added("S1.1", "10.00", "0.8875", serviceCharge="0.50"), added("S1.2", "4.00", "")],
        [payment("15.3875", currency="USD", code="CARD", surcharge="0.31", tip=3)],
    )
    back = account(
        "A1.4",
        [included("S1.9", "-11.00", "-1.666667", quantity="-1.000", serviceCharge="-1.00")],
        [payment("-11.00", tip="-2.00")],
        kind="REFUND",
        initial="A1.1",
    )
    return [plain, rounded, exclusive, back]


def _recorded_documents() -> list[Document]:
    folder = REFERENCE / "vendor_payloads" / "lightspeed"
    answers = [json.loads(path.read_text()) for path in sorted(folder.glob("v2_*.json"))]
    documents = [
        {**sale, "accountReference": f"{number}-{sale['accountReference']}", "accountFiscId": f"A{number}.1"}
        for number, answer in enumerate(answers)
        for sale in CONNECTOR.unpack("sales", answer | {"businessLocationId": LOCATION})
    ]
    return [document for document in documents if adds_up(document)]


@pytest.mark.parametrize(
    "documents", [_own_documents(), _recorded_documents() or _own_documents()], ids=["ours", "theirs"]
)
def test_each_column_is_the_vendors_field(history: History, documents: list[Document]) -> None:
    history.land("locations", [location()])
    history.land("sales", [dict(CONNECTOR.strip("sales", each)) for each in documents])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    differing = [
        (document["accountFiscId"], column, row[column], theirs(document))
        for document in documents
        for row in [history.transaction(document["accountReference"])]
        for column, theirs in VENDOR_FIELDS.items()
        if row[column] != theirs(document)
    ]
    assert differing == []
    assert history.query("select * from pos_transactions where residual_amount <> 0") == []


def test_our_documents_add_up_and_a_wrong_one_does_not() -> None:
    documents = _own_documents()
    assert [adds_up(document) for document in documents] == [True] * len(documents)
    assert not adds_up(documents[0] | {"payments": [payment("11.01")]})


def test_net_and_tax_of_a_line_are_exact_where_the_vendors_cents_are_not(history: History) -> None:
    """Trap: with tax minus without tax is not the tax; with 1.00 of service charge, 11.00 is 8.333333 net."""
    told = {"serviceCharge": "1.00", "totalNetAmountWithoutTax": "8.33"}
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included("S1.1", "11.00", "1.666667", **told)])])
    history.normalise()
    (item,) = history.items("ref-A1.1")
    assert (item["net_amount"], item["tax_amount"]) == (Decimal("8.333333"), Decimal("1.666667"))
    row = history.transaction("ref-A1.1")
    assert (row["net_sales_amount"], row["service_charge_amount"], row["total_amount"]) == (
        Decimal("8.333333"),
        1,
        11,
    )
