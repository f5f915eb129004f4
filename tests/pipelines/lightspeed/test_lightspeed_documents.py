"""What names a document, what is taken out of it, and how saved answers are read."""

import json
from typing import Any

import pytest

from pipelines.lightspeed import documents
from pos_core.errors import DocumentError

PERSON = "Somebody Else"


def test_nothing_of_a_person_is_kept() -> None:
    """Trap: consumers, staff, tables, typed reasons and what a terminal answered come with an account."""
    sale = {
        "accountFiscId": "A1.1",
        "ownerName": PERSON,
        "ownerId": 7,
        "tableName": PERSON,
        "deviceName": f"{PERSON}'s iPad",
        "voidReason": f"{PERSON} did not pay",
        "salesLines": [{"staffName": PERSON, "staffId": 7, "voidReason": "Taste", "name": "Rye loaf"}],
        "payments": [
            {
                "consumer": {"firstName": PERSON},
                "authorization": PERSON,
                "externalReference": PERSON,
                "tip": "1",
            }
        ],
    }
    stripped = documents.strip("sales", sale)
    assert PERSON not in json.dumps(stripped)
    assert stripped["voidReason"]
    assert stripped["salesLines"] == [{"voidReason": "Taste", "name": "Rye loaf"}]
    assert stripped["payments"] == [{"tip": "1"}]
    assert documents.strip("sales", {"voidReason": " "}) == {"voidReason": " "}


@pytest.mark.parametrize(
    ("stream", "document", "external_id"),
    [
        ("sales", {"accountFiscId": "A65.17", "accountReference": "r"}, "A65.17"),
        ("financials_v1", {"accountFiscId": "A65.17"}, "A65.17"),
        ("locations", {"blID": 45454565682155}, "45454565682155"),
        ("days", {"businessLocationId": "31", "date": "2026-03-10"}, "31:2026-03-10"),
    ],
)
def test_documents_are_known_by_the_vendors_own_ids(
    stream: str, document: dict[str, Any], external_id: str
) -> None:
    identity = documents.identify(stream, document)
    assert (identity.external_id, identity.version, identity.updated_at) == (external_id, None, None)


@pytest.mark.parametrize("value", ["", " ", ["A1.1"], True, None, "A" * 500])
def test_a_document_without_a_usable_id_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError):
        documents.identify("sales", {"accountFiscId": value})
    with pytest.raises(DocumentError):
        documents.identify("sales", value)


def test_both_spellings_of_a_location_make_the_same_document() -> None:
    """Trap: blID in the vendor's document, blId in answers."""
    business = {"businessId": 5, "businessName": "Bakery", "currencyCode": "EUR"}
    made = [
        documents.location_documents({**business, "businessLocations": [{key: 31, "blName": "Corner"}]})
        for key in ("blID", "blId")
    ]
    assert made[0] == made[1] == [{**business, "blID": 31, "blName": "Corner"}]
    location = documents.locate(made[0][0])
    assert location is not None
    assert (location.external_id, location.name) == ("31", "Corner")
    assert documents.locate({"blName": "Corner"}) is None


def test_saved_answers_are_unpacked() -> None:
    sale = {"accountFiscId": "A1.1"}
    placed = {**sale, "businessLocationId": "31"}
    assert documents.unpack("sales", {"sales": [sale], "businessLocationId": 31}) == [placed]
    assert documents.unpack("sales", {"sales": [sale]}) == [sale]
    assert documents.unpack("sales", [placed, [placed]]) == [placed, placed]
    day = {"date": "2026-03-10", "businessLocationId": "31", "dataComplete": True}
    assert documents.unpack("days", {**day, "sales": [sale]}) == [day]
    business = {"businessId": 5, "businessLocations": [{"blID": 31}, {"blID": 32}]}
    answer = {"_embedded": {"businessList": [business]}}
    assert [each["blID"] for each in documents.unpack("locations", answer)] == [31, 32]
    with pytest.raises(DocumentError, match="neither"):
        documents.unpack("sales", "A1.1")
