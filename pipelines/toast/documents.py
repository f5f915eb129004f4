"""Toast's documents: what names them, what is personal in them, which are not complete yet.

A document is landed as Toast gave it, without personal data, with two keys of ours: an order does not say
which restaurant it is of, nor a configuration object what kind it is and whose, so both get `restaurantGuid`
and the latter `configKind`.

Source: Toast orders API 2.9.0, restaurants API 1.0.0, configuration API 2.5.0; developer guide, webhooks.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.connector import Document, Identity, Location
from pos_core.errors import DocumentError

RESTAURANT_KEY = "restaurantGuid"
KIND_KEY = "configKind"
_LONGEST_ID = 190  # three of them with their separators still fit an index
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)")

# Guests, staff and devices, cards beyond brand and last four digits, and texts that people type.
_PERSONAL = frozenset(
    {
        "customer", "deliveryInfo", "curbsidePickupInfo", "deliveryServiceInfo", "appliedLoyaltyInfo",
        "loyaltyDetails", "appliedPackagingInfo", "tabName", "notes", "comment", "phone", "email",
        "firstName", "lastName", "guestName", "appliedPromoCode", "server", "openedBy", "approver",
        "voidUser", "voidApprover", "createdDevice", "lastModifiedDevice", "houseAccount", "giftCardInfo",
        "first6Digits", "cardEntryMode", "cardPaymentId", "cardHolderFirstName", "cardHolderLastName",
        "cardHolderExpirationMonth", "cardHolderExpirationYear", "magStripe", "isProcessedOffline",
        "tenderTransactionGuid", "networkTransactionIdentifier", "receiptToken", "deliveryEmployee",
        "createdByEmailAddress", "createdByFirstName", "createdByLastName", "createdByPhoneNumber",
    }
)  # fmt: skip
_NESTED = frozenset({dict, list})
# Of a restaurant's own page: where it is and how it can be reached.
_PERSONAL_OF_RESTAURANTS = frozenset({"location", "urls"})


def identify(stream: str, document: Document) -> Identity:
    """The guid and the time of change; a configuration object is named with its restaurant and kind.

    Raises:
        DocumentError: there is no guid, or what belongs to it is missing.
    """
    if not isinstance(document, Mapping):
        raise DocumentError("is no JSON object")
    guid = _id(document, "guid")
    if stream == "config":
        place = f"{_id(document, RESTAURANT_KEY)}/{_id(document, KIND_KEY)}"
        return Identity(f"{place}/{guid}")
    return Identity(guid, None, parse_instant(document.get("modifiedDate")))


def strip(stream: str, document: Document) -> Document:
    """The document without personal data; of a special request the words are left out."""
    stripped = _stripped(
        document, _PERSONAL | (_PERSONAL_OF_RESTAURANTS if stream == "restaurants" else set())
    )
    assert isinstance(stripped, dict)
    return stripped


def incomplete(stream: str, document: Document) -> str | None:
    """A list has been seen to name orders without saying anything about them.

    Source: a recorded answer of ordersBulk whose last orders have a guid and nothing else.
    """
    if stream == "orders" and not isinstance(document.get("checks"), list):
        return "has no list of checks yet"
    return None


def unpack(stream: str, saved: Any) -> list[Document]:
    """The documents in one object, an array, or the envelope of a webhook, which says the restaurant."""
    if isinstance(saved, list):
        return [document for entry in saved for document in unpack(stream, entry)]
    if not isinstance(saved, Mapping):
        raise DocumentError("The file holds neither a JSON object nor an array of them.")
    details = saved.get("details")
    if isinstance(details, Mapping) and isinstance(details.get("order"), Mapping):
        return [placed(details["order"], details.get(RESTAURANT_KEY))]
    return [saved]


def placed(document: Any, restaurant: object, kind: str | None = None) -> Any:
    """The document with the restaurant that it is of, and a configuration object with its kind.

    What is no object stays as it is; it cannot be landed and says so itself.
    """
    if not isinstance(document, Mapping):
        return document
    ours = {RESTAURANT_KEY: restaurant} if isinstance(restaurant, str) else {}
    return {**document, **ours, **({KIND_KEY: kind} if kind else {})}


def locate(document: Document) -> Location | None:
    """The restaurant in a document of the restaurants stream; None where it has no guid."""
    guid = document.get("guid") if isinstance(document, Mapping) else None
    if not isinstance(guid, str) or not guid:
        return None
    general = document.get("general")
    names = general if isinstance(general, Mapping) else {}
    parts = [names[key] for key in ("name", "locationName") if isinstance(names.get(key), str) and names[key]]
    return Location(guid, " – ".join(dict.fromkeys(parts)) or guid)


def parse_instant(text: object) -> datetime | None:
    """A time as Toast writes it, as UTC; None where it is none.

    Source: developer guide, dates and timestamps: no colon in the offset, milliseconds optional; webhooks
    say `Z`.
    """
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, seconds, fraction, zone = match.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone in "Zz" else f"{zone[:3]}:{zone[-2:]}"
    try:
        return datetime.fromisoformat(f"{day}T{seconds}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _id(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DocumentError(f"has no {key}")
    if len(value) > _LONGEST_ID:
        raise DocumentError(f"has a {key} that is too long")
    return value


def _stripped(value: Any, personal: frozenset[str]) -> Any:
    """A parsed object or list without these keys; exact types and no call for a text or number, for speed."""
    if type(value) is not dict:
        return [_stripped(entry, personal) if type(entry) in _NESTED else entry for entry in value]
    kept = {
        key: _stripped(entry, personal) if type(entry) in _NESTED else entry
        for key, entry in value.items()
        if key not in personal
    }
    if kept.get("selectionType") == "SPECIAL_REQUEST":
        kept.pop("displayName", None)
    return kept
