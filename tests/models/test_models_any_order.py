"""The rows are a function of the set of documents, whatever the order, the batches, the runner."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.models.history import History, Row
from tests.models.square_documents import (
    category,
    item,
    line,
    location,
    order,
    order_refund,
    payment,
    refund,
    return_order,
    tender,
)

Batch = tuple[str, list[Row]]

PIECES: list[Batch] = [
    ("locations", [location(), location("LOC-LATE", "Europe/Berlin")]),
    ("locations", [location(timezone="America/Los_Angeles", updated="09")]),
    (
        "orders",
        [
            order(
                "sale", [line("a", 1150, tax=150, catalog_object_id="V1", catalog_version=50)],
                tip=200, tenders=[tender("pay", 1350, tip=200)],
            ),
            order("late", [line("a", 300)], location="LOC-LATE", state="OPEN"),
        ],
    ),
    (
        "orders",
        [
            order(
                "sale",
                [
                    line("a", 1150, tax=150, catalog_object_id="V1", catalog_version=50),
                    line("b", 400, catalog_object_id="V1", catalog_version=5),
                ],
                version=3,
                service_charges=[
                    {"uid": "s", "type": "AUTO_GRATUITY", "total_money": {"amount": 90, "currency": "USD"}}
                ],
                total_money={"amount": 1640, "currency": "USD"},
                tenders=[tender("pay", 1640)],
            )
        ],
    ),
    (
        "orders",
        [
            return_order(
                "back", [line("a", 400)], source="sale", total=490,
                refunds=[order_refund("r", "pay", 490, "PENDING")],
            )
        ],
    ),
    ("refunds", [refund("r", "pay", "back", 490, "PENDING")]),
    ("refunds", [refund("r", "pay", "back", 490, "FAILED", updated="10:30")]),
    ("payments", [payment("pay", "sale", "2026-03-09T23:30:00Z")]),
    ("catalog", [item("I1", 40, {"V1": "RYE-1"}, "C1"), category("C1", 30, "Bread")]),
    ("catalog", [item("I1", 60, {"V1": "RYE-2"}, "C1"), category("C1", 70, "Loaves")]),
    ("catalog", [item("I1", 45, {"V1": "RYE-3"}, "C2"), category("C2", 44, "Rye")]),
]  # fmt: skip


def _land_all(history: History, pieces: list[Batch]) -> None:
    for stream, documents in pieces:
        history.land(stream, documents)


@pytest.fixture
def expected(history: History) -> dict[str, list[Row]]:
    """The marts when everything is normalised at once."""
    _land_all(history, PIECES)
    history.normalise()
    rows = history.marts()
    assert len(rows["pos_transactions"]) == 3
    history.clear()
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_batches_in_any_order_make_the_same_rows(
    history: History, expected: dict[str, list[Row]], seed: int
) -> None:
    """One piece after the other, in an order drawn by lot, and some of them twice."""
    pieces = [*PIECES, *random.Random(seed).sample(PIECES, 3)]
    random.Random(seed).shuffle(pieces)
    for piece in pieces:
        _land_all(history, [piece])
        history.normalise()
    assert history.marts() == expected


def test_every_order_of_the_catalogue_makes_the_same_rows(history: History) -> None:
    """The sale lands at each place among the catalogue's versions."""
    catalogue = [piece for piece in PIECES if piece[0] == "catalog"]
    sale = PIECES[3]
    results = []
    for pieces in itertools.permutations([*catalogue, sale]):
        history.clear()
        history.land("locations", [location()])
        for piece in pieces:
            _land_all(history, [piece])
            history.normalise()
        results.append([(row["sku"], row["category"]) for row in history.items("sale")])
    assert all(result == [("RYE-3", "Rye"), ("RYE-1", "Bread")] for result in results)


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


def test_loads_that_are_not_complete_are_not_looked_at(history: History) -> None:
    """Neither as a batch nor as a newer version of a document that is touched."""
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 100)])])
    load = history.land("orders", [order("a", [line("x", 900)], version=2)], complete=False)
    history.normalise()
    assert history.transaction("a")["external_version"] == 1
    history.complete(load)
    history.normalise()
    assert history.transaction("a")["external_version"] == 2


def test_a_line_that_is_gone_loses_its_row(history: History) -> None:
    """The newer version has fewer lines and other payments."""
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 100), line("y", 50)], tenders=[tender("t", 150)])])
    history.normalise()
    assert len(history.items("a")) == 2
    history.land("orders", [order("a", [line("y", 50)], version=2, tenders=[])])
    history.normalise()
    assert [row["external_line_id"] for row in history.items("a")] == ["y"]
    assert history.payments("a") == []


def test_a_set_aside_document_leaves_the_version_before_it(history: History) -> None:
    """A version in quarantine does not count; when nothing is left, the rows go."""
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 100)])])
    history.land("orders", [order("a", [line("x", 200)], version=2)])
    history.normalise()
    for version, left in ((2, [1]), (1, [])):
        history.connection.execute(
            "insert into pos_quarantined_documents (id, configuration_id, pos_system, stream,"
            " external_id, content_hash, stage, reason) select gen_random_uuid(), configuration_id::uuid,"
            " 'square', 'orders', external_id, content_hash, 'normalise', 'it fails'"
            " from raw_square.orders where external_version = %s",
            (version,),
        )
        history.connection.execute(
            "insert into pos_touched_documents select configuration_id::uuid, 'a' from raw_square.orders"
        )
        history.normalise()
        assert [row["external_version"] for row in history.query("select * from pos_transactions")] == left
    assert history.query("select * from pos_transaction_items") == []
