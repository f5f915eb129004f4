"""Catalogue objects: items with their variations, categories, taxes and discounts."""

from __future__ import annotations

from sandbox.clock import Instant
from sandbox.square.names import Json, catalog_id, location_id, money, rate_text, time_text
from sandbox.world import Merchant, Product

ITEM_TYPES = ("CATEGORY", "ITEM", "ITEM_VARIATION", "TAX", "DISCOUNT")
TOP_TYPES = ("CATEGORY", "ITEM", "TAX", "DISCOUNT")


def objects(merchant: Merchant) -> list[tuple[Instant, str, Json]]:
    """Every catalogue object in its newest state, with its time of change and type.

    Args:
        merchant: whose catalogue.

    Source: Square API 2025-08-20, CatalogObject.
    """
    first = merchant.catalog_versions[0]
    found: list[tuple[Instant, str, Json]] = []
    for place, (key, name) in enumerate(merchant.categories.items()):
        at = first - 60_000 + place * 250
        data = {"name": name, "is_top_level": True, "category_type": "REGULAR_CATEGORY"}
        found.append((at, "CATEGORY", _object(merchant, "category", key, at, at, "CATEGORY", data)))
    market = merchant.market
    taxes = {*market.bread_taxes, *market.drink_taxes, *market.charge_taxes, *market.special_taxes}
    for tax in sorted(taxes, key=lambda each: each.key):
        data = {
            "name": tax.name,
            "percentage": rate_text(tax.rate),
            "inclusion_type": "INCLUSIVE" if tax.is_inclusive else "ADDITIVE",
            "enabled": True,
        }
        item = _object(merchant, "tax", tax.key, first, first, "TAX", data)
        found.append((first, "TAX", item))
    for product in merchant.products:
        found += _item(merchant, product)
    return found


def _object(
    merchant: Merchant,
    kind: str,
    key: str,
    created_at: Instant,
    at: Instant,
    type_: str,
    data: Json,
) -> Json:
    return {
        "type": type_,
        "id": catalog_id(merchant, kind, key),
        "updated_at": time_text(at),
        "created_at": time_text(created_at),
        "version": at,
        "is_deleted": False,
        "present_at_all_locations": True,
        f"{type_.lower()}_data": data,
    }


def _item(merchant: Merchant, product: Product) -> list[tuple[Instant, str, Json]]:
    change, created_at = product.current, product.history[0].at
    at = change.at
    item_id = catalog_id(merchant, "item", product.key)
    variation_data: Json = {
        "item_id": item_id,
        "name": product.variation,
        "ordinal": 0,
        "pricing_type": "FIXED_PRICING",
        "price_money": money(product.unit_minor, merchant.market.currency),
        "sellable": True,
        "stockable": True,
    }
    if change.sku is not None:
        variation_data["sku"] = change.sku
    variation = _object(merchant, "variation", product.key, created_at, at, "ITEM_VARIATION", variation_data)
    item_data: Json = {
        "name": change.name,
        "description": f"{change.name}, baked every morning.",
        "is_taxable": bool(product.taxes),
        "tax_ids": [catalog_id(merchant, "tax", tax.key) for tax in product.taxes],
        "variations": [variation],
        "product_type": "REGULAR",
        "is_archived": False,
        **_category(merchant, product),
    }
    item = _object(merchant, "item", product.key, created_at, at, "ITEM", item_data)
    for each in (item, variation):
        each["is_deleted"] = change.is_deleted
    if product.category == "season":
        shop = merchant.shops[0]
        item["present_at_all_locations"] = False
        item["present_at_location_ids"] = [location_id(merchant, shop)]
    return [(at, "ITEM", item), (at, "ITEM_VARIATION", variation)]


def _category(merchant: Merchant, product: Product) -> Json:
    """Categories were told in three ways over the years, and some items tell none."""
    main = {"id": catalog_id(merchant, "category", product.category), "ordinal": 0}
    side = {"id": catalog_id(merchant, "category", "season"), "ordinal": 1}
    styles: dict[str, Json] = {
        "reporting": {"reporting_category": main, "categories": [side, main]},
        "list": {"categories": [main]},
        "both": {"reporting_category": main, "categories": [main], "category_id": main["id"]},
        "old": {"category_id": main["id"]},
        "none": {},
    }
    return styles[product.category_style]
