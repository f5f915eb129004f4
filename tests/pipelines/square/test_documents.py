"""Square's documents: what names them, which are incomplete, and that nothing personal is kept."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.connector import Identity
from pipelines.square import documents
from pos_core.errors import DocumentError
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import inject, order

CANARY = "Canary Wren"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-12T18:00:00Z", datetime(2026, 4, 12, 18, tzinfo=UTC)),
        ("2026-04-12T18:00:00.72Z", datetime(2026, 4, 12, 18, 0, 0, 720_000, tzinfo=UTC)),
        ("2022-07-13T20:30:59.037339943Z", datetime(2022, 7, 13, 20, 30, 59, 37_339, tzinfo=UTC)),
        ("2026-04-12T20:00:00+02:00", datetime(2026, 4, 12, 18, tzinfo=UTC)),
        ("2026-04-12T18:00:00", None),
        ("2026-13-12T18:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("now", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_times_are_read_with_any_precision(text: object, expected: datetime | None) -> None:
    assert documents.parse_instant(text) == expected


@settings(deadline=None, derandomize=True, database=None)
@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_a_time_that_is_written_reads_as_the_same(at: datetime) -> None:
    assert documents.parse_instant(at.isoformat().replace("+00:00", "Z")) == at


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"id": "o", "version": 3, "updated_at": "2026-04-12T18:00:00Z", "created_at": "x"}, (3, True)),
        ({"id": "o", "created_at": "2026-04-12T18:00:00Z"}, (None, True)),
        ({"id": "o", "version": True}, (None, False)),
        ({"id": "o", "version": "3"}, (None, False)),
        ({"id": "o", "version": 2**63}, (None, False)),
        ({"id": "o", "version": 2**63 - 1}, (2**63 - 1, False)),
    ],
)
def test_version_and_time_are_taken_where_they_are_fit(
    document: dict[str, Any], expected: tuple[int | None, bool]
) -> None:
    at = datetime(2026, 4, 12, 18, tzinfo=UTC) if expected[1] else None
    assert documents.identify("orders", document) == Identity("o", expected[0], at)


@pytest.mark.parametrize(
    ("changes", "is_incomplete"),
    [
        ({}, False),
        ({"line_items": None}, True),
        ({"line_items": []}, True),
        ({"line_items": None, "state": "OPEN"}, True),
        ({"line_items": None, "state": "CANCELED"}, False),
        ({"line_items": None, "total_money": {"amount": 0, "currency": "USD"}}, False),
        ({"line_items": None, "total_money": None}, False),
        ({"line_items": None, "returns": [{"uid": "r"}]}, False),
        ({"line_items": None, "service_charges": [{"uid": "s"}]}, False),
        ({"line_items": None, "total_money": {"amount": "450"}}, False),
    ],
)
def test_a_total_without_anything_that_makes_it_is_incomplete(
    changes: dict[str, Any], is_incomplete: bool
) -> None:
    document = {
        "id": "o", "state": "COMPLETED", "line_items": [{"uid": "l"}],
        "total_money": {"amount": 450, "currency": "USD"}, **changes,
    }  # fmt: skip
    assert (documents.incomplete("orders", document) is not None) is is_incomplete
    assert documents.incomplete("payments", document) is None


@pytest.mark.parametrize(
    ("saved", "ids"),
    [
        ({"id": "a"}, ["a"]),
        ([{"id": "a"}, {"id": "b"}], ["a", "b"]),
        ({"orders": [{"id": "a"}], "cursor": "c"}, ["a"]),
        ({"order": {"id": "a", "refunds": [{"id": "r"}]}}, ["a"]),
        ([{"orders": [{"id": "a"}]}, {"orders": [{"id": "b"}]}], ["a", "b"]),
        ({"objects": [{"id": "a"}]}, ["a"]),
        ([], []),
    ],
)
def test_whatever_was_saved_its_documents_are_found(saved: Any, ids: list[str]) -> None:
    assert [each["id"] for each in documents.unpack("orders", saved)] == ids


@pytest.mark.parametrize("saved", [None, 5, "x", ["x"], {"orders": 5}])
def test_what_holds_no_documents_is_refused(saved: Any) -> None:
    with pytest.raises(DocumentError):
        documents.unpack("orders", saved)


def test_of_a_card_only_brand_and_last_digits_are_kept() -> None:
    card = {
        "card_brand": "VISA",
        "last_4": "1111",
        "exp_year": 2030,
        "fingerprint": "sq-1-x",
        "bin": "411111",
    }
    details = {
        "status": "CAPTURED",
        "card": card,
        "entry_method": "EMV",
        "auth_result_code": "1",
        "avs_status": "x",
    }
    payment = {"id": "p", "card_details": {**details, "device_details": {"id": "d"}}}
    assert documents.strip("payments", payment) == {
        "id": "p",
        "card_details": {"status": "CAPTURED", "card": {"card_brand": "VISA", "last_4": "1111"}},
    }
    for odd in ("4111111111111111", [card], {"card_brand": {"cardholder_name": "x"}}):
        assert documents.strip("payments", {"card": odd})["card"] in (None, {})


def person() -> dict[str, Any]:
    """Everything personal that Square's objects can hold, each with the canary in it."""
    address = {"address_line_1": CANARY, "first_name": CANARY, "locality": CANARY}
    recipient = {"display_name": CANARY, "email_address": CANARY, "phone_number": CANARY, "address": address}
    return {
        "customer_id": CANARY, "note": CANARY, "ticket_name": CANARY, "reference_id": CANARY,
        "buyer_email_address": CANARY, "billing_address": address, "shipping_address": address,
        "receipt_url": CANARY, "receipt_number": CANARY, "team_member_id": CANARY, "employee_id": CANARY,
        "metadata": {"who": CANARY}, "reason": CANARY, "statement_description_identifier": CANARY,
        "card_details": {
            "status": "CAPTURED",
            "card": {"card_brand": "VISA", "cardholder_name": CANARY, "fingerprint": CANARY},
            "device_details": {"device_name": CANARY}, "statement_description": CANARY,
        },
        "wallet_details": {"cash_app_details": {"buyer_full_name": CANARY, "buyer_cashtag": CANARY}},
        "buy_now_pay_later_details": {"afterpay_details": {"email_address": CANARY}},
        "bank_account_details": {"account_holder_name": CANARY}, "external_details": {"source": CANARY},
        "fulfillments": [
            {"type": kind.upper(), f"{kind}_details": {"recipient": recipient, "note": CANARY}}
            for kind in ("pickup", "shipment", "delivery", "digital", "in_store")
        ],
        "tenders": [{"id": "t", "note": CANARY, "customer_id": CANARY, "type": "CASH"}],
        "custom_attributes": {"name": CANARY}, "phone_number": CANARY, "business_email": CANARY,
        "coordinates": {"latitude": CANARY}, "risk_evaluation": {"level": CANARY},
    }  # fmt: skip


