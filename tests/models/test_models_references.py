"""Documents restate those they concern: locations, refunds, payments, catalogue, source orders, settings."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.models.history import CONFIGURATION, TENANT, History
from tests.models.square_documents import (
    CLOSED_AT,
    category,
    item,
    line,
    location,
    money,
    order,
    order_refund,
    payment,
    refund,
    return_order,
    tender,
)


def touched(history: History) -> set[str]:
    """The documents of the last batch."""
    return {row["external_id"] for row in history.query("select * from pos_work.int_documents_touched")}


def test_an_order_waits_for_its_location(history: History) -> None:
    """No rows and a line in the list of what waits, until the location lands."""
    history.land("orders", [order("a", [line("x", 100)])])
    history.normalise()
    assert history.query("select * from pos_transactions") == []
    (waiting,) = history.query("select * from pos_work.int_documents_waiting")
    assert (waiting["pos_system"], waiting["stream"], waiting["external_id"]) == ("square", "orders", "a")
    assert (waiting["tenant_id"], waiting["configuration_id"]) == (TENANT, CONFIGURATION)
    assert "LOC-BAKERY" in waiting["reason"]
    history.land("locations", [location("LOC-OTHER")])
    history.normalise()
    assert touched(history) == set()
    history.land("locations", [location()])
    history.normalise()
    assert history.transaction("a")["total_amount"] == 1


def test_a_location_concerns_its_orders_only_when_its_zone_changes(history: History) -> None:
    """A new name restates nothing, another zone moves the business date of its own orders."""
    late_evening = "2026-03-11T02:00:00Z"
    history.land("locations", [location(), location("LOC-OTHER")])
    history.land("orders", [order("a", [line("x", 100)], closed_at=late_evening)])
    history.land("orders", [order("b", [line("x", 100)], closed_at=late_evening, location="LOC-OTHER")])
    history.normalise()
    assert history.transaction("a")["business_date"] == date(2026, 3, 10)
    history.land("locations", [location(updated="02", name="Bakery and café")])
    history.normalise()
    assert touched(history) == set()
    history.land("locations", [location(updated="03", timezone="Europe/Berlin")])
    history.normalise()
    assert touched(history) == {"a"}
    assert history.transaction("a")["business_date"] == date(2026, 3, 11)
    assert history.transaction("b")["business_date"] == date(2026, 3, 10)
    history.land("locations", [location(updated="01", timezone="Asia/Tokyo")])
    history.normalise()
    assert touched(history) == set()


def test_a_refund_that_fails_later_cancels_its_return(history: History) -> None:
    """The refund's own document restates the return; the sale is never rewritten."""
    history.land("locations", [location()])
    history.land("orders", [order("sale", [line("x", 500)], tenders=[tender("t", 500)])])
    history.land(
        "orders",
        [
            return_order(
                "back", [line("x", 500)], source="sale", total=500,
                refunds=[order_refund("r", "t", 500, "PENDING")],
            )
        ],
    )  # fmt: skip
    history.normalise()
    before = history.transaction("back")
    assert (before["status"], before["is_revenue"], before["paid_amount"]) == ("completed", True, 0)
    assert before["parent_external_id"] == "sale"
    history.land("refunds", [refund("r", "t", "back", 500, "COMPLETED")])
    history.normalise()
    assert touched(history) == {"back"}
    assert history.transaction("back")["paid_amount"] == -5
    history.land("refunds", [refund("r", "t", "back", 500, "FAILED", updated="11:00")])
    history.normalise()
    after = history.transaction("back")
    assert (after["status"], after["is_revenue"], after["paid_amount"]) == ("canceled", False, 0)
    assert [(row["status"], row["method"]) for row in history.payments("back")] == [("failed", "card")]
    assert history.transaction("sale")["total_amount"] == 5


def test_a_payment_taken_offline_moves_the_sale(history: History) -> None:
    """The payment is known after the order: the sale moves to the day on which it was paid."""
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 500)], tenders=[tender("t", 500)])])
    history.normalise()
    assert history.transaction("a")["occurred_at"] == datetime.fromisoformat(CLOSED_AT)
    history.land("payments", [payment("t", "a", "2026-03-09T18:00:00Z")])
    history.normalise()
    row = history.transaction("a")
    assert row["occurred_at"] == datetime(2026, 3, 9, 18, tzinfo=UTC)
    assert row["business_date"] == date(2026, 3, 9)


@pytest.mark.parametrize("sale_first", [True, False])
def test_a_returned_charge_follows_its_source(history: History, sale_first: bool) -> None:
    """Whether a returned service charge was a gratuity is known by the order that it was sold with."""
    charge = {"uid": "g", "type": "AUTO_GRATUITY", "total_money": money(90)}
    sale = order("sale", [line("x", 500)], service_charges=[charge]) | {"total_money": money(590)}
    back = return_order("back", [line("x", 500)], source="sale", total=590)
    back["returns"][0]["return_service_charges"] = [
        {"uid": "h", "source_service_charge_uid": "g", "total_money": money(90)}
    ]
    history.land("locations", [location()])
    documents = [sale, back] if sale_first else [back, sale]
    for document in documents:
        history.land("orders", [document])
        history.normalise()
    row = history.transaction("back")
    assert (row["tip_amount"], row["service_charge_amount"]) == (Decimal("-0.9"), 0)
    assert row["net_sales_amount"] == -5


