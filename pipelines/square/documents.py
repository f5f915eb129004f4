"""Square's documents: what names them, what is personal in them, which are not complete yet.

Source: Square Orders, Payments, Refunds, Locations and Catalog APIs, Square-Version 2026-07-15.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.connector import Document, Identity
from pos_core.errors import DocumentError

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_LARGEST_VERSION = 2**63 - 1
_UNPACK_KEYS = (
    "orders",
    "order",
    "payments",
    "payment",
    "refunds",
    "refund",
    "locations",
    "objects",
)

# Who bought, where they live, who served them, and texts that people type: nothing of it is a sale.
_PERSONAL = frozenset(
    {
        "customer_id", "customer_details", "buyer_email_address", "buyer_details", "buyer_phone_number",
        "billing_address", "shipping_address", "address", "recipient", "note", "ticket_name", "reference_id",
        "receipt_url", "receipt_number", "cardholder_name", "team_member_id", "employee_id",
        "device_details", "business_email", "email", "email_address", "phone", "phone_number",
        "statement_description", "statement_description_identifier", "coordinates", "bank_account_details",
        "wallet_details", "cash_app_details", "square_account_details", "buy_now_pay_later_details",
        "external_details", "risk_evaluation", "reason", "metadata", "custom_attributes",
        "custom_attribute_values", "pickup_details", "shipment_details", "delivery_details",
        "digital_details", "in_store_details", "managed_delivery_details", "given_name", "family_name",
        "first_name", "last_name", "full_name", "buyer_full_name", "buyer_cashtag", "display_name",
    }
)  # fmt: skip
_NESTED = frozenset({dict, list})
# Of a card only what a receipt shows, and of its use only how it ended.
_CARD_KEPT = frozenset({"card_brand", "last_4"})
_CARD_DETAILS_KEPT = frozenset({"card", "status"})


def identify(stream: str, document: Document) -> Identity:
    """Id, version and time of change of any Square object.

    Raises:
        DocumentError: there is no id.
    """
    if not isinstance(document, dict):
        raise DocumentError("is no JSON object")
    external_id = document.get("id")
    if not isinstance(external_id, str) or not external_id.strip():
        raise DocumentError("has no id")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or abs(version) > _LARGEST_VERSION:
        version = None
    changed_at = document.get("updated_at") or document.get("created_at")
    return Identity(external_id, version, parse_instant(changed_at))


def strip(stream: str, document: Document) -> Document:
    """The document without personal data; card details keep brand and last four digits alone."""
    stripped = _stripped(document)
    assert isinstance(stripped, dict)
    return stripped


def incomplete(stream: str, document: Document) -> str | None:
    """An order read too early has a total and nothing that adds up to it.

    Source: developer.squareup.com/forums/t/24124 (orders read right after payment come without lines).
    """
    if stream != "orders" or document.get("state") not in ("OPEN", "COMPLETED"):
        return None
    total = document.get("total_money")
    amount = total.get("amount") if isinstance(total, Mapping) else None
    parts = ("line_items", "service_charges", "returns")
    if isinstance(amount, int) and amount != 0 and not any(document.get(part) for part in parts):
        return "has a total but no lines yet"
    return None


def unpack(stream: str, saved: Any) -> list[Document]:
    """The documents in one object, an array, or an answer of search, batch-retrieve or get."""
    if isinstance(saved, Mapping):
        for key in _UNPACK_KEYS:
            if key in saved and "id" not in saved:
                return unpack(stream, saved[key])
        return [saved]
    if isinstance(saved, list):
        return [document for entry in saved for document in unpack(stream, entry)]
    raise DocumentError("The file holds neither a JSON object nor an array of them.")


def parse_instant(text: object) -> datetime | None:
    """An RFC 3339 time with none to nine fraction digits, as UTC; None where it is none.

    Source: Square mixes precisions in one answer; PostgreSQL keeps microseconds.
    """
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    seconds, fraction, zone = match.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    try:
        return datetime.fromisoformat(f"{seconds}.{micros}{zone.replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _stripped(value: Any) -> Any:
    """A parsed object or list without personal keys; exact types and no call for a text, for speed."""
    if type(value) is not dict:
        return [_stripped(entry) if type(entry) in _NESTED else entry for entry in value]
    kept = {
        key: _stripped(_details(key, entry)) if type(entry) in _NESTED else entry
        for key, entry in value.items()
        if key not in _PERSONAL
    }
    if "card" in kept:
        kept["card"] = _card(value["card"])
    return kept


def _details(key: str, value: Any) -> Any:
    """How a card was read or checked is nobody's business."""
    if key != "card_details" or not isinstance(value, dict):
        return value
    return {name: entry for name, entry in value.items() if name in _CARD_DETAILS_KEPT}


def _card(card: Any) -> Any:
    """What is kept of a card; nothing where it is no object."""
    if not isinstance(card, dict):
        return None
    return {key: entry for key, entry in card.items() if key in _CARD_KEPT and isinstance(entry, str)}
