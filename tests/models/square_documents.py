"""Builders of Square documents for the tests of the models, as the API returns them; minor units."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

LOCATION = "LOC-BAKERY"
CLOSED_AT = "2026-03-10T15:04:05.250Z"


def money(amount: int, currency: str = "USD") -> Document:
    """A money object of `amount` minor units."""
    return {"amount": amount, "currency": currency}


def line(
    uid: str | None,
    total: int,
    *,
    tax: int = 0,
    discount: int = 0,
    charge: int = 0,
    currency: str = "USD",
    **fields: Any,
) -> Document:
    """A line item whose `total` contains its tax and charges and has its discount taken off."""
    document: Document = {
        "quantity": "1",
        "item_type": "ITEM",
        "name": "Rye loaf",
        "base_price_money": money(total - tax - charge + discount, currency),
        "total_money": money(total, currency),
        "total_tax_money": money(tax, currency),
        "total_discount_money": money(discount, currency),
        "total_service_charge_money": money(charge, currency),
    }
    if uid is not None:
        document["uid"] = uid
    return document | fields


def order(
    order_id: str,
    lines: list[Document],
    *,
    version: int | None = 1,
    state: str = "COMPLETED",
    tip: int = 0,
    currency: str = "USD",
    location: str = LOCATION,
    **fields: Any,
) -> Document:
    """A sale of `lines`, whose totals are theirs plus `tip`."""

    def total(key: str) -> int:
        return sum(int(item[key]["amount"]) for item in lines if key in item)

    document: Document = {
        "id": order_id,
        "location_id": location,
        "state": state,
        "created_at": "2026-03-10T15:00:00Z",
        "updated_at": f"2026-03-10T16:{version or 0:02d}:00Z",
        "line_items": lines,
        "total_money": money(total("total_money") + tip, currency),
        "total_tax_money": money(total("total_tax_money"), currency),
        "total_discount_money": money(total("total_discount_money"), currency),
        "total_tip_money": money(tip, currency),
    }
    if version is not None:
        document["version"] = version
    if state in ("COMPLETED", "CANCELED"):
        document["closed_at"] = CLOSED_AT
    return document | fields


def return_order(
    order_id: str,
    lines: list[Document],
    *,
    source: str | None,
    total: int,
    tax: int = 0,
    tip: int = 0,
    version: int = 1,
    refunds: list[Document] | None = None,
    **fields: Any,
) -> Document:
    """An order that only gives back: `total` minor units, as Square states them, positive."""
    amounts = {
        "total_money": money(total),
        "tax_money": money(tax),
        "tip_money": money(tip),
        "discount_money": money(0),
        "service_charge_money": money(0),
    }
    entry: Document = {"uid": "r1", "return_line_items": lines, "return_amounts": amounts}
    if source is not None:
        entry["source_order_id"] = source
    document: Document = {
        "id": order_id,
        "location_id": LOCATION,
        "state": "COMPLETED",
        "version": version,
        "created_at": "2026-03-12T09:00:00Z",
        "updated_at": f"2026-03-12T09:{version:02d}:00Z",
        "closed_at": "2026-03-12T09:00:01Z",
        "returns": [entry],
        "return_amounts": amounts,
        "source": {},
    }
    if refunds is not None:
        document["refunds"] = refunds
    return document | fields


def tender(tender_id: str, amount: int, *, tip: int = 0, **fields: Any) -> Document:
    """A captured card tender; `amount` contains the tip."""
    document: Document = {
        "id": tender_id,
        "payment_id": tender_id,
        "type": "CARD",
        "created_at": "2026-03-10T15:04:00Z",
        "amount_money": money(amount),
        "card_details": {"status": "CAPTURED", "card": {"card_brand": "VISA", "last_4": "0042"}},
    }
    if tip:
        document["tip_money"] = money(tip)
    return document | fields


def order_refund(refund_id: str, tender_id: str, amount: int, status: str = "APPROVED") -> Document:
    """A refund as its return order lists it."""
    return {
        "id": refund_id,
        "tender_id": tender_id,
        "created_at": "2026-03-12T09:00:00Z",
        "amount_money": money(amount),
        "status": status,
    }


def refund(
    refund_id: str, payment_id: str, order_id: str, amount: int, status: str, updated: str = "09:01"
) -> Document:
    """A refund as the refunds stream has it; its id begins with the payment's."""
    return {
        "id": f"{payment_id}_{refund_id}",
        "payment_id": payment_id,
        "order_id": order_id,
        "status": status,
        "amount_money": money(amount),
        "destination_type": "CARD",
        "created_at": "2026-03-12T09:00:00.471Z",
        "updated_at": f"2026-03-12T{updated}:00Z",
    }


def payment(payment_id: str, order_id: str, taken_at: str | None = None) -> Document:
    """A payment; `taken_at` is when it was taken offline."""
    document: Document = {
        "id": payment_id,
        "order_id": order_id,
        "updated_at": "2026-03-10T15:04:01Z",
        "status": "COMPLETED",
        "amount_money": money(100),
    }
    if taken_at is not None:
        document["offline_payment_details"] = {"client_created_at": taken_at}
    return document


def location(
    location_id: str = LOCATION, timezone: str = "America/New_York", updated: str = "01", **fields: Any
) -> Document:
    """A location; `updated` orders its versions."""
    return {
        "id": location_id,
        "name": "Bakery",
        "timezone": timezone,
        "currency": "USD",
        "updated_at": f"2026-01-{updated}T00:00:00Z",
    } | fields


def item(
    item_id: str, version: int, variations: dict[str, str | None], category: str | None = None
) -> Document:
    """A catalogue item; `variations` are their ids and skus."""
    data: Document = {
        "name": f"Item {item_id}",
        "variations": [
            {
                "type": "ITEM_VARIATION",
                "id": variation_id,
                "version": version,
                "item_variation_data": {"item_id": item_id, "name": "Regular"}
                | ({"sku": sku} if sku is not None else {}),
            }
            for variation_id, sku in variations.items()
        ],
    }
    if category is not None:
        data["reporting_category"] = {"id": category}
    return {"type": "ITEM", "id": item_id, "version": version, "item_data": data}


def category(category_id: str, version: int, name: str) -> Document:
    """A catalogue category."""
    return {
        "type": "CATEGORY",
        "id": category_id,
        "version": version,
        "category_data": {"name": name},
    }
