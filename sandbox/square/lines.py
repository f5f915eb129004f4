"""Parts of orders: lines, modifiers, taxes, discounts, service charges, sold or given back."""

from __future__ import annotations

from sandbox.pricing import Basket, Charge, Discount, Line, Modifier
from sandbox.sales import Sale
from sandbox.square.names import Json, catalog_id, money, quantity_text, rate_text, uid
from sandbox.world import Market

_ITEM_TYPES = {"product": "ITEM", "custom_amount": "CUSTOM_AMOUNT", "gift_card": "GIFT_CARD"}


def line_item(sale: Sale, line: Line, *, is_return: bool, has_surcharge_key: bool) -> Json:
    """One element of ``line_items`` or ``return_line_items``.

    Args:
        sale: whose line.
        line: what was sold or given back.
        is_return: for ``return_line_items``.
        has_surcharge_key: answers of 2026 carry the surcharge, older ones do not.

    Source: Square API 2025-08-20, OrderLineItem and OrderReturnLineItem.
    """
    market = sale.merchant.market
    currency = market.currency
    item: Json = {"uid": line.uid}
    if line.source_uid is not None:
        item["source_line_item_uid"] = line.source_uid
    if line.product_key is not None:
        item["catalog_object_id"] = catalog_id(sale.merchant, "variation", line.product_key)
        item["catalog_version"] = line.catalog_version
    item["quantity"] = quantity_text(line.quantity, is_weighed=line.is_weighed)
    if line.is_weighed:
        item["quantity_unit"] = {
            "measurement_unit": {"weight_unit": market.weight_unit, "type": "TYPE_WEIGHT"},
            "precision": 5,
        }
    for key, text in (
        ("name", line.name),
        ("variation_name", line.variation_name),
        ("note", line.note),
    ):
        if text is not None:
            item[key] = text
    item["base_price_money"] = money(line.unit_minor, currency)
    gross = _gross(line, market)
    item["gross_return_money" if is_return else "gross_sales_money"] = money(gross, currency)
    item["total_tax_money"] = money(line.tax_minor, currency)
    item["total_discount_money"] = money(line.discount_minor, currency)
    item["total_money"] = money(line.total_minor, currency)
    item["variation_total_price_money"] = money(line.variation_minor, currency)
    item.update(_shares(sale, line, currency))
    if line.modifiers:
        key = "return_modifiers" if is_return else "modifiers"
        item[key] = [_modifier(sale, each) for each in line.modifiers]
    item["item_type"] = _ITEM_TYPES[line.kind]
    item["total_service_charge_money"] = money(line.charge_minor, currency)
    if has_surcharge_key:
        item["total_card_surcharge_money"] = money(0, currency)
    return item


def _gross(line: Line, market: Market) -> int:
    """Europe leaves the tax in, the United States and Japan take it out."""
    return line.list_minor - (0 if market.is_tax_in_gross else line.inclusive_tax_minor)


def _shares(sale: Sale, line: Line, currency: str) -> Json:
    shares: Json = {}
    for name, reference, minors in (
        ("applied_taxes", "tax", line.tax_shares),
        ("applied_discounts", "discount", line.discount_shares),
        ("applied_service_charges", "service_charge", line.charge_shares),
    ):
        if minors:
            shares[name] = [
                {
                    "uid": uid(sale, line.uid, reference, key),
                    f"{reference}_uid": uid(sale, reference, key),
                    "applied_money": money(minor, currency),
                }
                for key, minor in minors.items()
            ]
    return shares


def _modifier(sale: Sale, modifier: Modifier) -> Json:
    currency = sale.merchant.market.currency
    answer: Json = {
        "uid": modifier.uid,
        "catalog_object_id": catalog_id(sale.merchant, "modifier", modifier.key),
        "catalog_version": sale.merchant.catalog_versions[0],
        "name": modifier.name,
        "base_price_money": money(modifier.unit_minor, currency),
        "total_price_money": money(modifier.total_minor, currency),
    }
    if modifier.source_uid is not None:
        answer["source_modifier_uid"] = modifier.source_uid
    # The till leaves out a count of one; only newer ones send it.
    if modifier.count > 1 or sale.number % 2:
        answer["quantity"] = str(modifier.count)
    return answer


