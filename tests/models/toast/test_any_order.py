"""The rows are a function of the set of Toast documents, whatever their order and repetition."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.models.history import History, Row
from tests.models.toast.documents import (
    Document,
    charge,
    check,
    config,
    order,
    payment,
    refund,
    refunded,
    restaurant,
    selection,
)

Piece = tuple[str, list[Row]]

CATEGORY = {"guid": "bread"}
SOLD = [
    selection("a", 10, tax=0.8, salesCategory=CATEGORY),
    selection("b", 4, preDiscountPrice=5, modifiers=[selection("m", 0.5, salesCategory=CATEGORY)]),
]
MOVED = check("moved", [selection("c", 3)], 3, payments=[payment("q", 3)])
PIECES: list[Piece] = [
    ("restaurants", [restaurant(), restaurant("restaurant-2", "America/Chicago")]),
    ("restaurants", [restaurant(timezone="America/Los_Angeles")]),
    ("config", [config("salesCategories", "bread", "Bread")]),
    ("config", [config("salesCategories", "bread", "Loaves")]),
    ("orders", [order("o", [check("c", SOLD, 14, tax=0.8, paymentStatus="OPEN")])]),
    (
        "orders",
        [
            order(
                "o",
                [check("c", SOLD, 16, tax=0.8, charges=[charge(2)], payments=[payment("p", 16.8, 3)]), MOVED],
                modified=2,
            )
        ],
    ),
    (
        "orders",
        [
            order(
                "o",
                [
                    check(
                        "c",
                        [SOLD[0] | {"refundDetails": refunded(10, "t", 0.8)}, SOLD[1]],
                        16,
                        tax=0.8,
                        charges=[charge(2)],
                        payments=[payment("p", 16.8, 3, refund=refund(11, 1, "t"))],
                    )
                ],
                modified=3,
            )
        ],
    ),
    ("orders", [order("target", [MOVED | {"tabName": None}], modified=4)]),
    ("orders", [order("plain", [check("d", [selection("e", 2)], 2)], restaurantGuid="restaurant-2")]),
    ("orders", [order("plain", [check("d", [selection("e", 2)], 2)], restaurantGuid=None)]),
]


def _land_all(history: History, pieces: list[Piece]) -> None:
    for stream, documents in pieces:
        history.land(stream, documents)


@pytest.fixture
def expected(history: History) -> dict[str, list[Row]]:
    """The marts when everything is normalised at once."""
    _land_all(history, PIECES)
    history.normalise()
    rows = history.marts()
    found = {
        row["external_id"]: (row["external_order_id"], row["status"]) for row in rows["pos_transactions"]
    }
    assert found == {
        "c": ("o", "completed"),
        "c:refund:t": ("o", "completed"),
        "moved": ("target", "completed"),
        "d": ("plain", "completed"),
    }
    history.clear()
    return rows


def _check_shuffled(history: History, expected: dict[str, list[Row]], pieces: list[Piece], cuts: int) -> None:
    history.clear()
    generator = random.Random(cuts)
    for piece in pieces:
        _land_all(history, [piece])
        if generator.random() < 0.6:
            history.normalise()
    history.normalise()
    assert history.marts() == expected


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    order_of_pieces=st.permutations(range(len(PIECES))),
    repeated=st.lists(st.integers(0, len(PIECES) - 1), max_size=3),
    cuts=st.integers(0, 1000),
)
def test_any_order_and_any_repetition_make_the_same_rows(
    history: History,
    expected: dict[str, list[Row]],
    order_of_pieces: list[int],
    repeated: list[int],
    cuts: int,
) -> None:
    """Restaurants and names late or early, versions in any order, batches cut anywhere."""
    _check_shuffled(history, expected, [PIECES[at] for at in (*order_of_pieces, *repeated)], cuts)


def test_plain_dbt_makes_the_rows_of_the_compiled_statements(
    history: History, expected: dict[str, list[Row]]
) -> None:
    """A person running dbt by hand: in two batches, then the whole history again."""
    half = len(PIECES) // 2
    _land_all(history, PIECES[half:])
    history.dbt_run()
    _land_all(history, PIECES[:half])
    history.dbt_run()
    assert history.marts() == expected
    history.dbt_run("--full-refresh")
    assert history.marts() == expected


CENTS = st.decimals(Decimal("-999.999999"), Decimal("9999.999999"), places=6).map(float)
PRICES = st.one_of(CENTS, st.floats(0, 10_000, allow_nan=False), st.integers(0, 500))
CATEGORIES = ["SERVICE_CHARGE", "CREDIT_CARD_SURCHARGE", "FUNDRAISING_CAMPAIGN", "CASH_ROUNDING", "NEW", None]
TYPES = ["NONE", None, "OPEN_ITEM", "TOAST_CARD_SELL", "HOUSE_ACCOUNT_PAY_BALANCE", "PORTION", "NEW_TYPE"]
STATES = ["CAPTURED", "AUTHORIZED", "VOIDED", "DENIED", "CANCELLED", "OPEN", "BRAND_NEW", None]
TRANSACTIONS = st.sampled_from(["t1", "t2"])


@st.composite
def selections(draw: st.DrawFn, depth: int = 0) -> Document:
    """A line with modifiers down to any depth, perhaps voided, deferred or given back."""
    fields: Document = {
        "selectionType": draw(st.sampled_from(TYPES)),
        "preDiscountPrice": draw(PRICES),
        "tax": draw(PRICES),
        "voided": draw(st.booleans()),
        "deferred": draw(st.booleans()),
        "quantity": draw(st.sampled_from([1, 2, 0.355, -1])),
    }
    if depth < 3:
        fields["modifiers"] = draw(st.lists(selections(depth + 1), max_size=2))
    if draw(st.booleans()):
        fields["refundDetails"] = refunded(draw(PRICES), draw(TRANSACTIONS), draw(PRICES))
    return selection(None, draw(PRICES), **fields)


@st.composite
def checks(draw: st.DrawFn, guid: str) -> Document:
    """A check whose figures need not agree with each other at all."""
    charges = [
        charge(
            draw(PRICES),
            draw(st.sampled_from(CATEGORIES)),
            gratuity=draw(st.booleans()),
            refundDetails=draw(st.one_of(st.none(), st.builds(refunded, PRICES, TRANSACTIONS, PRICES))),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    payments = [
        payment(
            f"p{number}",
            draw(PRICES),
            draw(PRICES),
            paymentStatus=draw(st.sampled_from(STATES)),
            refund=draw(st.one_of(st.none(), st.builds(refund, PRICES, PRICES, TRANSACTIONS))),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    return check(
        guid,
        draw(st.lists(selections(), max_size=3)),
        draw(PRICES),
        tax=draw(PRICES),
        charges=charges,
        payments=payments,
        voided=draw(st.booleans()),
        paymentStatus=draw(st.sampled_from(["OPEN", "PAID", "CLOSED", "NEW"])),
    )


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data())
def test_the_parts_of_any_order_add_up_exactly(history: History, data: st.DataObject) -> None:
    """The identities are constraints of the table, so a row that broke one would stop the batch."""
    count = data.draw(st.integers(1, 4))
    history.clear()
    history.land("restaurants", [restaurant()])
    history.land("orders", [order(f"o{n}", [data.draw(checks(f"c{n}"))]) for n in range(count)])
    history.normalise()
    rows = history.query(
        "select t.external_id, t.kind, t.residual_amount, t.total_amount, t.paid_amount, t.discount_amount,"
        " t.total_amount - t.net_sales_amount - t.tax_amount - t.service_charge_amount - t.tip_amount"
        " - t.rounding_amount - t.non_sales_amount as rest,"
        " t.gross_sales_amount - t.net_sales_amount - t.discount_amount as discount_rest"
        " from pos_transactions as t"
    )
    assert len([row for row in rows if row["kind"] != "return"]) == count
    assert all(row["rest"] == row["discount_rest"] == 0 for row in rows)
    returns = [row for row in rows if row["kind"] == "return"]
    assert all(row["residual_amount"] == row["discount_amount"] == 0 for row in returns)
    assert all(row["total_amount"] == row["paid_amount"] for row in returns)
    assert history.query("select * from pos_work.int_documents_rejected") == []