def test_a_catalogue_edit_restates_only_the_lines_that_choose_it(history: History) -> None:
    """A change after the sale leaves old lines alone; a version nearer to the sale does not."""
    sold = line("x", 500, catalog_object_id="V", catalog_version=50)
    history.land("locations", [location()])
    history.land("orders", [order("a", [sold]), order("b", [line("x", 500)])])
    history.normalise()
    assert history.items("a")[0]["sku"] is None
    history.land("catalog", [item("I", 90, {"V": "NEW"}, "C")])
    history.normalise()
    assert touched(history) == {"a"}
    assert (history.items("a")[0]["sku"], history.items("a")[0]["category"]) == ("NEW", None)
    history.land("catalog", [category("C", 20, "Bread"), item("I", 40, {"V": "SOLD"}, "C")])
    history.normalise()
    assert (history.items("a")[0]["sku"], history.items("a")[0]["category"]) == ("SOLD", "Bread")
    history.land("catalog", [item("I", 95, {"V": "LATER"}, "D"), category("C", 96, "Loaves")])
    history.land("catalog", [item("I", 10, {"V": "EARLIER"}, "D")])
    history.normalise()
    assert touched(history) == set()


def test_deleted_and_loose_catalogue_objects_are_known(history: History) -> None:
    """A deleted item still names what was sold, and a variation may come without its item."""
    deleted = item("I", 40, {"V": "OLD"}, None) | {"is_deleted": True}
    deleted["item_data"]["categories"] = [{"id": "C"}, {"id": "D"}]
    loose = {
        "type": "ITEM_VARIATION", "id": "W", "version": 40,
        "item_variation_data": {"item_id": "J", "sku": "LOOSE"},
    }  # fmt: skip
    older = item("J", 40, {}, None)
    older["item_data"]["category_id"] = "D"
    history.land("catalog", [deleted, loose, older, category("C", 1, "Bread"), category("D", 1, "Cake")])
    history.land("locations", [location()])
    lines = [line(v, 100, catalog_object_id=v, catalog_version=50) for v in ("V", "W")]
    history.land("orders", [order("a", lines)])
    history.normalise()
    found = [(row["sku"], row["category"]) for row in history.items("a")]
    assert found == [("OLD", "Bread"), ("LOOSE", "Cake")]


def test_a_changed_setting_restates_the_configuration(history: History) -> None:
    """All documents of a configuration are normalised again when its key is left out."""
    history.land("locations", [location()])
    history.land("orders", [order("a", [line("x", 1)], closed_at="2026-03-10T06:00:00Z")])
    history.normalise()
    assert history.transaction("a")["business_date"] == date(2026, 3, 10)
    history.configure(CONFIGURATION, "04:00")
    history.connection.execute(
        "insert into pos_touched_documents (configuration_id, external_id) values (%s, null)",
        (CONFIGURATION,),
    )
    history.normalise()
    assert history.transaction("a")["business_date"] == date(2026, 3, 9)


def test_configurations_do_not_mix(history: History) -> None:
    """The same ids under two configurations are two documents, each with its own references."""
    other = uuid.UUID(int=3)
    history.configure(other)
    history.land("locations", [location()])
    history.land("locations", [location(timezone="Asia/Tokyo")], configuration=other)
    history.land("catalog", [item("I", 1, {"V": "MINE"})])
    sale = order("a", [line("x", 100, catalog_object_id="V", catalog_version=2)])
    history.land("orders", [sale])
    history.land("orders", [sale | {"version": 9}], configuration=other)
    history.normalise()
    rows = history.query(
        "select t.configuration_id, t.external_version, t.timezone, i.sku"
        " from pos_transactions as t join pos_transaction_items as i using (transaction_id) order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        (CONFIGURATION, 1, "America/New_York", "MINE"),
        (other, 9, "Asia/Tokyo", None),
    ]


def test_what_was_received_first_and_by_which_path(history: History) -> None:
    """The path is the winner's, the time that of the first document of the key; an old file never wins."""
    history.land("locations", [location()])
    first = history.land("orders", [order("a", [line("x", 100)])], source="webhook")
    history.land("orders", [order("a", [line("x", 300)])], source="replay", read_at=None)
    history.normalise()
    row = history.transaction("a")
    (landed,) = history.query("select * from raw_square.orders where _dlt_load_id = %s", first)
    assert (row["source"], row["total_amount"]) == ("webhook", 1)
    assert row["first_received_at"] == landed["received_at"]
    history.land("orders", [order("a", [line("x", 200)], version=2)], source="backfill")
    history.normalise()
    row = history.transaction("a")
    assert (row["source"], row["first_received_at"]) == ("backfill", landed["received_at"])
