"""Orders as the vendor writes them: checks, selections, discounts, taxes, service charges.

Source: Toast orders API 2.9.0, Order; what is null there is what real answers have null.
"""

from __future__ import annotations

from sandbox.clock import HOUR, SECOND, Instant
from sandbox.toast import payments, people
from sandbox.toast.config import CHARGES
from sandbox.toast.names import (
    EPOCH_TEXT,
    Json,
    business_date,
    config_guid,
    day_number,
    guid,
    mills_number,
    multi_location_id,
    number,
    quantity_number,
    rate_number,
    reference,
    time_or_none,
    time_text,
)
from sandbox.toast.pricing import charge_tax
from sandbox.toast.records import AppliedDiscount, Charge, Check, Order, RefundDetails, Selection, TaxRate
from sandbox.toast.truth import check_guid, payment_guid, transaction_guid

_OLD_ORDER = ("createdDate", "approvalStatus", "createdInTestMode", "excessFood", "pricingFeatures")
_OLD_ORDER_TOO = ("displayNumber", "appliedPackagingInfo")
_OLD_SELECTION = ("receiptLinePrice", "taxInclusion", "unitOfMeasure", "refundDetails", "plu")


def day_of(order: Order, at: Instant | None) -> int | None:
    """A business date as a number, null without an instant."""
    if at is None:
        return None
    return day_number(business_date(order.merchant, order.shop, at))


def order_document(order: Order) -> Json:
    """A whole order; there is no word about the restaurant in it."""
    body, merchant, shop = order.body, order.merchant, order.shop
    listed = [check for check in body.checks if not check.is_removed]
    paid = [each.paid_at for each in listed if each.paid_at is not None]
    closed = [each.closed_at for each in listed if each.closed_at is not None]
    paid_at = max(paid, default=None)
    is_closed = bool(closed) and len(closed) == len(listed)
    is_delivery = body.dining == "delivery" and body.person is not None
    ready_at = body.promised_at or order.opened_at + HOUR // 2
    center = config_guid(merchant, shop, "revenueCenters", "front" if body.source == "In Store" else "online")
    waiter = reference(guid(merchant, "server", order.number % 6), "RestaurantUser")
    document: Json = {
        "guid": order.guid,
        "entityType": "Order",
        "externalId": None,
        "revenueCenter": None if body.source == "API" else reference(center, "RevenueCenter"),
        "server": waiter if body.source == "In Store" else None,
        "createdInTestMode": body.is_test,
        "lastModifiedDevice": _device(order),
        "createdDevice": _device(order),
        "source": body.source,
        "voidDate": time_or_none(body.voided_at),
        "voidBusinessDate": day_of(order, body.voided_at),
        "voided": body.voided_at is not None,
        "duration": None if paid_at is None else (paid_at - order.opened_at) // SECOND,
        "businessDate": day_of(order, order.opened_at),
        "openedDate": time_text(order.opened_at),
        "createdDate": time_text(order.opened_at + 140),
        "paidDate": time_or_none(paid_at),
        "closedDate": time_text(max(closed)) if is_closed else None,
        "modifiedDate": time_text(order.modified_at),
        "promisedDate": time_or_none(body.promised_at),
        "estimatedFulfillmentDate": time_text(ready_at) if body.dining in ("takeout", "delivery") else None,
        "requiredPrepTime": "PT0S",
        "restaurantService": None,
        "serviceArea": None,
        "table": reference(guid(merchant, "table", order.number % 9), "Table")
        if body.dining == "table"
        else None,
        "excessFood": body.is_waste,
        "approvalStatus": body.approval,
        "deliveryInfo": people.address(body.person or 0) if is_delivery else None,
        "curbsidePickupInfo": None,
        "numberOfGuests": 1 + order.number % 3,
        "diningOption": reference(config_guid(merchant, shop, "diningOptions", body.dining), "DiningOption"),
        "appliedPackagingInfo": None,
        "checks": [_check(order, check) for check in listed],
        "deleted": body.deleted_at is not None,
        "deletedDate": _deleted_text(order, body.deleted_at),
        "displayNumber": str(1 + order.number % 180),
        "pricingFeatures": ["TAXESV2"] if order.number % 2 else ["TAXESV3"],
    }
    if body.is_old_shape:
        for key in (*_OLD_ORDER, *_OLD_ORDER_TOO):
            del document[key]
    return document


def _device(order: Order) -> Json:
    is_pos = order.body.source == "In Store"
    return {"id": guid(order.merchant, "device", order.number % 4)[:16].replace("-", "") if is_pos else None}


def _deleted_text(order: Order, at: Instant | None) -> str | None:
    """What is not deleted has the epoch, or null where no device of the shop made it."""
    if at is not None:
        return time_text(at)
    return EPOCH_TEXT if order.body.source == "In Store" else None