def tables_with(project: Project, *words: str) -> list[str]:
    """The tables, in whatever schema, that hold one of the words in any column, as text or bytes."""
    pattern = "|".join([*words, *(word.encode().hex() for word in words)])
    tables = project.rows("""
        select format('%I.%I', n.nspname, c.relname) as name
        from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^(pg_|information_schema)'
    """)
    assert len(tables) > 20
    return [
        row["name"]
        for row in tables
        if project.value(
            f"select count(*) from {row['name']} as t where t::text ~* :pattern", pattern=pattern
        )
    ]


def test_personal_data_is_in_no_table_quarantine_included(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """Planted in every stream, in good documents and in such as cannot be landed or normalised."""
    for stream in ("orders", "payments", "refunds", "locations", "catalog"):
        kind = {"type": "ITEM"} if stream == "catalog" else {}
        base = order(sandbox, f"{stream}-good") if stream == "orders" else {"id": f"{stream}-good"}
        if stream == "locations":
            base = {**sandbox.get("/v2/locations").json()["locations"][0]}
        # A shop that the vendor does not know cannot be asked for, so there is no other one.
        odd: list[dict[str, Any]] = [{"id": f"{stream}-nul", "word": "\x00"}, {"id": "odd", "version": []}]
        for extra in (base, {"no": "id"}, *(odd if stream != "locations" else [])):
            inject(sandbox, {**extra, **kind, **person()}, stream)
        inject(sandbox, json.dumps([{**kind, **person()}]), stream)
    inject(sandbox, {**order(sandbox, "refused", total_money="text"), **person()})
    assert [outcome.error for outcome in project.sync(*connected).outcomes] == [None, None]
    project.normalise()
    project.replay(connected[0], "orders", [{**order(sandbox, "from-a-file"), **person()}])
    project.normalise()
    assert project.value("select count(*) from pos_quarantined_documents") >= 10
    assert project.value("select count(*) from raw_square.orders where external_id like 'orders-good'") == 1
    assert tables_with(project, "orders-good") != []
    assert tables_with(project, CANARY, "Kim Example", "@example") == []
