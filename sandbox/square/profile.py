"""Locations, merchants and the state of a token."""

from __future__ import annotations

from sandbox.clock import DAY, WORLD_END, format_instant
from sandbox.square.names import Json, location_id, merchant_id
from sandbox.world import Merchant, Shop

SCOPES = ("ITEMS_READ", "MERCHANT_PROFILE_READ", "ORDERS_READ", "PAYMENTS_READ")
_CREATED_AT = format_instant(WORLD_END - 400 * DAY)


def location(merchant: Merchant, shop: Shop) -> Json:
    """One location; its zone is an IANA name.

    Source: Square API 2025-08-20, Location.
    """
    market = merchant.market
    return {
        "id": location_id(merchant, shop),
        "name": shop.name,
        "address": {
            "address_line_1": f"1 {shop.locality} Road",
            "locality": shop.locality,
            "postal_code": "00000",
            "country": market.country,
        },
        "timezone": shop.zone.key,
        "capabilities": ["CREDIT_CARD_PROCESSING", "AUTOMATIC_TRANSFERS"],
        "status": "ACTIVE" if shop.is_active else "INACTIVE",
        "created_at": _CREATED_AT,
        "merchant_id": merchant_id(merchant),
        "country": market.country,
        "language_code": market.language,
        "currency": market.currency,
        "business_name": merchant.name,
        "business_email": "office@example.com",
        "phone_number": "+12025550100",
        "type": "PHYSICAL",
        "business_hours": {},
        "mcc": "5462",
    }


def merchant_record(merchant: Merchant) -> Json:
    """The one merchant of a token.

    Source: Square API 2025-08-20, Merchant.
    """
    return {
        "id": merchant_id(merchant),
        "business_name": merchant.name,
        "country": merchant.market.country,
        "language_code": merchant.market.language,
        "currency": merchant.market.currency,
        "status": "ACTIVE",
        "main_location_id": location_id(merchant, merchant.shops[0]),
        "created_at": _CREATED_AT,
    }


def token_status(merchant: Merchant, *, has_scopes: bool) -> Json:
    """What a token may do and until when.

    Source: Square API 2025-08-20, RetrieveTokenStatusResponse.
    """
    return {
        "scopes": list(SCOPES) if has_scopes else [],
        "expires_at": format_instant(WORLD_END + 30 * DAY),
        "client_id": "sandbox-application",
        "merchant_id": merchant_id(merchant),
    }
