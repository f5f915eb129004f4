"""Documents restate those they concern: locations, business days, initial accounts, settings."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest

from tests.models.history import CONFIGURATION, History
from tests.models.lightspeed.account_documents import (
    LATER,
    LATEST,
    LOCATION,
    OTHER_LOCATION,
    Document,
    account,
    day,
    included,
    location,
    payment,
)


def touched(history: History) -> set[str]:
    """The documents of the last batch."""
    return {row["external_id"] for row in history.query("select * from pos_work.int_documents_touched")}


def test_an_account_waits_for_its_business_location(history: History) -> None:
    """No rows and a line in the list of what waits, until the location lands."""
    history.land("sales", [account("A1.1", [included()])])
    history.normalise()
    assert history.query("select * from pos_transactions") == []
    (waiting,) = history.query("select * from pos_work.int_documents_waiting")
    assert LOCATION in waiting["reason"]
    history.land("locations", [location(OTHER_LOCATION)])
    history.normalise()
    assert touched(history) == set()
    history.land("locations", [location()])
    history.normalise()
    assert history.transaction("ref-A1.1")["external_location_id"] == LOCATION
    assert history.query("select * from pos_work.int_documents_waiting") == []


def test_a_location_concerns_its_accounts_only_when_what_is_taken_from_it_changes(history: History) -> None:
    history.land("locations", [location(), location(OTHER_LOCATION)])
    closed: Document = {"timeClosed": "2026-03-10T23:30:00Z"}
    history.land("sales", [account("A1.1", [included()], **closed)])
    history.land("sales", [account("A1.2", [included()], location=OTHER_LOCATION, **closed)])
    history.normalise()
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 11)
    history.land("locations", [location(blName="Corner and café")], read_at=LATER)
    history.normalise()
    assert touched(history) == set()
    history.land("locations", [location(timezone="Atlantic/Azores")], read_at=LATEST)
    history.normalise()
    assert touched(history) == {"A1.1"}
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 10)
    assert history.transaction("ref-A1.2")["business_date"] == date(2026, 3, 11)


def test_a_country_tells_whether_prices_contain_tax_only_where_no_tax_line_does(history: History) -> None:
    """Trap: an account without any tax line; its lines say with and without tax, and the country decides."""
    untold = {"totalNetAmountWithoutTax": "9.00", "taxAmount": "1.00", "taxLines": []}
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included("S1.1", "10.60", **untold)])])
    history.land("sales", [account("A1.2", [included("S1.1", "10.60", "0.60")])])
    history.normalise()
    assert history.transaction("ref-A1.1")["total_amount"] == history.transaction("ref-A1.2")["total_amount"]
    history.land("locations", [location(country="US")], read_at=LATER)
    history.normalise()
    assert touched(history) == {"A1.1", "A1.2"}
    row = history.transaction("ref-A1.1")
    assert (row["net_sales_amount"], row["total_amount"], row["prices_include_tax"]) == (9, 10, None)
    row = history.transaction("ref-A1.2")
    assert (row["net_sales_amount"], row["prices_include_tax"]) == (10, True)


@pytest.mark.parametrize("correction_first", [False, True])
def test_a_correction_names_its_initial_account_once_it_is_known(
    history: History, correction_first: bool
) -> None:
    """The vendor's own reference stands at once; the account's id when that account has landed."""
    sale = account("A1.1", [included()])
    back = account("A2.7", [included("S2.1", "-10.60", "-0.6")], kind="REFUND", initial="A1.1")
    history.land("locations", [location()])
    for document in [back, sale] if correction_first else [sale, back]:
        history.land("sales", [document])
        history.normalise()
        if document is back and correction_first:
            assert history.transaction("ref-A2.7")["parent_external_id"] is None
    row = history.transaction("ref-A2.7")
    assert (row["parent_external_id"], row["parent_external_order_id"]) == ("ref-A1.1", "A1.1")
    row = history.transaction("ref-A1.1")
    assert (row["parent_external_id"], row["parent_external_order_id"]) == (None, None)


def test_the_day_starts_when_the_business_day_before_it_ends(history: History) -> None:
    """Trap: a business day ends at an hour of the location's own; what is earlier is of the day before."""
    history.land("locations", [location()])
    closings = {
        "A1.1": "2026-03-10T04:29:59Z",
        "A1.2": "2026-03-10T04:30:00Z",
        "A1.3": "2026-03-09T12:00:00Z",
    }
    history.land("sales", [account(name, [included()], timeClosed=at) for name, at in closings.items()])
    history.normalise()
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 10)
    history.land("days", [day("2026-03-09", "2026-03-10T05:30:00+01:00")])
    history.normalise()
    dates = [history.transaction(f"ref-{name}")["business_date"] for name in closings]
    assert dates == [date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 9)]


