"""Documents restate those they concern: restaurants, names, other orders, other versions, settings."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.models.history import CONFIGURATION, History
from tests.models.toast.documents import (
    check,
    config,
    order,
    payment,
    refund,
    restaurant,
    selection,
)

SALE = check("c", [selection("a", 2, salesCategory={"guid": "bread"})], 2)


def touched(history: History) -> set[str]:
    """The documents of the last batch."""
    return {row["external_id"] for row in history.query("select * from pos_work.int_documents_touched")}


def waiting(history: History) -> list[str]:
    """Why documents of the last batch wait."""
    return [row["reason"] for row in history.query("select * from pos_work.int_documents_waiting")]


def test_an_order_waits_for_its_restaurant(history: History) -> None:
    """No rows and a line in the list of what waits, until that very restaurant lands."""
    history.land("orders", [order("o", [SALE])])
    history.normalise()
    assert history.query("select * from pos_transactions") == []
    assert waiting(history) == ["restaurant restaurant-1 is not known yet"]
    history.land("restaurants", [restaurant("restaurant-2")])
    history.normalise()
    assert touched(history) == set()
    history.land("restaurants", [restaurant()])
    history.normalise()
    assert history.transaction("c")["total_amount"] == 2
    assert waiting(history) == []


def test_an_order_without_a_restaurant_is_of_the_only_one(history: History) -> None:
    """No restaurant, one, two: it waits, has rows, waits again; once it is told, it has rows for good."""
    history.land("orders", [order("o", [SALE], restaurantGuid=None)])
    history.normalise()
    assert len(waiting(history)) == 1
    history.land("restaurants", [restaurant()])
    history.normalise()
    assert history.transaction("c")["external_location_id"] == "restaurant-1"
    history.land("restaurants", [restaurant("restaurant-2", "America/Chicago")])
    history.normalise()
    assert history.query("select * from pos_transactions") == []
    assert "has not exactly one" in waiting(history)[0]
    history.land("orders", [order("o", [SALE], restaurantGuid="restaurant-2")], read_at=None)
    history.normalise()
    assert history.transaction("c")["external_location_id"] == "restaurant-2"
    assert history.transaction("c")["timezone"] == "America/Chicago"


def test_a_restaurant_concerns_its_orders_only_when_its_zone_or_currency_changes(history: History) -> None:
    """A new name restates nothing, another zone, currency or closeout hour its own orders."""
    untold = order("o", [SALE], businessDate=None)
    history.land("restaurants", [restaurant(), restaurant("restaurant-2")])
    history.land("orders", [untold, order("p", [check("d", [], 0)], restaurantGuid="restaurant-2")])
    history.normalise()
    read_at = datetime(2026, 4, 2, tzinfo=UTC)
    history.land("restaurants", [restaurant(name="Bakery and café")], read_at=read_at)
    history.normalise()
    assert touched(history) == set()
    history.land("restaurants", [restaurant(currency="CAD")], read_at=read_at.replace(day=3))
    history.normalise()
    assert touched(history) == {"o"}
    assert history.transaction("c")["currency"] == "CAD"
    history.land("restaurants", [restaurant(timezone="Asia/Tokyo")], read_at=read_at.replace(day=4))
    history.normalise()
    assert history.transaction("c")["business_date"] == date(2026, 3, 10)
    assert history.transaction("c")["timezone"] == "Asia/Tokyo"
    late = restaurant(timezone="Asia/Tokyo", closeoutHour=1)
    history.land("restaurants", [late], read_at=read_at.replace(day=5))
    history.normalise()
    assert touched(history) == {"o"}
    history.land("restaurants", [restaurant(timezone="Europe/Berlin")], read_at=read_at.replace(day=1))
    history.normalise()
    assert touched(history) == set()


def test_a_name_restates_the_lines_that_refer_to_it(history: History) -> None:
    """The newest name of a sales category counts, whenever it lands; that of another restaurant does not."""
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [SALE]), order("p", [check("d", [selection("b", 1)], 1)])])
    history.normalise()
    assert history.items("c")[0]["category"] is None
    history.land("config", [config("salesCategories", "bread", "Elsewhere", "restaurant-2")])
    history.land("config", [config("discounts", "bread", "Half price")])
    history.normalise()
    assert touched(history) == set()
    history.land("config", [config("salesCategories", "bread", "Bread")])
    history.normalise()
    assert touched(history) == {"o"}
    assert history.items("c")[0]["category"] == "Bread"
    newer = datetime(2026, 4, 2, tzinfo=UTC)
    history.land("config", [config("salesCategories", "bread", "Loaves")], read_at=newer)
    history.normalise()
    assert history.items("c")[0]["category"] == "Loaves"
    history.land("config", [config("salesCategories", "bread", "Loaves", color="red")], read_at=newer)
    history.land("config", [config("salesCategories", "bread", "Old")], read_at=None)
    history.normalise()
    assert touched(history) == set()


def test_a_check_that_is_no_longer_listed_stays_as_deleted(history: History) -> None:
    """Trap 7: in one batch or in two, and with the refunds that it had."""
    paid = payment("p", 2, refund=refund(1))
    gone = check("gone", [selection("b", 2)], 2, payments=[paid])
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [SALE, gone])])
    history.normalise()
    assert history.transaction("gone")["is_revenue"] is True
    history.land("orders", [order("o", [SALE], modified=2)])
    history.normalise()
    for external_id in ("gone", "gone:refund:p"):
        row = history.transaction(external_id)
        assert (row["status"], row["is_revenue"]) == ("deleted", False)
    assert history.transaction("gone")["total_amount"] == 2
    assert [line["external_line_id"] for line in history.items("gone")] == ["b"]
    assert history.transaction("c")["status"] == "completed"


def test_a_check_that_moves_to_another_order_counts_once(history: History) -> None:
    """The order that lists it now has it, and the one that it left is normalised with it."""
    moving = check("m", [selection("b", 3)], 3)
    left = [order("source", [SALE, moving]), order("source", [SALE], modified=2)]
    target = order("target", [check("d", [], 0), moving], modified=3)
    for batches in ([[left[0]], [left[1], target]], [[target], [left[0]], [left[1]]], [left, [target]]):
        history.clear()
        history.land("restaurants", [restaurant()])
        for batch in batches:
            history.land("orders", batch)
            history.normalise()
        row = history.transaction("m")
        assert (row["external_order_id"], row["status"]) == ("target", "completed")
        assert history.transaction("c")["external_order_id"] == "source"


def test_a_refund_that_the_newest_version_does_not_list_is_gone(history: History) -> None:
    """The newest version of the order decides which refunds exist."""
    given = payment("p", 2, refund=refund(1, day=12))
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [SALE | {"payments": [given]}])])
    history.normalise()
    assert history.transaction("c:refund:p")["business_date"] == date(2026, 3, 12)
    history.land("orders", [order("o", [SALE | {"payments": [payment("p", 2)]}], modified=2)])
    history.normalise()
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["c"]


def test_the_closeout_burst_changes_no_day(history: History) -> None:
    """Trap 11: at night every card is captured and every order modified; the sale stays where it was."""
    authorized = payment("p", 2, tip=1, paymentStatus="AUTHORIZED")
    before = SALE | {"paymentStatus": "PAID", "closedDate": None, "payments": [authorized]}
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [before])])
    history.normalise()
    first = history.transaction("c")
    assert (first["is_revenue"], first["paid_amount"], first["tip_amount"]) == (True, 0, 1)
    history.land("orders", [order("o", [SALE | {"payments": [payment("p", 2, tip=1)]}], modified=30)])
    history.normalise()
    second = history.transaction("c")
    assert second["paid_amount"] == 3
    for name in ("business_date", "occurred_at", "total_amount", "is_revenue", "transaction_id"):
        assert second[name] == first[name]


def test_split_checks_are_rows_of_their_own(history: History) -> None:
    """Several checks of one order, each with its part of the payments and the tips."""
    halves = [
        check(f"h{n}", [selection(f"s{n}", 5, tax=0.4)], 5, tax=0.4, payments=[payment(f"p{n}", 5.4, n)])
        for n in (1, 2)
    ]
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", halves)])
    history.normalise()
    rows = [history.transaction(f"h{n}") for n in (1, 2)]
    assert [row["tip_amount"] for row in rows] == [1, 2]
    assert [row["paid_amount"] for row in rows] == [Decimal("6.4"), Decimal("7.4")]
    assert {row["external_order_id"] for row in rows} == {"o"}


def test_a_replay_restates_its_documents(history: History) -> None:
    """All documents of a configuration are normalised again when its key is left out."""
    history.land("restaurants", [restaurant()])
    history.land("orders", [order("o", [SALE]), order("p", [check("d", [], 0)])])
    history.normalise()
    history.connection.execute(
        "insert into pos_touched_documents (configuration_id, external_id) values (%s, 'o')", (CONFIGURATION,)
    )
    history.normalise()
    assert touched(history) == {"o"}


def test_configurations_do_not_mix(history: History) -> None:
    """The same guids under two configurations are two documents, each with its own references."""
    other = uuid.UUID(int=3)
    history.configure(other)
    history.land("restaurants", [restaurant()])
    history.land("restaurants", [restaurant(currency="CAD")], configuration=other)
    history.land("config", [config("salesCategories", "bread", "Bread")])
    history.land("orders", [order("o", [SALE])])
    history.land("orders", [order("o", [SALE])], configuration=other)
    history.normalise()
    rows = history.query(
        "select t.configuration_id, t.currency, i.category from pos_transactions as t"
        " join pos_transaction_items as i using (transaction_id) order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [(CONFIGURATION, "USD", "Bread"), (other, "CAD", None)]
