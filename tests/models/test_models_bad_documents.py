"""A document that cannot be normalised is rejected with one line of reason and stops none of the others."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from tests.models.history import History, Row
from tests.models.square_documents import (
    line,
    location,
    money,
    order,
    order_refund,
    refund,
    return_order,
    tender,
)

Poison = Callable[[Row], object]


def _sale() -> Row:
    modifier = {"uid": "m", "quantity": "1", "base_price_money": money(10)}
    return copy.deepcopy(
        order(
            "poisoned",
            [line("a", 1000, tax=80, modifiers=[modifier], catalog_object_id="V")],
            tenders=[tender("t", 1000)],
            service_charges=[{"uid": "c", "type": "CUSTOM", "total_money": money(0)}],
            taxes=[{"type": "ADDITIVE"}],
        )
    )


def _return() -> Row:
    return copy.deepcopy(
        return_order(
            "poisoned", [line("a", 100)], source="s", total=100, refunds=[order_refund("r", "t", 100)]
        )
    )


SALES: dict[str, tuple[Poison, str]] = {
    "amount as text": (lambda d: d["total_money"].update(amount="1000"), "whole minor units"),
    "fraction of a cent": (lambda d: d["total_tax_money"].update(amount=0.5), "whole minor units"),
    "amount as a list": (lambda d: d["total_money"].update(amount=[1]), "whole minor units"),
    "amount as a boolean": (lambda d: d["tenders"][0]["amount_money"].update(amount=True), "whole minor"),
    "amount beyond any bound": (lambda d: d["total_money"].update(amount=10**30), "whole minor units"),
    "amount out of range": (lambda d: d["total_money"].update(amount=2 * 10**15), "out of range"),
    "sum out of range": (
        lambda d: d["line_items"].extend(line(f"l{n}", 9 * 10**14) for n in range(9)),
        "out of range",
    ),
    "money as text": (lambda d: d.update(total_tip_money="1.00"), "not a money object"),
    "money of a line as a number": (lambda d: d["line_items"][0].update(total_tax_money=80), "money object"),
    "money of a modifier as text": (
        lambda d: d["line_items"][0]["modifiers"][0].update(base_price_money="0.10"), "money object",
    ),
    "tip of a tender as a list": (lambda d: d["tenders"][0].update(tip_money=[1]), "money object"),
    "two currencies": (lambda d: d["total_tax_money"].update(currency="EUR"), "more than one currency"),
    "no currency code": (
        lambda d: d.update(
            order("poisoned", [line("a", 1, currency="dollars")], currency="dollars"),
            tenders=[],
            service_charges=[],
        ),
        "three letters",
    ),
    "quantity in words": (lambda d: d["line_items"][0].update(quantity="two"), "is not a number"),
    "quantity not a number": (lambda d: d["line_items"][0].update(quantity="NaN"), "is not a number"),
    "quantity too great": (lambda d: d["line_items"][0].update(quantity="9" * 13), "is not a number"),
    "quantity of a modifier": (
        lambda d: d["line_items"][0]["modifiers"][0].update(quantity="x"), "is not a number",
    ),
    "no quantity": (lambda d: d["line_items"][0].pop("quantity"), "without quantity"),
    "lines as an object": (lambda d: d.update(line_items={"uid": "a"}), "line_items is not a list"),
    "lines as text": (lambda d: d.update(line_items="none"), "line_items is not a list"),
    "a line as text": (lambda d: d["line_items"].append("bread"), "line_items has an entry"),
    "modifiers as text": (lambda d: d["line_items"][0].update(modifiers="milk"), "modifiers is not a list"),
    "tenders as a number": (lambda d: d.update(tenders=5), "tenders is not a list"),
    "returns as text": (lambda d: d.update(returns="none"), "returns is not a list"),
    "no location": (lambda d: d.pop("location_id"), "location_id is missing"),
    "location as a number": (lambda d: d.update(location_id=5), "location_id is missing"),
    "no state": (lambda d: d.pop("state"), "state is missing"),
    "no time of creation": (lambda d: d.pop("created_at"), "created_at is missing"),
    "a day that is none": (lambda d: d.update(created_at="2026-02-30T00:00:00Z"), "created_at is not a time"),
    "a word as time": (lambda d: d.update(closed_at="infinity"), "closed_at is not a time"),
    "time without offset": (lambda d: d.update(closed_at="2026-03-10T12:00:00"), "closed_at is not a time"),
    "number as time": (lambda d: d.update(closed_at=1773150000), "closed_at is not a time"),
    "time of a tender": (lambda d: d["tenders"][0].update(created_at="noon"), "tender or refund"),
    "line without total": (lambda d: d["line_items"][0].pop("total_money"), "without total_money"),
    "line with a total of null": (
        lambda d: d["line_items"][0]["total_money"].update(amount=None), "without total_money",
    ),
    "charge without total": (lambda d: d["service_charges"][0].pop("total_money"), "without total_money"),
    "order without total": (lambda d: d.pop("total_money"), "no total_money"),
    "endless location": (lambda d: d.update(location_id="L" * 5000), "location_id is too long"),
    "endless product": (
        lambda d: d["line_items"][0].update(catalog_object_id="V" * 5000), "catalog_object_id is too long",
    ),
}  # fmt: skip

RETURNS: dict[str, tuple[Poison, str]] = {
    "no amounts": (
        lambda d: (d.pop("return_amounts"), d["returns"][0].pop("return_amounts")), "no return_amounts",
    ),
    "amounts as text": (lambda d: d.update(return_amounts="1.00"), "not an object"),
    "amount as text": (
        lambda d: d["returns"][0]["return_line_items"][0]["total_money"].update(amount="1"), "whole minor",
    ),
    "lines as text": (lambda d: d["returns"][0].update(return_line_items="all"), "is not a list"),
    "source without end": (lambda d: d["returns"][0].update(source_order_id="s" * 5000), "too long"),
    "refund without time": (lambda d: d["refunds"][0].update(created_at="soon"), "tender or refund"),
    "charges as text": (lambda d: d["returns"][0].update(return_service_charges="no"), "is not a list"),
}  # fmt: skip

CASES = [(_sale, name, *case) for name, case in SALES.items()] + [
    (_return, name, *case) for name, case in RETURNS.items()
]


@pytest.mark.parametrize(
    ("make", "poison", "reason"),
    [(make, poison, reason) for make, _, poison, reason in CASES],
    ids=[f"{make.__name__[1:]} - {name}" for make, name, _, _ in CASES],
)
def test_a_poisoned_document_is_rejected_alone(
    history: History, make: Callable[[], Row], poison: Poison, reason: str
) -> None:
    """One reason, no rows of its own, and the documents beside it are normalised."""
    document = make()
    poison(document)
    history.land("locations", [location()])
    history.land("orders", [order("good", [line("a", 100)]), document])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert rejected["external_id"] == "poisoned"
    assert rejected["stream"] == "orders"
    assert reason in rejected["reason"]
    assert "\n" not in rejected["reason"]
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["good"]


def test_the_documents_before_the_poison_are_fine(history: History) -> None:
    """Each case is rejected for its poison and nothing else."""
    history.land("locations", [location()])
    history.land("orders", [_sale() | {"id": "sale"}, _return() | {"id": "return"}])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    assert len(history.query("select * from pos_transactions")) == 2


def test_odd_but_readable_documents_are_normalised(history: History) -> None:
    """Words that are not known, nulls and empty things reject nothing."""
    odd = order(
        "odd",
        [line(None, 100, item_type="HOLOGRAM", modifiers=None, catalog_version="x", catalog_object_id=None)],
        state="TELEPORTED",
        tenders=[tender("t", 100, type="SEASHELLS", card_details=None, created_at=None)],
        service_charges=None,
        rounding_adjustment=None,
        net_amounts={"total_money": {"amount": None, "currency": None}},
        returns=[],
        closed_at=None,
    )
    history.land("locations", [location()])
    history.land("orders", [odd, order("empty", [], line_items=None, tenders=[])])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    assert history.transaction("odd")["status"] == "other"
    assert history.items("odd")[0]["kind"] == "other"
    assert history.payments("odd")[0]["method"] == "other"
    assert history.transaction("empty")["total_amount"] == 0


def test_a_rejected_version_leaves_the_rows_of_the_one_before(history: History) -> None:
    """The newest version is poisoned: the one before it keeps its rows, in one batch or in two."""
    bad = order("a", [line("x", 300)], version=2) | {"total_money": "3.00"}
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 100)])])
    history.normalise()
    before = history.marts()
    history.land("orders", [bad])
    history.normalise()
    assert history.marts() == before
    assert len(history.query("select * from pos_work.int_documents_rejected")) == 1


def test_a_location_without_a_known_zone_is_rejected(history: History) -> None:
    """Its orders wait for a version that is fit for use."""
    history.land("locations", [location(timezone="Mars/Olympus_Mons")])
    history.land("orders", [order("a", [line("x", 100)])])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert (rejected["stream"], rejected["external_id"]) == ("locations", "LOC-BAKERY")
    assert "Mars/Olympus_Mons" in rejected["reason"]
    assert len(history.query("select * from pos_work.int_documents_waiting")) == 1
    history.land("locations", [location(updated="05")])
    history.normalise()
    assert history.transaction("a")["timezone"] == "America/New_York"
    assert history.query("select * from pos_work.int_documents_waiting") == []


def test_a_refund_with_a_bad_amount_is_rejected(history: History) -> None:
    """The order's own word on its refund counts then."""
    bad = refund("r", "t", "poisoned", 100, "FAILED") | {"amount_money": {"amount": "1.00"}}
    history.land("locations", [location()])
    history.land("orders", [_return()])
    history.land("refunds", [bad])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert rejected["stream"] == "refunds"
    assert history.transaction("poisoned")["status"] == "completed"
    assert history.payments("poisoned")[0]["status"] == "refunded"


def test_poison_in_every_stream_stops_nothing(history: History) -> None:
    """Nonsense of every type where the models look, in payments, refunds and the catalogue too."""
    nonsense: list[object] = [None, "x", 5, [], {}, [None], {"id": {}}, "y" * 5000]
    for number, value in enumerate(nonsense):
        name = f"n{number}"
        history.land("catalog", [{"id": name, "type": "ITEM", "version": 1, "item_data": value}])
        history.land(
            "catalog",
            [{"id": name, "type": "ITEM", "item_data": {"variations": value, "categories": value}}],
        )
        history.land("payments", [{"id": name, "order_id": "good", "offline_payment_details": value}])
        history.land("refunds", [{"id": name, "order_id": "good", "amount_money": value}])
    history.land("locations", [location()])
    history.land("orders", [order("good", [line("a", 100, catalog_object_id="n1")])])
    history.normalise()
    assert history.transaction("good")["total_amount"] == 1
