"""Payments as the vendor writes them.

Source: Toast orders API 2.9.0, Payment.
"""

from __future__ import annotations

from sandbox.clock import Instant
from sandbox.pricing import divide_half_even
from sandbox.toast.names import (
    Json,
    business_date,
    config_guid,
    day_number,
    guid,
    number,
    reference,
    time_text,
)
from sandbox.toast.records import Check, Order, Payment
from sandbox.toast.truth import check_guid, payment_guid, transaction_guid

_OTHER_KEYS = {"API": "marketplace"}


def payment(order: Order, check: Check, given: Payment) -> Json:
    """A payment, also as it stands inside its check."""
    merchant, shop = order.merchant, order.shop
    is_card, is_cash = given.type == "CREDIT", given.type == "CASH"
    other = None
    if given.type == "OTHER":
        key = _OTHER_KEYS.get(order.body.source, "cheque")
        other = reference(config_guid(merchant, shop, "alternatePaymentTypes", key), "AlternatePaymentType")
    is_captured = is_card and given.status == "CAPTURED"
    return {
        "guid": payment_guid(order, given),
        "entityType": "OrderPayment",
        "externalId": None,
        "type": given.type,
        "amount": number(given.amount_minor),
        "tipAmount": number(given.tip_minor),
        "amountTendered": _tendered(given),
        "cardType": given.card_type,
        "last4Digits": f"{int(guid(merchant, 'card', given.key)[:4], 16) % 10_000:04d}" if is_card else None,
        "cardEntryMode": ("EMV_CHIP_SIGN" if order.number % 2 else "CONTACTLESS") if is_card else None,
        "cardPaymentId": None,
        "originalProcessingFee": number(_fee(given)) if is_captured else None,
        "mcaRepaymentAmount": None,
        "paidDate": time_text(given.at),
        "paidBusinessDate": _day(order, given.at),
        "paymentStatus": given.status,
        "refundStatus": _refund_status(given),
        "refund": _refund(order, check, given),
        "voidInfo": _void(order, given),
        "houseAccount": reference(guid(merchant, "house-account", order.number % 5), "HouseAccount")
        if given.type == "HOUSE_ACCOUNT"
        else None,
        "otherPayment": other,
        "cashDrawer": reference(guid(merchant, "drawer", shop.key), "CashDrawer") if is_cash else None,
        "server": reference(guid(merchant, "server", order.number % 6), "RestaurantUser"),
        "lastModifiedDevice": {"id": None},
        "createdDevice": {"id": None},
        "orderGuid": order.guid,
        "checkGuid": check_guid(order, check),
    }


def _day(order: Order, at: Instant) -> int:
    return day_number(business_date(order.merchant, order.shop, at))


def _tendered(given: Payment) -> object:
    """What was handed over in cash; for cards often nothing, sometimes 0."""
    if given.tendered_minor is not None:
        return number(given.tendered_minor)
    if given.type == "CREDIT":
        return None if given.amount_minor % 2 else 0
    return number(given.amount_minor)


def _fee(given: Payment) -> int:
    return divide_half_even((given.amount_minor + given.tip_minor) * 26, 1_000) + 10


def _refund_status(given: Payment) -> str:
    if given.refund is None:
        return "NONE"
    return "FULL" if given.refund.amount_minor == given.amount_minor else "PARTIAL"


def _refund(order: Order, check: Check, given: Payment) -> Json | None:
    refund = given.refund
    if refund is None:
        return None
    document: Json = {
        "refundAmount": number(refund.amount_minor),
        "tipRefundAmount": number(refund.tip_minor),
        "refundDate": time_text(refund.at),
        "refundBusinessDate": _day(order, refund.at),
    }
    if refund.transaction is not None:
        document["refundTransaction"] = {
            "guid": transaction_guid(order, check, refund.transaction),
            "entityType": "RefundTransaction",
        }
    return document


def _void(order: Order, given: Payment) -> Json | None:
    if given.voided_at is None:
        return None
    merchant, shop = order.merchant, order.shop
    return {
        "voidUser": reference(guid(merchant, "server", order.number % 6), "RestaurantUser"),
        "voidDate": time_text(given.voided_at),
        "voidBusinessDate": _day(order, given.voided_at),
        "voidReason": reference(config_guid(merchant, shop, "voidReasons", "mistake"), "VoidReason"),
    }