def _check(order: Order, check: Check) -> Json:
    merchant = order.merchant
    gratuity = sum(each.amount_minor for each in check.charges if each.is_gratuity)
    total = check.amount_minor + check.tax_minor + gratuity + check.tip_minor
    document: Json = {
        "guid": check_guid(order, check),
        "entityType": "Check",
        "externalId": None,
        "displayNumber": str((order.number % 90) + int(check.key)),
        "payments": [payments.payment(order, check, each) for each in check.payments],
        "appliedDiscounts": [_discount(order, check, each) for each in check.discounts],
        "appliedServiceCharges": [_charge(order, check, each) for each in check.charges],
        "appliedLoyaltyInfo": None,
        "selections": [_selection(order, check, each, None) for each in check.selections],
        "lastModifiedDevice": _device(order),
        "createdDevice": _device(order),
        "voidDate": time_or_none(check.voided_at),
        "voidBusinessDate": day_of(order, check.voided_at),
        "voided": check.voided_at is not None,
        "paymentStatus": check.payment_status,
        "amount": number(check.amount_minor),
        "taxAmount": number(check.tax_minor),
        "totalAmount": number(total),
        "taxExempt": check.is_tax_exempt,
        "tabName": check.tab,
        "openedDate": time_text(check.opened_at),
        "createdDate": time_text(check.opened_at + 90),
        "paidDate": time_or_none(check.paid_at),
        "closedDate": time_or_none(check.closed_at),
        "modifiedDate": time_text(min(check.changed_at, order.modified_at)),
        "deleted": check.deleted_at is not None,
        "deletedDate": _deleted_text(order, check.deleted_at),
        "customer": None if check.customer is None else people.customer(merchant, check.customer),
        "duration": None if check.paid_at is None else (check.paid_at - check.opened_at) // SECOND,
    }
    if order.body.is_old_shape:
        del document["createdDate"]
    return document


def _selection(order: Order, check: Check, selection: Selection, parent: Selection | None) -> Json:
    merchant, shop = order.merchant, order.shop
    is_item = selection.product_key is not None
    document: Json = {
        "guid": guid(merchant, "selection", order.number, check.key, selection.key),
        "entityType": "MenuItemSelection",
        "externalId": None,
        "item": _item(order, selection.product_key),
        "itemGroup": _group(order, "menu-group") if is_item and parent is None else None,
        "optionGroup": None if parent is None else _group(order, "option-group"),
        "optionGroupPricingMode": None if parent is None else "ADJUSTS_PRICE",
        "preModifier": None,
        "salesCategory": _sales_category(order, selection.product_key),
        "diningOption": reference(
            config_guid(merchant, shop, "diningOptions", order.body.dining), "DiningOption"
        ),
        "displayName": selection.name,
        "selectionType": selection.type,
        "deferred": selection.is_deferred,
        "quantity": quantity_number(selection.quantity),
        "unitOfMeasure": "LB" if selection.is_weighed else "NONE",
        "receiptLinePrice": number(selection.unit_minor),
        "preDiscountPrice": number(selection.pre_minor),
        "price": number(selection.price_minor),
        "tax": number(selection.tax_minor),
        "taxInclusion": _inclusion(selection, parent),
        "appliedTaxes": _taxes(order, check, selection),
        "appliedDiscounts": [_discount(order, check, each, selection) for each in selection.discounts],
        "modifiers": [_selection(order, check, each, selection) for each in selection.modifiers],
        "refundDetails": _refund_details(order, check, selection.refund),
        "seatNumber": -1,
        "fulfillmentStatus": "READY" if check.payment_status == "CLOSED" else "SENT",
        "voided": selection.voided_at is not None,
        "voidDate": time_or_none(selection.voided_at),
        "voidBusinessDate": day_of(order, selection.voided_at),
        "voidReason": None,
        "createdDate": time_text(check.opened_at + 60),
        "modifiedDate": time_text(max(check.opened_at + 60, selection.voided_at or 0)),
    }
    if selection.voided_at is not None:
        document["voidReason"] = reference(
            config_guid(merchant, shop, "voidReasons", "mistake"), "VoidReason"
        )
    plu = _plu(order, selection)
    if plu is not None:
        document["plu"] = plu
    if order.body.is_old_shape:
        for key in _OLD_SELECTION:
            document.pop(key, None)
    return document


def _item(order: Order, product_key: str | None) -> Json | None:
    if product_key is None:
        return None
    return {
        "guid": guid(order.merchant, "item", order.shop.key, product_key),
        "entityType": "MenuItem",
        "externalId": None,
        "multiLocationId": multi_location_id(order.merchant, product_key),
    }


