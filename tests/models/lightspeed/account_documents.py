"""Builders of Lightspeed documents for the tests of the models, as the connector lands them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]

LOCATION = "417300000000021"
OTHER_LOCATION = "417300000000038"
CLOSED_AT = "2026-03-10T15:04:05.250Z"
LATER = datetime(2026, 4, 2, tzinfo=UTC)
LATEST = datetime(2026, 4, 3, tzinfo=UTC)


def tax(amount: Any, *, included: bool = True, code: str = "T6") -> Document:
    """A tax line."""
    return {"taxId": "900", "taxCode": code, "taxRate": "1.06", "taxAmount": amount, "taxIncluded": included}


def line(
    line_id: str | None, with_tax: Any, without_tax: Any, taxes: list[Document] | None, **fields: Any
) -> Document:
    """A line; `taxes` of None leaves the tax lines out."""
    document: Document = {
        "id": line_id,
        "name": "Rye loaf",
        "nameOverride": "",
        "sku": "RYE-1",
        "quantity": "1.000",
        "currency": "EUR",
        "totalNetAmountWithTax": with_tax,
        "totalNetAmountWithoutTax": without_tax,
        "serviceCharge": "0.00",
        "totalDiscountAmount": "",
        "accountingGroup": {"accountingGroupId": 7, "name": "Bread"},
        "taxLines": taxes,
    } | fields
    return {key: value for key, value in document.items() if value is not None}


def included(
    line_id: str | None = "S1.1", with_tax: Any = "10.60", amount: Any = "0.6", **fields: Any
) -> Document:
    """A line of a shop whose prices contain the tax."""
    return line(line_id, with_tax, None, [tax(amount)], **fields)


def added(
    line_id: str | None = "S1.1", without_tax: Any = "10.00", amount: Any = "0.8875", **fields: Any
) -> Document:
    """A line of a shop that adds the tax."""
    fields = {"currency": "USD"} | fields
    return line(line_id, without_tax, without_tax, [tax(amount, included=False, code="NY")], **fields)


def payment(amount: Any, **fields: Any) -> Document:
    """A payment in cash."""
    return {
        "code": "CASH",
        "uuid": "payment-1",
        "fiscId": "T1.1",
        "fiscDate": "2026-03-10T15:04:00Z",
        "netAmountWithTax": amount,
        "currency": "EUR",
        "tip": "0.00",
        "surcharge": "",
        "type": "NORMAL",
    } | fields


def account(
    fisc_id: str,
    lines: list[Document],
    payments: list[Document] | None = None,
    *,
    kind: str = "SALE",
    initial: str | None = None,
    location: str = LOCATION,
    **fields: Any,
) -> Document:
    """An account, known by `ref-<fisc_id>`; `initial` is the account that it goes back to."""
    return {
        "accountReference": f"ref-{fisc_id}",
        "accountFiscId": fisc_id,
        "source": {"initialAccountId": initial or fisc_id},
        "businessLocationId": location,
        "type": kind,
        "cancelled": False,
        "timeOfOpening": "2026-03-10T15:00:00Z",
        "timeClosed": CLOSED_AT,
        "salesLines": lines,
        "payments": payments or [],
    } | fields


def location(
    location_id: str = LOCATION, timezone: str = "Europe/Brussels", country: str = "BE", **fields: Any
) -> Document:
    """A business location of a business in euro."""
    return {
        "businessId": 5150,
        "businessName": "Bakery",
        "currencyCode": "EUR",
        "blID": location_id,
        "blName": "Corner",
        "country": country,
        "timezone": timezone,
    } | fields


def day(date: str, next_start: str, location_id: str = LOCATION, **fields: Any) -> Document:
    """A business day; `next_start` is local time with its offset."""
    return {
        "businessLocationId": location_id,
        "date": date,
        "nextStartOfDayAsIso8601": next_start,
        "dataComplete": True,
    } | fields
