"""A document that cannot be normalised is rejected with one line of reason and stops none of the others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.models.history import History, Row
from tests.models.toast.documents import (
    charge,
    check,
    order,
    payment,
    refund,
    refunded,
    restaurant,
    selection,
)

Poison = Callable[[Row], object]


def _order() -> Row:
    line = selection("a", 10, modifiers=[selection("m", 1)], refundDetails=refunded(1, "t"))
    paid = payment("p", 10, refund=refund(1, 0, "t"))
    return copy.deepcopy(order("poisoned", [check("c", [line], 11, charges=[charge(1)], payments=[paid])]))


def _check(document: Row) -> Row:
    found: Row = document["checks"][0]
    return found


def _line(document: Row) -> Row:
    found: Row = _check(document)["selections"][0]
    return found


def _payment(document: Row) -> Row:
    found: Row = _check(document)["payments"][0]
    return found


CASES: dict[str, tuple[Poison, str]] = {
    "no checks": (lambda d: d.pop("checks"), "no list of checks"),
    "checks as an object": (lambda d: d.update(checks={"guid": "c"}), "no list of checks"),
    "a check as text": (lambda d: d["checks"].append("c"), "checks is not a list of objects"),
    "lines as text": (lambda d: _check(d).update(selections="none"), "selections is not a list"),
    "modifiers of a modifier as text": (
        lambda d: _line(d)["modifiers"][0].update(modifiers="m"), "modifiers is not a list",
    ),
    "payments as a number": (lambda d: _check(d).update(payments=5), "payments is not a list"),
    "charges with null": (lambda d: _check(d).update(appliedServiceCharges=[None]), "not a list of objects"),
    "refund as text": (lambda d: _payment(d).update(refund="all"), "refund is not an object"),
    "item as text": (lambda d: _line(d).update(item="bread"), "item is not an object"),
    "amount as text": (lambda d: _check(d).update(amount="11.00"), "not an amount"),
    "tax as a list": (lambda d: _check(d).update(taxAmount=[1]), "not an amount"),
    "price of a modifier as text": (lambda d: _line(d)["modifiers"][0].update(price="x"), "not an amount"),
    "tip as a boolean": (lambda d: _payment(d).update(tipAmount=True), "not an amount"),
    "refund as money text": (lambda d: _payment(d)["refund"].update(refundAmount="1"), "not an amount"),
    "charge as text": (
        lambda d: _check(d)["appliedServiceCharges"][0].update(chargeAmount="1"), "not an amount",
    ),
    "amount out of range": (lambda d: _check(d).update(amount=2 * 10**13), "out of range"),
    "sum out of range": (
        lambda d: _check(d)["selections"].extend(selection(f"l{n}", 9 * 10**12) for n in range(9)),
        "out of range",
    ),
    "check without amount": (lambda d: _check(d).pop("amount"), "no amount or no taxAmount"),
    "check without tax": (lambda d: _check(d).update(taxAmount=None), "no amount or no taxAmount"),
    "check without guid": (lambda d: _check(d).pop("guid"), "no guid"),
    "the same check twice": (lambda d: d["checks"].append(_check(d)), "the same guid"),
    "endless check": (lambda d: _check(d).update(guid="c" * 5000), "guid is too long"),
    "endless restaurant": (lambda d: d.update(restaurantGuid="r" * 5000), "restaurantGuid is too long"),
    "restaurant as a number": (lambda d: d.update(restaurantGuid=5), "restaurantGuid is not text"),
    "deleted in words": (lambda d: d.update(deleted="no"), "neither true nor false"),
    "voided as a number": (lambda d: _line(d).update(voided=0), "neither true nor false"),
    "quantity in words": (lambda d: _line(d).update(quantity="two"), "quantity is not a number"),
    "quantity too great": (lambda d: _line(d).update(quantity=10**13), "quantity is not a number"),
    "a day that is none": (lambda d: d.update(businessDate=20260230), "not a day"),
    "a day as text": (lambda d: d.update(businessDate="20260310"), "not a day"),
    "day of a refund": (lambda d: _payment(d)["refund"].update(refundBusinessDate=12), "not a day"),
    "a time that is none": (lambda d: _check(d).update(paidDate="2026-02-30T00:00:00Z"), "not a time"),
    "a word as time": (lambda d: d.update(openedDate="infinity"), "not a time"),
    "time without offset": (lambda d: _check(d).update(closedDate="2026-03-10T12:00:00"), "not a time"),
    "number as time": (lambda d: _payment(d).update(paidDate=1773150000), "not a time"),
    "no time at all": (
        lambda d: (
            [d.pop(key) for key in ("openedDate", "createdDate", "modifiedDate")],
            [_check(d).pop(key) for key in ("openedDate", "paidDate")],
        ),
        "says no time",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("poison", "reason"), CASES.values(), ids=CASES)
def test_a_poisoned_document_is_rejected_alone(history: History, poison: Poison, reason: str) -> None:
    """One reason, no rows of its own, and the documents beside it are normalised."""
    document = _order()
    poison(document)
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("good", [check("g", [selection("a", 1)], 1)]), document])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert (rejected["pos_system"], rejected["stream"]) == ("toast", "orders")
    assert rejected["external_id"] == "poisoned"
    assert reason in rejected["reason"]
    assert "\n" not in rejected["reason"]
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["g"]


def test_the_document_before_the_poison_is_fine(history: History) -> None:
    """Each case is rejected for its poison and nothing else."""
    history.land("restaurants", [restaurant()])
    history.land("orders", [_order()])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    assert len(history.query("select * from pos_transactions")) == 2


def test_odd_but_readable_documents_are_normalised(history: History) -> None:
    """Trap 17: words that are not known, nulls, numbers in odd notation and empty things reject nothing."""
    odd = check(
        "odd",
        [
            selection(
                None, 1, selectionType="HOLOGRAM", modifiers=None, item={"guid": None}, taxInclusion="MAYBE",
                unitOfMeasure="BUSHEL", quantity=None, tax=None,
            )
        ],
        1,
        payments=[payment("p", 1, type=7, paymentStatus="TELEPORTED", cardType="MOON", paidDate=None)],
        charges=[charge(0, "SOMETHING_NEW")],
        paymentStatus="SOMEHOW", openedDate=None, closedDate=None,
    )  # fmt: skip
    history.land("restaurants", [restaurant()])
    history.land(
        "orders",
        [
            order("o", [odd], approvalStatus=None, createdDate=None, deletedDate=None, excessFood=None),
            order("empty", []),
            order("new", [check("n", [], 0)], approvalStatus="PONDERED"),
        ],
    )
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    row = history.transaction("odd")
    assert (row["status"], row["is_revenue"], row["total_amount"]) == ("other", False, 1)
    line = history.items("odd")[0]
    assert (line["kind"], line["quantity"], line["unit"]) == ("other", 1, "BUSHEL")
    tender = history.payments("odd")[0]
    assert (tender["method"], tender["status"], tender["card_brand"]) == ("other", "other", "MOON")
    assert (history.transaction("n")["status"], history.transaction("n")["kind"]) == ("other", "other")


def test_a_rejected_version_leaves_the_rows_of_the_one_before(history: History) -> None:
    """The newest version is poisoned: the one before it keeps its rows, and no check of it is gone."""
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [check("c", [], 0)])])
    history.normalise()
    before = history.marts()
    history.land("orders", [order("o", [check("d", [], 0) | {"amount": "1"}], modified=2)])
    history.normalise()
    assert history.marts() == before
    assert len(history.query("select * from pos_work.int_documents_rejected")) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"timezone": "Mars/Olympus_Mons"}, "Mars/Olympus_Mons"),
        ({"timezone": None}, "no timeZone"),
        ({"currency": None}, "no currencyCode"),
        ({"currency": "dollars"}, "three letters"),
    ],
)
def test_a_restaurant_that_is_not_fit_for_use_is_rejected(
    history: History, fields: dict[str, Any], reason: str
) -> None:
    """Its orders wait for a version that is."""
    history.land("restaurants", [restaurant(**fields)])
    history.land("orders", [order("o", [check("c", [], 0)])])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert (rejected["stream"], rejected["external_id"]) == ("restaurants", "restaurant-1")
    assert reason in rejected["reason"]
    assert len(history.query("select * from pos_work.int_documents_waiting")) == 1
    history.land("restaurants", [restaurant()])
    history.normalise()
    assert history.transaction("c")["timezone"] == "America/New_York"


def test_poison_in_every_stream_stops_nothing(history: History) -> None:
    """Nonsense of every type where the models look, in restaurants and names too."""
    nonsense: list[object] = [None, "x", 5, [], {}, [None], {"guid": {}}, "y" * 5000]
    for number, value in enumerate(nonsense):
        name = f"n{number}"
        history.land("restaurants", [{"guid": name, "general": value}])
        history.land("config", [{"guid": name, "restaurantGuid": "r", "configKind": "k", "name": value}])
        history.land("orders", [{"guid": name, "checks": value}, {"guid": f"m{number}", "checks": [value]}])
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("good", [check("g", [selection("a", 1)], 1)])])
    history.normalise()
    assert history.transaction("g")["total_amount"] == 1
