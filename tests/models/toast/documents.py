"""Builders of Toast documents for the tests of the models, as the connector lands them."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
Amount = int | float

RESTAURANT = "restaurant-1"
NEVER = "1970-01-01T00:00:00.000+0000"


def restaurant(
    guid: str = RESTAURANT,
    timezone: str | None = "America/New_York",
    currency: str | None = "USD",
    **fields: Any,
) -> Document:
    """A restaurant whose day is closed at 4."""
    general = {"name": "Bakery", "timeZone": timezone, "currencyCode": currency, "closeoutHour": 4}
    return {"guid": guid, "general": general | fields}


def config(kind: str, guid: str, name: str, restaurant_guid: str = RESTAURANT, **fields: Any) -> Document:
    """A configuration object as it is landed."""
    return {"guid": guid, "restaurantGuid": restaurant_guid, "configKind": kind, "name": name} | fields


def selection(guid: str | None, price: Amount, **fields: Any) -> Document:
    """A line whose price is after discounts, without tax."""
    document: Document = {
        "entityType": "MenuItemSelection",
        "displayName": "Rye loaf",
        "selectionType": "NONE",
        "deferred": False,
        "voided": False,
        "quantity": 1,
        "unitOfMeasure": "NONE",
        "receiptLinePrice": price,
        "preDiscountPrice": price,
        "price": price,
        "tax": 0,
        "taxInclusion": "NOT_INCLUDED",
        "modifiers": [],
        "refundDetails": None,
    }
    if guid is not None:
        document["guid"] = guid
    return document | fields


def charge(amount: Amount, category: str | None = "SERVICE_CHARGE", **fields: Any) -> Document:
    """A service charge on a check, without its tax."""
    return {
        "guid": f"charge-{amount}-{category}",
        "chargeAmount": amount,
        "serviceChargeCategory": category,
        "gratuity": False,
        "appliedTaxes": [],
    } | fields


def payment(guid: str, amount: Amount, tip: Amount = 0, **fields: Any) -> Document:
    """A captured card payment; the tip is beside the amount."""
    return {
        "guid": guid,
        "type": "CREDIT",
        "paymentStatus": "CAPTURED",
        "amount": amount,
        "tipAmount": tip,
        "amountTendered": 0,
        "paidDate": "2026-03-10T15:04:00.000+0000",
        "paidBusinessDate": 20260310,
        "cardType": "VISA",
        "last4Digits": "0042",
        "refundStatus": "NONE",
        "refund": None,
        "voidInfo": None,
    } | fields


def refund(amount: Amount, tip: Amount = 0, transaction: str | None = None, day: int = 12) -> Document:
    """What a payment gave back, on a day of March 2026."""
    document: Document = {
        "refundAmount": amount,
        "tipRefundAmount": tip,
        "refundDate": f"2026-03-{day}T16:00:00.000+0000",
        "refundBusinessDate": 20260300 + day,
    }
    return document | ({"refundTransaction": {"guid": transaction}} if transaction else {})


def refunded(amount: Amount, transaction: str, tax: Amount = 0) -> Document:
    """What of a line or charge went back in a refund transaction."""
    return {
        "refundAmount": amount,
        "taxRefundAmount": tax,
        "refundTransaction": {"guid": transaction},
    }


def check(
    guid: str,
    lines: list[Document],
    amount: Amount,
    *,
    tax: Amount = 0,
    payments: list[Document] | None = None,
    charges: list[Document] | None = None,
    **fields: Any,
) -> Document:
    """A paid check; `amount` is what Toast states: lines and charges but for gratuities, without tax."""
    return {
        "guid": guid,
        "entityType": "Check",
        "displayNumber": "1",
        "openedDate": "2026-03-10T15:00:00.000+0000",
        "paidDate": "2026-03-10T15:04:05.250+0000",
        "closedDate": "2026-03-11T09:05:00.000+0000",
        "modifiedDate": "2026-03-11T09:05:00.000+0000",
        "deletedDate": NEVER,
        "voided": False,
        "deleted": False,
        "paymentStatus": "CLOSED",
        "amount": amount,
        "taxAmount": tax,
        "totalAmount": amount,
        "selections": lines,
        "payments": payments or [],
        "appliedServiceCharges": charges or [],
        "appliedDiscounts": [],
    } | fields


def order(guid: str, checks: list[Document], *, modified: int = 1, **fields: Any) -> Document:
    """An order of the 10th of March 2026; `modified` orders its versions."""
    return {
        "guid": guid,
        "entityType": "Order",
        "restaurantGuid": RESTAURANT,
        "openedDate": "2026-03-10T15:00:00.000+0000",
        "createdDate": "2026-03-10T15:00:01.000+0000",
        "modifiedDate": f"2026-03-11T10:{modified:02d}:00.000+0000",
        "deletedDate": NEVER,
        "businessDate": 20260310,
        "voided": False,
        "deleted": False,
        "approvalStatus": "APPROVED",
        "source": "In Store",
        "createdInTestMode": False,
        "excessFood": False,
        "checks": checks,
    } | fields