def test_a_later_start_of_the_day_leaves_the_days_before_alone(history: History) -> None:
    """Each day goes by the last business day read before it; only another time restates the location."""
    history.land("locations", [location(), location(OTHER_LOCATION)])
    history.land("days", [day("2026-03-08", "2026-03-09T05:30:00+01:00")])
    sold = {"A1.1": "2026-03-10T05:00:00Z", "A1.2": "2026-03-12T05:00:00Z"}
    history.land("sales", [account(name, [included()], timeClosed=at) for name, at in sold.items()])
    history.land("sales", [account("A1.3", [included()], location=OTHER_LOCATION)])
    history.normalise()
    history.land("days", [day("2026-03-10", "2026-03-11T05:30:00+01:00")])
    history.normalise()
    assert touched(history) == set()
    history.land("days", [day("2026-03-11", "2026-03-12T07:00:00+01:00")])
    history.normalise()
    assert touched(history) == {"A1.1", "A1.2"}
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 10)
    assert history.transaction("ref-A1.2")["business_date"] == date(2026, 3, 11)


def test_the_day_start_follows_the_clocks(history: History) -> None:
    """The night in which summer time begins is cut at 05:30 on the wall clock like every other."""
    history.land("locations", [location()])
    history.land("days", [day("2026-03-27", "2026-03-28T05:30:00+01:00")])
    closings = {"A1.1": "2026-03-29T03:29:59Z", "A1.2": "2026-03-29T03:30:00Z"}
    history.land("sales", [account(name, [included()], timeClosed=at) for name, at in closings.items()])
    history.normalise()
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 28)
    assert history.transaction("ref-A1.2")["business_date"] == date(2026, 3, 29)
    history.land("days", [day("2026-03-28", "2026-03-29T03:30:00Z")])
    history.normalise()
    assert touched(history) == set()


def test_the_setting_starts_the_day_where_no_business_day_was_read(history: History) -> None:
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included()], timeClosed="2026-03-10T02:00:00Z")])
    history.normalise()
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 10)
    history.configure(CONFIGURATION, "04:00")
    history.connection.execute(
        "insert into pos_touched_documents (configuration_id, external_id) values (%s, null)",
        (CONFIGURATION,),
    )
    history.normalise()
    assert history.transaction("ref-A1.1")["business_date"] == date(2026, 3, 9)


def test_the_later_reading_of_an_account_counts(history: History) -> None:
    """Trap: accounts have no version; a cancelled one is read again, and an old file never wins."""
    history.land("locations", [location()])
    sale = account("A1.1", [included()], [payment("10.60")])
    first = history.land("sales", [sale])
    history.land("sales", [sale | {"cancelled": True, "timeClosed": "2026-03-12T09:00:00Z"}], read_at=LATER)
    history.land("sales", [sale | {"type": "FLOAT"}], source="replay", read_at=None)
    history.normalise()
    row = history.transaction("ref-A1.1")
    assert (row["status"], row["is_revenue"], row["source"]) == ("canceled", False, "poll")
    assert row["business_date"] == date(2026, 3, 12)
    assert row["paid_amount"] == 0
    assert history.payments("ref-A1.1")[0]["status"] == "voided"
    (landed,) = history.query("select * from raw_lightspeed.sales where _dlt_load_id = %s", first)
    assert row["first_received_at"] == landed["received_at"]


