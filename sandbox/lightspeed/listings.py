"""Businesses and the lists that describe a business location.

Source: K-Series Financial API V1 (OpenAPI 1.0.0, read in 2026-11); live answers spell ``blId``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sandbox.lightspeed.chains import place_of
from sandbox.lightspeed.documents import METHODS
from sandbox.lightspeed.names import (
    Json,
    business_id,
    location_id,
    number_of,
    rate_multiplier,
)
from sandbox.world import Merchant


def business(merchant: Merchant) -> Json:
    """A business with its locations; half of the chains get the other spelling of the id."""
    key = "blID" if place_of(merchant) % 2 == 0 else "blId"
    return {
        "businessName": merchant.name,
        "businessId": business_id(merchant),
        "currencyCode": merchant.market.currency,
        "businessLocations": [
            {
                "blName": shop.name,
                key: location_id(merchant, shop),
                "country": merchant.market.country,
                "timezone": shop.zone.key,
            }
            for shop in merchant.shops
        ],
    }


def payment_methods(merchant: Merchant) -> list[Json]:
    """Every way to pay."""
    return [
        {
            "name": name,
            "code": code,
            "accountingReference": code.lower(),
            "pmId": number_of(15, merchant.seed, "method", merchant.key, code),
        }
        for code, name in METHODS.items()
    ]


def tax_rates(merchant: Merchant) -> list[Json]:
    """Every tax of the market."""
    market = merchant.market
    kinds = (market.bread_taxes, market.drink_taxes, market.charge_taxes)
    special = (market.special_taxes,) if market.is_tax_in_gross else ()
    taxes = {tax.key: tax for each in (*kinds, *special) for tax in each}
    return [
        {
            "code": tax.key,
            "description": tax.name,
            "rate": Decimal(rate_multiplier(tax.rate)),
            "taxIncluded": tax.is_inclusive,
            "accountingReference": f"tax-{tax.key.lower()}",
        }
        for tax in taxes.values()
    ]


def accounting_groups(merchant: Merchant) -> list[Json]:
    """Every group that products are booked under."""
    return [
        {
            "accountingGroupId": number_of(15, merchant.seed, "group", merchant.key, name),
            "name": name,
            "statisticGroup": '[{"category":"default","value":"Bakery"}]',
            "code": name[:2].upper(),
        }
        for name in (*merchant.categories.values(), "Extras")
    ]


def embedded(name: str, documents: Sequence[Json], address: str) -> Json:
    """A list as this service wraps it."""
    return {"_embedded": {name: list(documents)}, "_links": {"self": {"href": address}}}