def _group(order: Order, kind: str) -> Json:
    return {
        "guid": guid(order.merchant, kind, order.shop.key),
        "entityType": "MenuGroup" if kind == "menu-group" else "MenuOptionGroup",
        "externalId": None,
        "multiLocationId": multi_location_id(order.merchant, kind),
    }


def _sales_category(order: Order, product_key: str | None) -> Json | None:
    """The category by reference; some products are in none."""
    if product_key is None or product_key.startswith("extra-"):
        return None
    product = order.merchant.product(product_key)
    if product.category_style == "none":
        return None
    return reference(
        config_guid(order.merchant, order.shop, "salesCategories", product.category), "SalesCategory"
    )


def _plu(order: Order, selection: Selection) -> str | None:
    key = selection.product_key
    if key is None or key.startswith("extra-"):
        return None
    return order.merchant.product(key).at(order.opened_at).sku


def _inclusion(selection: Selection, parent: Selection | None) -> str:
    if parent is not None:
        return "INHERITED"
    return "INCLUDED" if selection.is_inclusive else "NOT_INCLUDED"


def _taxes(order: Order, check: Check, selection: Selection) -> list[Json]:
    if not selection.tax_mills:
        return []
    return [
        _tax(order, tax, mills, check.key, selection.key)
        for tax, mills in zip(selection.taxes, selection.tax_mills, strict=True)
    ]


def _tax(order: Order, tax: TaxRate, mills: int, *names: object) -> Json:
    return {
        "guid": guid(order.merchant, "applied-tax", order.number, tax.key, *names),
        "entityType": "AppliedTaxRate",
        "taxRate": {
            "guid": config_guid(order.merchant, order.shop, "taxRates", tax.key),
            "entityType": "TaxRate",
        },
        "name": tax.name,
        "rate": number(tax.fixed_minor) if tax.fixed_minor else rate_number(tax.rate),
        "taxAmount": mills_number(mills),
        "type": tax.type,
        "facilitatorCollectAndRemitTax": tax.is_remitted,
    }


def _discount(
    order: Order, check: Check, discount: AppliedDiscount, selection: Selection | None = None
) -> Json:
    place = "check" if selection is None else selection.key
    is_open = discount.type.startswith("OPEN")
    return {
        "guid": guid(order.merchant, "applied-discount", order.number, check.key, place, discount.key),
        "entityType": "AppliedCustomDiscount",
        "externalId": None,
        "name": discount.name,
        "discountAmount": number(discount.amount_minor),
        "nonTaxDiscountAmount": number(discount.non_tax_minor),
        "discountType": discount.type,
        "discountPercent": None if discount.rate is None else rate_number(discount.rate * 100),
        "discount": {
            "guid": config_guid(order.merchant, order.shop, "discounts", discount.key),
            "entityType": "Discount",
        },
        "triggers": [],
        "approver": reference(guid(order.merchant, "server", 0), "RestaurantUser") if is_open else None,
        "processingState": discount.state,
        "loyaltyDetails": None,
        "comboItems": [],
        "appliedPromoCode": None,
    }


def _charge(order: Order, check: Check, charge: Charge) -> Json:
    rule = CHARGES[charge.key]
    payment = next((each for each in check.payments if each.key == charge.payment_key), None)
    document: Json = {
        "guid": guid(order.merchant, "applied-charge", order.number, check.key, charge.key),
        "entityType": "AppliedServiceCharge",
        "externalId": None,
        "chargeAmount": number(charge.amount_minor),
        "serviceCharge": reference(
            config_guid(order.merchant, order.shop, "serviceCharges", charge.key), "ServiceCharge"
        ),
        "chargeType": rule.type,
        "name": charge.name,
        "delivery": charge.key == "delivery",
        "takeout": False,
        "dineIn": charge.is_gratuity,
        "gratuity": charge.is_gratuity,
        "taxable": bool(charge.taxes),
        "appliedTaxes": [
            _tax(order, tax, charge_tax(charge, tax) * 10, check.key, charge.key) for tax in charge.taxes
        ],
        "serviceChargeCalculation": "PRE_DISCOUNT" if rule.type == "PERCENT" else None,
        "refundDetails": _refund_details(order, check, charge.refund),
        "serviceChargeCategory": charge.category,
        "paymentGuid": None if payment is None else payment_guid(order, payment),
    }
    if charge.category is None:
        del document["serviceChargeCategory"]
    return document


def _refund_details(order: Order, check: Check, details: RefundDetails | None) -> Json | None:
    if details is None:
        return None
    return {
        "refundAmount": number(details.amount_minor),
        "taxRefundAmount": number(details.tax_minor),
        "refundTransaction": {
            "guid": transaction_guid(order, check, details.transaction),
            "entityType": "RefundTransaction",
        },
    }
