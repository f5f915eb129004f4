"""Lightspeed's documents: what names them, what is personal in them, and where they were found.

A sale does not say which business location it was made in, nor a business day which date it is: that is known
from the request alone. It is written into the document under the names that Lightspeed uses elsewhere.

Source: Lightspeed Restaurant K-Series API, Financial V2 and V1, version 1.0.0 as of August 2026.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pipelines.connector import Document, Identity, Location
from pos_core.errors import DocumentError

BUSINESS_ID = "businessId"
LOCATION_ID = "blID"  # as the document spells it; live answers also have blId
SALE_LOCATION_ID = "businessLocationId"
DAY = "date"
_LONGEST_ID = 190

# Who bought, who served, whose table it was, what a terminal answered: nothing of it is a sale.
_PERSONAL = frozenset(
    {
        "consumer", "consumers", "staffName", "staffId", "ownerName", "ownerId", "tableName", "deviceName",
        "authorization", "paymentAuthorization", "paymentAuthorizations", "externalReference",
    }
)  # fmt: skip
_NESTED = frozenset({dict, list})
# V2 lets people type a reason; of a typed one only that there was one is kept.
_VOID_REASONS = frozenset(
    {"Broken", "Cooking", "Other", "Taste", "Unhappy Client", "User Mistake", "Waited too long"}
)
_TYPED = "(typed)"


def identify(stream: str, document: Document) -> Identity:
    """The id of a document; Lightspeed has neither versions nor times of change.

    Accounts are known by `accountFiscId`, the name by which other accounts refer to them.

    Raises:
        DocumentError: there is no id, or it is longer than an index takes.
    """
    if not isinstance(document, Mapping):
        raise DocumentError("is no JSON object")
    if stream == "locations":
        external_id = _id(document, LOCATION_ID)
    elif stream == "days":
        external_id = f"{_id(document, SALE_LOCATION_ID)}:{_id(document, DAY)}"
    else:
        external_id = _id(document, "accountFiscId")
    return Identity(external_id)


def strip(stream: str, document: Document) -> Document:
    """The document without personal data; of a reason that somebody typed, only that there was one."""
    stripped = _stripped(document)
    assert isinstance(stripped, dict)
    return stripped


def incomplete(stream: str, document: Document) -> str | None:
    """None: Lightspeed answers closed accounts alone, and says of a day whether it is complete."""
    return None


def unpack(stream: str, saved: Any) -> list[Document]:
    """The documents in one object, an array, or an answer.

    A saved answer of Financial V2 needs `businessLocationId` beside its `sales`, and one of a day its `date`
    too, since the answers do not say them.

    Raises:
        DocumentError: it is neither an object nor an array.
    """
    if isinstance(saved, list):
        return [document for entry in saved for document in unpack(stream, entry)]
    if not isinstance(saved, Mapping):
        raise DocumentError("The file holds neither a JSON object nor an array of them.")
    if stream == "days":
        return [{key: value for key, value in saved.items() if key != "sales"}]
    if stream == "locations":
        embedded = saved.get("_embedded")
        listed = embedded.get("businessList") if isinstance(embedded, Mapping) else [saved]
        businesses = listed if isinstance(listed, list) else []
        return [document for business in businesses for document in location_documents(business)]
    if isinstance(saved.get("sales"), list):
        location = saved.get(SALE_LOCATION_ID)
        return [placed(sale, None if location is None else str(location)) for sale in saved["sales"]]
    return [saved]


def location_documents(business: Any) -> list[dict[str, Any]]:
    """One document per business location of a business, with what the business says for all of them."""
    if not isinstance(business, Mapping):
        return []
    if "businessLocations" not in business:
        return [dict(business)]
    shared = {key: value for key, value in business.items() if key != "businessLocations"}
    listed = business["businessLocations"]
    documents = []
    for location in listed if isinstance(listed, list) else []:
        own = dict(location) if isinstance(location, Mapping) else {}
        if "blId" in own:
            own.setdefault(LOCATION_ID, own.pop("blId"))
        documents.append({**shared, **own})
    return documents


def locate(document: Document) -> Location | None:
    """The shop in a location document; None where it has no id."""
    try:
        external_id = _id(document, LOCATION_ID)
    except DocumentError:
        return None
    return Location(external_id, str(document.get("blName") or external_id))


def placed(sale: Any, location_id: str | None) -> Any:
    """A sale with the business location it was read from; what is no object stays as it is."""
    if not isinstance(sale, Mapping) or location_id is None:
        return sale
    return {**sale, SALE_LOCATION_ID: location_id}


def day_document(answer: Mapping[str, Any], location_id: str, day: date) -> dict[str, Any]:
    """What an answer says of a business day itself: when the next one starts, whether all sales are in."""
    own = {key: value for key, value in answer.items() if key not in ("sales", "_links")}
    return {**own, SALE_LOCATION_ID: location_id, DAY: day.isoformat()}


def parse_instant(text: object) -> datetime | None:
    """An ISO 8601 time as UTC, a date as its beginning, UTC without an offset; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _id(document: Document, key: str) -> str:
    """An id as text: numbers have up to 15 digits, and some clients have seen them as text."""
    value = document.get(key)
    text = "" if isinstance(value, bool) or not isinstance(value, (str, int)) else str(value).strip()
    if not text:
        raise DocumentError(f"has no {key}")
    if len(text) > _LONGEST_ID:
        raise DocumentError(f"has a {key} of more than {_LONGEST_ID} characters")
    return text


def _stripped(value: Any) -> Any:
    """A parsed object or list without personal keys; exact types and no call for a text, for speed."""
    if type(value) is not dict:
        return [_stripped(entry) if type(entry) in _NESTED else entry for entry in value]
    kept = {
        key: _stripped(entry) if type(entry) in _NESTED else entry
        for key, entry in value.items()
        if key not in _PERSONAL
    }
    reason = kept.get("voidReason")
    if isinstance(reason, str) and reason.strip() and reason not in _VOID_REASONS:
        kept["voidReason"] = _TYPED
    return kept
