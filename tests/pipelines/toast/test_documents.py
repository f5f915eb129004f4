"""What names a Toast document, what is taken out of it, and what a saved file may hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines import json_text
from pipelines.connector import Location
from pipelines.toast import CONNECTOR
from pipelines.toast.documents import parse_instant, placed
from pos_core.errors import DocumentError


def test_an_order_is_named_by_its_guid_and_ordered_by_its_change() -> None:
    changed = "2026-03-10T15:00:00.250+0000"
    identity = CONNECTOR.identify("orders", {"guid": "o", "modifiedDate": changed})
    assert (identity.external_id, identity.version) == ("o", None)
    assert identity.updated_at == datetime(2026, 3, 10, 15, 0, 0, 250_000, UTC)


def test_a_name_is_of_its_restaurant_and_kind() -> None:
    document = placed({"guid": "g", "name": "Bread"}, "r", "salesCategories")
    assert CONNECTOR.identify("config", document).external_id == "r/salesCategories/g"


@pytest.mark.parametrize(
    ("stream", "document", "reason"),
    [
        ("orders", ["o"], "no JSON object"),
        ("orders", {}, "no guid"),
        ("orders", {"guid": " "}, "no guid"),
        ("orders", {"guid": "o" * 500}, "guid that is too long"),
        ("config", {"guid": "g", "configKind": "discounts"}, "no restaurantGuid"),
        ("config", {"guid": "g", "restaurantGuid": "r"}, "no configKind"),
    ],
)
def test_a_document_that_cannot_be_named_says_why(stream: str, document: Any, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        CONNECTOR.identify(stream, document)


def test_guids_need_not_be_uuids() -> None:
    """Trap 19: samples of the vendor's own have 37 characters."""
    assert CONNECTOR.identify("orders", {"guid": "g" * 37}).external_id == "g" * 37


def test_guests_staff_cards_and_words_are_taken_out_at_any_depth() -> None:
    line = {
        "guid": "s",
        "price": 1,
        "modifiers": [{"selectionType": "SPECIAL_REQUEST", "displayName": "for Ann", "price": 0}],
    }
    paid = {
        "guid": "p",
        "cardType": "VISA",
        "last4Digits": "0042",
        "first6Digits": "400000",
        "cardPaymentId": "x",
        "cardEntryMode": "KEYED",
        "voidInfo": {"voidUser": {"guid": "u"}, "voidDate": "d"},
    }
    check = {
        "guid": "c",
        "customer": {"firstName": "Ann"},
        "tabName": "Ann",
        "selections": [line],
        "payments": [paid],
    }
    order = {
        "guid": "o",
        "server": {"guid": "u"},
        "deliveryInfo": {"address1": "1 Road"},
        "curbsidePickupInfo": {"notes": "blue car"},
        "checks": [check],
    }
    assert CONNECTOR.strip("orders", order) == {
        "guid": "o",
        "checks": [
            {
                "guid": "c",
                "selections": [
                    {
                        "guid": "s",
                        "price": 1,
                        "modifiers": [{"selectionType": "SPECIAL_REQUEST", "price": 0}],
                    }
                ],
                "payments": [
                    {
                        "guid": "p",
                        "cardType": "VISA",
                        "last4Digits": "0042",
                        "voidInfo": {"voidDate": "d"},
                    }
                ],
            }
        ],
    }


def test_a_restaurant_keeps_what_is_general() -> None:
    document = {"guid": "r", "general": {"name": "B"}, "location": {"phone": "1"}, "urls": {}}
    assert CONNECTOR.strip("restaurants", document) == {"guid": "r", "general": {"name": "B"}}


def test_an_order_without_a_list_of_checks_is_incomplete() -> None:
    assert CONNECTOR.incomplete("orders", {"guid": "o"}) is not None
    assert CONNECTOR.incomplete("orders", {"guid": "o", "checks": None}) is not None
    assert CONNECTOR.incomplete("orders", {"guid": "o", "checks": []}) is None
    assert CONNECTOR.incomplete("config", {"guid": "o"}) is None


def test_an_envelope_tells_the_restaurant_of_its_order() -> None:
    envelope = {
        "timestamp": "2026-03-10T15:00:00.000Z",
        "eventType": "order_updated",
        "details": {"restaurantGuid": "r", "order": {"guid": "o", "checks": []}},
    }
    order = {"guid": "o", "checks": [], "restaurantGuid": "r"}
    assert CONNECTOR.unpack("orders", envelope) == [order]
    assert CONNECTOR.unpack("orders", [envelope, {"guid": "p"}]) == [order, {"guid": "p"}]
    with pytest.raises(DocumentError):
        CONNECTOR.unpack("orders", "o")


def test_a_restaurant_is_called_by_its_name_and_place() -> None:
    general = {"name": "Bakery", "locationName": "Dock Street"}
    assert CONNECTOR.locate({"guid": "r", "general": general}) == Location("r", "Bakery – Dock Street")
    assert CONNECTOR.locate({"guid": "r", "general": None}) == Location("r", "r")
    assert CONNECTOR.locate({"general": general}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-10T15:00:00.250+0000", datetime(2026, 3, 10, 15, 0, 0, 250_000, UTC)),
        ("2026-03-10T15:00:00+0000", datetime(2026, 3, 10, 15, tzinfo=UTC)),
        ("2026-03-10T15:00:00Z", datetime(2026, 3, 10, 15, tzinfo=UTC)),
        ("2026-03-10T11:00:00.000-04:00", datetime(2026, 3, 10, 15, tzinfo=UTC)),
        ("2026-02-30T15:00:00Z", None),
        ("2026-03-10T15:00:00", None),
        (1773150000, None),
        (None, None),
    ],
)
def test_times_come_with_and_without_a_colon_or_milliseconds(text: object, expected: datetime | None) -> None:
    """Trap 13."""
    assert parse_instant(text) == expected


def test_numbers_never_become_floats() -> None:
    """Trap 14: what is landed is what the vendor wrote, digit by digit."""
    text = '{"checks":[{"amount":8.10,"guid":"c","taxAmount":0.075}],"guid":"o"}'
    document = CONNECTOR.strip("orders", json_text.parse(text))
    assert json_text.canonical(document) == text
