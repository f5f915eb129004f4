"""A document that cannot be normalised is rejected with one line of reason and stops none of the others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.models.history import History
from tests.models.lightspeed.account_documents import (
    LOCATION,
    Document,
    account,
    day,
    included,
    location,
    payment,
)

Poison = Callable[[Document], object]


def _sale() -> Document:
    return copy.deepcopy(account("A9.9", [included()], [payment("10.60")]))


POISONS: dict[str, tuple[Poison, str]] = {
    "a total in words": (lambda d: d["salesLines"][0].update(totalNetAmountWithTax="ten"), "not an amount"),
    "a total with a comma": (
        lambda d: d["salesLines"][0].update(totalNetAmountWithTax="1,50"), "not an amount",
    ),
    "a total as a list": (lambda d: d["salesLines"][0].update(totalNetAmountWithTax=["1"]), "not an amount"),
    "a discount that is true": (lambda d: d["salesLines"][0].update(discountAmount=True), "not an amount"),
    "tax that is no number": (
        lambda d: d["salesLines"][0]["taxLines"][0].update(taxAmount="NaN"), "not an amount",
    ),
    "a tip as an object": (lambda d: d["payments"][0].update(tip={"amount": "1"}), "not an amount"),
    "a payment beyond any bound": (
        lambda d: d["payments"][0].update(netAmountWithTax="9" * 14), "not an amount",
    ),
    "amounts whose sum is out of range": (
        lambda d: d["payments"].extend(payment("9" * 13) for _ in range(2)), "out of range",
    ),
    "a quantity in words": (lambda d: d["salesLines"][0].update(quantity="two"), "quantity is not a number"),
    "a line without any total": (
        lambda d: d["salesLines"][0].pop("totalNetAmountWithTax"), "a line without a total",
    ),
    "lines as an object": (lambda d: d.update(salesLines={"id": "a"}), "salesLines is not a list"),
    "a line as text": (lambda d: d["salesLines"].append("bread"), "salesLines has an entry"),
    "tax lines as text": (lambda d: d["salesLines"][0].update(taxLines="6%"), "taxLines is not a list"),
    "a tax line as a number": (lambda d: d["salesLines"][0].update(taxLines=[6]), "taxLines has an entry"),
    "payments as text": (lambda d: d.update(payments="cash"), "payments is not a list"),
    "no business location": (lambda d: d.pop("businessLocationId"), "businessLocationId is missing"),
    "an endless business location": (lambda d: d.update(businessLocationId="1" * 500), "is too long"),
    "an endless reference": (lambda d: d.update(accountReference="r" * 500), "is too long"),
    "an endless initial account": (
        lambda d: d["source"].update(initialAccountId="A" * 500), "is too long",
    ),
    "no time of closing": (lambda d: d.pop("timeClosed"), "timeClosed is missing"),
    "a day that is none": (lambda d: d.update(timeClosed="2026-02-30T00:00:00Z"), "timeClosed is not a time"),
    "a word as time": (lambda d: d.update(timeClosed="infinity"), "timeClosed is not a time"),
    "a time without offset": (
        lambda d: d.update(timeClosed="2026-03-10T12:00:00"), "timeClosed is not a time",
    ),
    "two currencies": (lambda d: d["payments"][0].update(currency="USD"), "more than one currency"),
    "a currency in words": (
        lambda d: (d["payments"][0].pop("currency"), d["salesLines"][0].update(currency="euro")),
        "three letters",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("poison", "reason"), POISONS.values(), ids=POISONS.keys())
def test_a_poisoned_account_is_rejected_alone(history: History, poison: Poison, reason: str) -> None:
    """One reason in one line, no rows of its own, and the account beside it is normalised."""
    document = _sale()
    poison(document)
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included()]), document])
    history.normalise()
    (rejected,) = history.query("select * from pos_work.int_documents_rejected")
    assert (rejected["pos_system"], rejected["stream"], rejected["external_id"]) == (
        "lightspeed",
        "sales",
        "A9.9",
    )
    assert reason in rejected["reason"]
    assert "\n" not in rejected["reason"]
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["ref-A1.1"]


def test_the_account_before_the_poison_is_fine(history: History) -> None:
    history.land("locations", [location()])
    history.land("sales", [_sale()])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    assert history.transaction("ref-A9.9")["total_amount"] == Decimal("10.60")


def test_odd_but_readable_accounts_are_normalised(history: History) -> None:
    """Trap: every field may be absent or null; decimals are text, number or empty; words may be new."""
    bare = {
        "accountFiscId": "A2.1",
        "businessLocationId": 417300000000021,
        "timeofCloseAndPaid": "2026-03-10T15:04:05+01:00",
    }
    odd = account(
        "A2.2",
        [
            {"id": None, "totalNetAmountWithTax": "", "quantity": "", "taxLines": None, "voidReason": None},
            {"totalNetAmountWithTax": 3, "quantity": 0, "taxAmount": 1, "accountingGroup": "Bread"},
        ],
        [payment(3, currency="", code=None, type="BARTER", fiscDate="noon", uuid=None)],
        kind="TELEPORT",
        source=None,
        cancelled=None,
        timeOfOpening="dawn",
    )
    history.land("locations", [location()])
    history.land("sales", [bare, odd])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_rejected") == []
    row = history.transaction("A2.1")
    assert (row["kind"], row["status"], row["is_revenue"], row["total_amount"]) == (
        "other",
        "completed",
        False,
        0,
    )
    row = history.transaction("ref-A2.2")
    assert (row["kind"], row["is_revenue"], row["opened_at"]) == ("other", False, None)
    assert (row["net_sales_amount"], row["tax_amount"]) == (2, 1)
    assert [item["external_line_id"] for item in history.items("ref-A2.2")] == ["#1", "#2"]
    assert [item["unit_price"] for item in history.items("ref-A2.2")] == [0, None]
    (paid,) = history.payments("ref-A2.2")
    assert (paid["method"], paid["external_payment_id"], paid["paid_at"]) == ("other", "T1.1", None)


def test_a_rejected_version_leaves_the_rows_of_the_one_before(history: History) -> None:
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included()])])
    history.normalise()
    before = history.marts()
    history.land("sales", [account("A1.1", [included()]) | {"salesLines": "none"}])
    history.normalise()
    assert history.marts() == before
    assert len(history.query("select * from pos_work.int_documents_rejected")) == 1


def test_a_location_without_a_known_zone_and_a_day_without_a_time_are_rejected(history: History) -> None:
    """The accounts wait for a location that is fit for use; the day is as if it were not there."""
    history.land("locations", [location(timezone="Mars/Olympus_Mons")])
    history.land("days", [day("2026-03-10", "at dawn"), day("2026-02-31", "2026-03-11T05:30:00+01:00")])
    history.land("sales", [account("A1.1", [included()])])
    history.normalise()
    rejected = history.query(
        "select stream, external_id, reason from pos_work.int_documents_rejected order by 1, 2"
    )
    assert [(row["stream"], row["external_id"]) for row in rejected] == [
        ("days", f"{LOCATION}:2026-02-31"),
        ("days", f"{LOCATION}:2026-03-10"),
        ("locations", LOCATION),
    ]
    (waiting,) = history.query("select * from pos_work.int_documents_waiting")
    assert (waiting["external_id"], waiting["stream"]) == ("A1.1", "sales")
    history.land("locations", [location(blName="Corner shop")])
    history.normalise()
    assert history.query("select * from pos_work.int_documents_waiting") == []
    assert history.transaction("ref-A1.1")["timezone"] == "Europe/Brussels"