def taxes(sale: Sale, basket: Basket) -> list[Json]:
    """The taxes of an order, or of a return, with what they came to."""
    sums: dict[str, int] = {}
    taxed: list[Line | Charge] = [*basket.lines, *basket.charges]
    for shares in (part.tax_shares for part in taxed):
        for key, minor in shares.items():
            sums[key] = sums.get(key, 0) + minor
    known = {tax.key: tax for part in taxed for tax in part.taxes}
    return [
        {
            "uid": uid(sale, "tax", key),
            "catalog_object_id": catalog_id(sale.merchant, "tax", key),
            "catalog_version": sale.merchant.catalog_versions[0],
            "name": known[key].name,
            "percentage": rate_text(known[key].rate),
            "type": "INCLUSIVE" if known[key].is_inclusive else "ADDITIVE",
            "applied_money": money(minor, sale.merchant.market.currency),
            "scope": "LINE_ITEM" if sale.number % 2 else "ORDER",
        }
        for key, minor in sums.items()
    ]


def discounts(sale: Sale, basket: Basket) -> list[Json]:
    """The discounts of an order, or of a return."""
    return [_discount(sale, basket, each) for each in basket.discounts]


def _discount(sale: Sale, basket: Basket, discount: Discount) -> Json:
    currency = sale.merchant.market.currency
    applied = sum(line.discount_shares.get(discount.key, 0) for line in basket.lines)
    answer: Json = {"uid": uid(sale, "discount", discount.key)}
    if discount.is_from_catalog:
        answer["catalog_object_id"] = catalog_id(sale.merchant, "discount", discount.key)
        answer["catalog_version"] = sale.merchant.catalog_versions[0]
    answer["name"] = discount.name
    if discount.rate is not None:
        answer["percentage"] = rate_text(discount.rate)
        answer["type"] = "FIXED_PERCENTAGE"
    else:
        answer["amount_money"] = money(discount.amount_minor or 0, currency)
        answer["type"] = "FIXED_AMOUNT"
    answer["applied_money"] = money(applied, currency)
    answer["scope"] = "ORDER" if discount.line_uid is None else "LINE_ITEM"
    return answer


def service_charge(sale: Sale, charge: Charge) -> Json:
    """One element of ``service_charges`` or ``return_service_charges``.

    A returned charge names its source and has no type of its own.

    Source: Square API 2025-08-20, OrderServiceCharge and OrderReturnServiceCharge.
    """
    currency = sale.merchant.market.currency
    answer: Json = {"uid": uid(sale, "service_charge", charge.key), "name": charge.name}
    if charge.rate is not None:
        answer["percentage"] = rate_text(charge.rate)
    else:
        answer["amount_money"] = money(charge.amount_minor or 0, currency)
    answer["applied_money"] = money(charge.applied_minor, currency)
    answer["total_money"] = money(charge.total_minor, currency)
    answer["total_tax_money"] = money(charge.tax_minor, currency)
    answer["calculation_phase"] = _phase(charge)
    answer["taxable"] = bool(charge.taxes)
    if charge.tax_shares:
        answer["applied_taxes"] = [
            {
                "uid": uid(sale, charge.key, "tax", key),
                "tax_uid": uid(sale, "tax", key),
                "applied_money": money(minor, currency),
            }
            for key, minor in charge.tax_shares.items()
        ]
    treatment = "APPORTIONED_TREATMENT" if charge.is_apportioned else "LINE_ITEM_TREATMENT"
    answer["treatment_type"] = treatment
    answer["scope"] = "ORDER"
    if charge.source_key is None:
        answer["type"] = "AUTO_GRATUITY" if charge.is_gratuity else "CUSTOM"
    return answer


def _phase(charge: Charge) -> str:
    if charge.is_apportioned:
        by_rate = charge.rate is not None
        return "APPORTIONED_PERCENTAGE_PHASE" if by_rate else "APPORTIONED_AMOUNT_PHASE"
    return "SUBTOTAL_PHASE" if charge.taxes else "TOTAL_PHASE"