def test_accounts_that_share_a_number_are_two_documents(history: History) -> None:
    """Trap: the readable number is not the id; a version without the id is of the one account that has it."""
    history.land("locations", [location()])
    history.land("sales", [account("A1.1", [included()], accountReference=None)])
    history.normalise()
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["A1.1"]
    history.land("sales", [account("A1.1", [included()])], read_at=LATER)
    history.normalise()
    assert [row["external_id"] for row in history.query("select * from pos_transactions")] == ["ref-A1.1"]
    history.land("sales", [account("A1.1", [included()], accountReference="another")], read_at=LATEST)
    history.normalise()
    rows = history.query("select external_id, external_order_id from pos_transactions order by 1")
    assert [tuple(row.values()) for row in rows] == [
        ("A1.1", "A1.1"),
        ("another", "A1.1"),
        ("ref-A1.1", "A1.1"),
    ]


def test_configurations_do_not_mix(history: History) -> None:
    """The same ids under two configurations are two documents, each with its own references."""
    other = uuid.UUID(int=3)
    history.configure(other)
    history.land("locations", [location()])
    history.land("locations", [location(timezone="Asia/Tokyo")], configuration=other)
    history.land("days", [day("2026-03-09", "2026-03-10T05:30:00+01:00")])
    back = account("A2.7", [included()], kind="REFUND", initial="A1.1", timeClosed="2026-03-10T03:00:00Z")
    history.land("sales", [back, account("A1.1", [included()])])
    history.land("sales", [back], configuration=other)
    history.normalise()
    rows = history.query(
        "select configuration_id, timezone, business_date, parent_external_id from pos_transactions"
        " where external_id = 'ref-A2.7' order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        (CONFIGURATION, "Europe/Brussels", date(2026, 3, 9), "ref-A1.1"),
        (other, "Asia/Tokyo", date(2026, 3, 10), None),
    ]


def test_the_older_interface_never_becomes_rows(history: History) -> None:
    """Trap: V1 dates corrections back; it is a control beside the rows."""
    history.land("locations", [location()])
    history.land("financials_v1", [account("A1.1", [included()])])
    history.normalise()
    assert touched(history) == set()
    assert history.query("select * from pos_transactions") == []


def test_the_spellings_of_the_times_are_the_same_time(history: History) -> None:
    """Trap: timeClosed, timeOfCloseAndPaid, timeofCloseAndPaid; with Z or with an offset."""
    history.land("locations", [location()])
    spellings = {"timeClosed": "Z", "timeOfCloseAndPaid": "+00:00", "timeofCloseAndPaid": "+0000"}
    documents = [
        account(f"A1.{number}", [included()], timeClosed=None) | {name: f"2026-03-10T12:00:00{zone}"}
        for number, (name, zone) in enumerate(spellings.items())
    ]
    history.land("sales", documents)
    history.normalise()
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    rows = history.query("select occurred_at, closed_at from pos_transactions")
    assert [(row["occurred_at"], row["closed_at"]) for row in rows] == [(noon, noon)] * 3


def test_an_account_that_was_set_aside_and_returns_restates_those_that_go_back_to_it(
    history: History,
) -> None:
    """When documents are tried one by one, a correction may be normalised before its initial account."""
    history.land("locations", [location()])
    back = account("A2.7", [included()], kind="REFUND", initial="A1.1")
    history.land("sales", [account("A1.1", [included()]), back])
    history.connection.execute(
        "insert into pos_quarantined_documents"
        " (id, tenant_id, configuration_id, pos_system, stream, external_id, content_hash, stage, reason)"
        " select %s, tenant_id::uuid, configuration_id::uuid, 'lightspeed', 'sales', external_id,"
        " content_hash, 'normalise', 'refused' from raw_lightspeed.sales where external_id = 'A1.1'",
        (uuid.UUID(int=11),),
    )
    history.normalise()
    assert history.transaction("ref-A2.7")["parent_external_id"] is None
    history.connection.execute("update pos_quarantined_documents set resolved_at = now()")
    history.connection.execute(
        "insert into pos_touched_documents (configuration_id, external_id) values (%s, 'A1.1')",
        (CONFIGURATION,),
    )
    history.normalise()
    assert touched(history) == {"A1.1", "A2.7"}
    assert history.transaction("ref-A2.7")["parent_external_id"] == "ref-A1.1"
