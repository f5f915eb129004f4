"""Payments and payment refunds as the vendor writes them."""

from __future__ import annotations

from sandbox.clock import HOUR
from sandbox.pricing import divide_half_even
from sandbox.sales import Refund, Sale, Tender
from sandbox.square import people
from sandbox.square.names import (
    Json,
    location_id,
    money,
    order_id,
    payment_id,
    refund_id,
    time_text,
)
from sandbox.square.orders import FUTURE_TENDER_TYPE

_SOURCE_TYPES = {
    "card": "CARD",
    "gift_card": "CARD",
    "cash": "CASH",
    "external": "EXTERNAL",
    "wallet": "WALLET",
    "future": FUTURE_TENDER_TYPE,
}
_STATES = {"captured": "COMPLETED", "authorized": "APPROVED", "voided": "CANCELED"}
_CARD_STATES = {"captured": "CAPTURED", "authorized": "AUTHORIZED", "voided": "VOIDED"}


def payment(sale: Sale, tender: Tender) -> Json:
    """A whole payment; the amount excludes the tip, the total includes it.

    Source: Square API 2025-08-20, Payment.
    """
    merchant, currency = sale.merchant, sale.merchant.market.currency
    name = payment_id(merchant, tender)
    answer: Json = {
        "id": name,
        "created_at": time_text(tender.created_at),
        "updated_at": time_text(tender.updated_at),
        "amount_money": money(tender.amount_minor, currency),
        "total_money": money(tender.total_minor, currency),
        "approved_money": money(tender.total_minor, currency),
        "status": _STATES[tender.state],
        "source_type": _SOURCE_TYPES[tender.method],
        "location_id": location_id(merchant, sale.shop),
        "order_id": order_id(sale),
        "receipt_number": name[:4],
        "receipt_url": f"https://receipts.example.com/{name}",
        "application_details": {"square_product": "SQUARE_POS"},
        "version_token": name[::-1],
    }
    if tender.tip_minor:
        answer["tip_money"] = money(tender.tip_minor, currency)
    answer.update(_source_details(sale, tender))
    answer.update(_buyer(sale))
    refunds = [each for each in tender.refunds if each.state in ("pending", "completed")]
    if tender.refunds:
        answer["refund_ids"] = [refund_id(merchant, each) for each in tender.refunds]
        answer["refunded_money"] = money(sum(x.amount_minor for x in refunds), currency)
    if tender.is_offline:
        answer["is_offline_payment"] = True
        if tender.taken_at is not None:
            details = {"client_created_at": time_text(tender.taken_at)}
            answer["offline_payment_details"] = details
    return answer


def _source_details(sale: Sale, tender: Tender) -> Json:
    currency = sale.merchant.market.currency
    if tender.method in ("card", "gift_card"):
        card = {
            "status": _CARD_STATES[tender.state],
            "card": people.card(sale.merchant, tender),
            "entry_method": "CONTACTLESS" if sale.number % 2 else "EMV",
            "cvv_status": "CVV_ACCEPTED",
            "avs_status": "AVS_ACCEPTED",
            "auth_result_code": f"{sale.number:06d}",
            "statement_description": "SQ *EXAMPLE BAKERY",
        }
        fee = divide_half_even(tender.total_minor * 26, 1_000) + 10
        fees = {
            "effective_at": time_text(tender.created_at + 2 * HOUR),
            "type": "INITIAL",
            "amount_money": money(fee, currency),
        }
        if tender.state != "captured":
            return {"card_details": card}
        return {"card_details": card, "processing_fee": [fees]}
    if tender.method == "cash":
        handed = tender.amount_minor if tender.handed_minor is None else tender.handed_minor
        cash = {
            "buyer_supplied_money": money(handed, currency),
            "change_back_money": money(handed - tender.amount_minor, currency),
        }
        return {"cash_details": cash}
    if tender.method == "external":
        return {"external_details": {"type": "OTHER_GIFT_CARD", "source": "Town voucher"}}
    return {}


def _buyer(sale: Sale) -> Json:
    person = sale.body.customer
    if person is None:
        return {}
    return {
        "customer_id": people.customer_id(sale.merchant, person),
        "buyer_email_address": people.email(person),
        "billing_address": people.address(sale.merchant, person),
        "shipping_address": people.address(sale.merchant, person),
        "note": f"For {people.full_name(person)}",
    }


def refund(sale: Sale, given: Refund) -> Json:
    """A whole payment refund; ``order_id`` is the return, not the sale.

    Source: Square API 2025-08-20, PaymentRefund.
    """
    merchant, currency = sale.merchant, sale.merchant.market.currency
    answer: Json = {
        "id": refund_id(merchant, given),
        "status": given.state.upper(),
        "location_id": location_id(merchant, sale.shop),
        "amount_money": money(given.amount_minor, currency),
        "order_id": order_id(sale),
        "reason": given.reason,
        "created_at": time_text(given.created_at),
        "updated_at": time_text(given.updated_at),
        "destination_type": _SOURCE_TYPES[given.method],
    }
    if given.tender is None:
        answer["unlinked"] = True
    else:
        answer["payment_id"] = payment_id(merchant, given.tender)
    if given.method == "card" and given.state == "completed":
        answer["processing_fee"] = [
            {
                "effective_at": time_text(given.created_at + HOUR),
                "type": "INITIAL",
                "amount_money": money(-divide_half_even(given.amount_minor * 26, 1_000), currency),
            }
        ]
    return answer
