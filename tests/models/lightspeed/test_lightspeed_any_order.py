"""The rows are a function of the set of documents, whatever the order, the batches and the repetitions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.history import History, Row
from tests.models.lightspeed.account_documents import (
    LATER,
    LATEST,
    OTHER_LOCATION,
    Document,
    account,
    added,
    day,
    included,
    location,
    payment,
    tax,
)

Piece = tuple[str, list[Document], datetime]

# Versions, corrections before and after what they correct, late locations and days whose start moves.
PIECES: list[Piece] = [
    ("locations", [location()], LATER),
    ("locations", [location(OTHER_LOCATION, "America/Chicago", "US")], LATER),
    ("locations", [location(timezone="Atlantic/Azores")], LATEST),
    ("days", [day("2026-03-08", "2026-03-09T05:30:00+01:00")], LATER),
    ("days", [day("2026-03-10", "2026-03-11T17:00:00+01:00")], LATER),
    ("days", [day("2026-03-10", "2026-03-11T16:30:00+01:00")], LATEST),
    ("sales", [account("A1.1", [included()], [payment("10.60")])], LATER),
    ("sales", [account("A1.1", [included()], [payment("10.60")], cancelled=True)], LATEST),
    (
        "sales",
        [account("A1.2", [included("S1.1", "-10.60", "-0.6")], kind="RECALL", initial="A1.1")],
        LATER,
    ),
    ("sales", [account("A1.3", [included()], kind="REFUND", initial="A1.4")], LATER),
    ("sales", [account("A1.4", [included()], timeClosed="2026-03-11T16:00:00Z")], LATER),
    ("sales", [account("A2.1", [added()], location=OTHER_LOCATION)], LATER),
    ("sales", [account("A3.1", [included()], accountReference=None)], LATER),
    ("sales", [account("A3.1", [included(), included("S1.2")])], LATEST),
]


def _batches() -> st.SearchStrategy[list[list[Piece]]]:
    """All pieces in some order, some of them again, cut into a few batches."""
    every = st.permutations(PIECES)
    again = st.lists(st.sampled_from(PIECES), max_size=3)
    cuts = st.lists(st.integers(0, len(PIECES)), max_size=4).map(sorted)
    return st.builds(_cut, st.builds(lambda first, more: [*first, *more], every, again), cuts)


def _cut(pieces: list[Piece], cuts: list[int]) -> list[list[Piece]]:
    edges = [0, *cuts, len(pieces)]
    return [pieces[start:end] for start, end in itertools.pairwise(edges)]


def _normalise(history: History, batches: list[list[Piece]]) -> dict[str, list[Row]]:
    history.clear()
    for batch in batches:
        for stream, documents, read_at in batch:
            history.land(stream, documents, read_at=read_at)
        history.normalise()
    return history.marts()


def test_any_order_and_repetition_of_the_documents_makes_the_same_rows(history: History) -> None:
    expected = _normalise(history, [PIECES])
    assert len(expected["pos_transactions"]) == 6

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(_batches())
    def check(batches: list[list[Piece]]) -> None:
        assert _normalise(history, batches) == expected

    check()


def test_one_document_at_a_time_and_plain_dbt_make_the_same_rows(history: History) -> None:
    """Backwards one by one, then the whole history again by dbt itself."""
    expected = _normalise(history, [PIECES])
    assert _normalise(history, [[piece] for piece in reversed(PIECES)]) == expected
    history.dbt_run("--full-refresh")
    assert history.marts() == expected


def _decimals(places: int) -> st.SearchStrategy[str]:
    return st.decimals(-9999, 9999, places=places).map(str)


def _lines(make: Callable[..., Document]) -> st.SearchStrategy[Document]:
    return st.builds(
        make,
        st.none(),
        _decimals(6),
        _decimals(6),
        serviceCharge=_decimals(2),
        totalDiscountAmount=_decimals(2),
        quantity=_decimals(3),
    )


def _payments() -> st.SearchStrategy[Document]:
    return st.builds(
        payment, _decimals(2), tip=_decimals(2), surcharge=_decimals(2), roundingAmount=_decimals(2)
    )


def _sum(parts: list[Document], name: str) -> Decimal:
    return sum((Decimal(part[name]) for part in parts), Decimal(0))


def _expected(document: Document, adds_tax: bool) -> dict[str, Any]:
    """The header, added up in Python from the vendor's own decimals."""
    lines, payments = document["salesLines"], document["payments"]
    taxes = sum((Decimal(each["taxLines"][0]["taxAmount"]) for each in lines), Decimal(0))
    charges = _sum(lines, "serviceCharge")
    with_tax, without_tax = _sum(lines, "totalNetAmountWithTax"), Decimal(0)
    if adds_tax:
        without_tax = _sum(lines, "totalNetAmountWithoutTax")
    net = without_tax if adds_tax else with_tax - taxes - charges
    discount, tip = _sum(lines, "totalDiscountAmount"), _sum(payments, "tip")
    surcharge, rounding = _sum(payments, "surcharge"), _sum(payments, "roundingAmount")
    return {
        "net_sales_amount": net,
        "gross_sales_amount": net + discount,
        "tax_amount": taxes,
        "service_charge_amount": charges + surcharge,
        "tip_amount": tip,
        "rounding_amount": rounding,
        "total_amount": net + taxes + charges + surcharge + tip + rounding,
        "paid_amount": _sum(payments, "netAmountWithTax") + surcharge + tip,
        "residual_amount": 0,
        "item_count": len(lines),
    }


def test_the_sum_identity_is_exact_for_any_account(history: History) -> None:
    """Six places of tax, negative amounts, any mixture: the header is the sum of the vendor's decimals."""
    documents = st.tuples(
        st.lists(_lines(included), max_size=4),
        st.lists(_lines(added), max_size=4),
        st.lists(_payments(), max_size=3),
    )

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.lists(documents, min_size=1, max_size=8))
    def check(drawn: list[tuple[list[Document], list[Document], list[Document]]]) -> None:
        history.clear()
        history.land("locations", [location()])
        made = {}
        for number, (with_tax, on_top, payments) in enumerate(drawn):
            made[f"A1.{number}"] = (account(f"A1.{number}", with_tax, payments), False)
            dollars = [each | {"currency": "USD"} for each in payments]
            made[f"A2.{number}"] = (account(f"A2.{number}", on_top, dollars), True)
        history.land("sales", [document for document, _ in made.values()])
        history.normalise()
        for name, (document, adds_tax) in made.items():
            row = history.transaction(f"ref-{name}")
            expected = _expected(document, adds_tax)
            assert {column: row[column] for column in expected} == expected

    check()


def test_a_tax_of_more_than_six_places_is_cut_before_it_is_added(history: History) -> None:
    """So that the parts of the total add up in the places that the columns have."""
    taxes = [tax("0.0000004"), tax("0.0000004"), tax("0.3333333")]
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included("S1.1", "1.00") | {"taxLines": taxes}])])
    history.normalise()
    row = history.transaction("ref-A1.1")
    assert (row["tax_amount"], row["net_sales_amount"]) == (Decimal("0.333333"), Decimal("0.666667"))
