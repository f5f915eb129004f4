"""The totals of the rows are the vendor's own, to the cent, on recorded answers where they are at hand."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

from tests.models.history import ROOT, History, Row
from tests.models.square_documents import line, location, money, order, return_order

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))


def _own_documents() -> list[Row]:
    sale = order("sale", [line("a", 1085, tax=85, discount=115), line("b", 400)], tip=150)
    surcharged = order("surcharged", [line("a", 1000)], total_card_surcharge_money=money(30))
    back = return_order("back", [line("a", 540, tax=40)], source="sale", total=540, tax=40)
    exchange = return_order("exchange", [line("a", 300)], source="sale", total=300)
    exchange |= {
        "line_items": [line("c", 700)],
        "total_money": money(700),
        "net_amounts": {"total_money": money(400), "tax_money": money(0)},
    }
    canceled = order("canceled", [line("a", 50)], state="CANCELED")
    return [sale, surcharged | {"total_money": money(1030)}, back, exchange, canceled]


def _recorded_documents() -> list[Row]:
    folder = REFERENCE / "vendor_payloads" / "square"
    documents = [json.loads(path.read_text()) for path in sorted(folder.glob("order_*.json"))]
    documents += [json.loads(path.read_text())["order"] for path in sorted(folder.glob("spec_order_*.json"))]
    return documents


def _vendor_amounts(document: Row) -> dict[str, int]:
    """What the vendor says of an order, in minor units and with our signs."""
    names = {"total": "total_amount", "tax": "tax_amount", "discount": "discount_amount"}
    if "returns" in document and "line_items" not in document:
        return {
            ours: -document["return_amounts"].get(f"{name}_money", money(0))["amount"]
            for name, ours in names.items()
        }
    keys = [f"{name}_money" for name in names]
    stated = [f"total_{name}_money" if name != "total" else "total_money" for name in names]
    if "returns" in document:
        amounts = document["net_amounts"]
        return {
            ours: amounts.get(key, money(0))["amount"] for key, ours in zip(keys, names.values(), strict=True)
        }
    return {ours: document[key]["amount"] for key, ours in zip(stated, names.values(), strict=True)}


def _differences(history: History, documents: list[Row]) -> list[tuple[str, str, Decimal, Decimal]]:
    found = []
    for document in documents:
        row = history.transaction(document["id"])
        for name, minor in _vendor_amounts(document).items():
            expected = Decimal(minor).scaleb(-2)
            if row[name] != expected:
                found.append((document["id"], name, row[name], expected))
    return found


def _normalise(history: History, documents: list[Row]) -> None:
    history.land(
        "locations", [location(name) for name in {document["location_id"] for document in documents}]
    )
    history.land("orders", documents)
    history.normalise()


def test_the_totals_of_our_own_documents_are_theirs(history: History) -> None:
    """Each field of each document, and no line is left over."""
    documents = _own_documents()
    _normalise(history, documents)
    assert _differences(history, documents) == []
    assert history.query("select external_id from pos_transactions where residual_amount <> 0") == []


def test_the_totals_of_recorded_answers_are_the_vendors(history: History) -> None:
    """The same for what the vendor really answered; without those answers ours stand for them."""
    documents = _recorded_documents() or _own_documents()
    _normalise(history, documents)
    assert _differences(history, documents) == []
    assert history.query("select external_id from pos_transactions where residual_amount <> 0") == []
    assert history.query("select * from pos_work.int_documents_rejected") == []
