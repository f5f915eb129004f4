"""Orders as the vendor writes them: keys are missing rather than null."""

from __future__ import annotations

from sandbox.pricing import Basket, Charge
from sandbox.sales import Refund, ReturnPart, Sale, Tender
from sandbox.square import lines, people
from sandbox.square.names import (
    Json,
    location_id,
    money,
    order_id,
    payment_id,
    refund_suffix,
    second_text,
    time_text,
    uid,
)

# Not in any version of the vendor's enum yet: enums are open.
FUTURE_TENDER_TYPE = "BREAD_POINTS"

TENDER_TYPES = {
    "card": "CARD",
    "cash": "CASH",
    "gift_card": "SQUARE_GIFT_CARD",
    "external": "OTHER",
    "wallet": "WALLET",
    "drawer": "NO_SALE",
    "future": FUTURE_TENDER_TYPE,
}
_TENDER_STATES = {"captured": "CAPTURED", "authorized": "AUTHORIZED", "voided": "VOIDED"}
_REFUND_STATES = {
    "pending": "PENDING",
    "completed": "APPROVED",
    "rejected": "REJECTED",
    "failed": "FAILED",
}


def order(sale: Sale) -> Json:
    """A whole order.

    Source: Square API 2025-08-20, Order; card surcharges as answered since 2026.
    """
    body = sale.body
    answer: Json = {"id": order_id(sale), "location_id": location_id(sale.merchant, sale.shop)}
    if body.customer is not None:
        answer["customer_id"] = people.customer_id(sale.merchant, body.customer)
    if sale.kind != "return" and not body.is_bare:
        answer.update(_goods(sale, body.basket))
    answer["created_at"] = time_text(sale.opened_at)
    answer["updated_at"] = time_text(sale.updated_at)
    answer["state"] = sale.state.upper()
    if sale.has_version:
        answer["version"] = sale.version
    if sale.kind != "return":
        answer.update(_totals(sale, body.basket))
    elif sale.number % 3 == 2:
        answer["total_money"] = money(0, sale.merchant.market.currency)
    if sale.closed_at is not None:
        answer["closed_at"] = time_text(sale.closed_at)
    if body.tenders:
        answer["tenders"] = [_tender(sale, each) for each in body.tenders]
    if body.returns:
        answer["returns"] = [_return(sale, each) for each in body.returns]
        answer["return_amounts"] = _amounts(sale, *(part.basket for part in body.returns))
    if body.refunds:
        answer["refunds"] = [_refund(sale, place, each) for place, each in enumerate(body.refunds)]
    answer.update(_net_amounts(sale))
    answer.update(_extras(sale))
    return answer


def source_name(sale: Sale) -> str | None:
    """Which application made an order; a till has no name."""
    return "Bakery Web Shop" if sale.recipe.startswith("pickup") else None


def fulfillment_state(sale: Sale) -> str | None:
    """How far a pickup has come; None for a sale over the counter."""
    pickup = sale.body.pickup
    if pickup is None:
        return None
    return "PROPOSED" if pickup.handed_over_at is None else "COMPLETED"


def _has_surcharge_keys(sale: Sale) -> bool:
    """Some answers still have the shape from before 2026."""
    return sale.recipe == "surcharge" or sale.number % 9 != 0


def _goods(sale: Sale, basket: Basket) -> Json:
    has_key = _has_surcharge_keys(sale)
    goods: Json = {
        "line_items": [
            lines.line_item(sale, each, is_return=False, has_surcharge_key=has_key) for each in basket.lines
        ]
    }
    if taxes := lines.taxes(sale, basket):
        goods["taxes"] = taxes
    if basket.discounts:
        goods["discounts"] = lines.discounts(sale, basket)
    if basket.charges:
        goods["service_charges"] = [lines.service_charge(sale, each) for each in basket.charges]
    if basket.rounding_minor:
        goods["rounding_adjustment"] = _rounding(sale, basket)
    return goods


def _rounding(sale: Sale, basket: Basket) -> Json:
    return {
        "uid": uid(sale, "rounding"),
        "name": "Cash rounding",
        "amount_money": money(basket.rounding_minor, sale.merchant.market.currency),
    }


def _tax(basket: Basket) -> int:
    return sum(x.tax_minor for x in basket.lines) + sum(x.tax_minor for x in basket.charges)


def _totals(sale: Sale, basket: Basket) -> Json:
    currency = sale.merchant.market.currency
    charges = sum(each.applied_minor for each in basket.charges)
    totals = {
        "total_tax_money": money(_tax(basket), currency),
        "total_discount_money": money(sum(x.discount_minor for x in basket.lines), currency),
        "total_tip_money": money(basket.tip_minor, currency),
        "total_money": money(basket.total_minor, currency),
        "total_service_charge_money": money(charges, currency),
    }
    if _has_surcharge_keys(sale):
        totals["total_card_surcharge_money"] = money(basket.surcharge_minor, currency)
    return totals


def _amounts(sale: Sale, *baskets: Basket, less: tuple[Basket, ...] = ()) -> Json:
    """A collection of amounts: the sum of baskets, less others."""
    currency = sale.merchant.market.currency
    signed = [(1, basket) for basket in baskets] + [(-1, basket) for basket in less]
    sums = {
        "total_money": sum(sign * basket.total_minor for sign, basket in signed),
        "tax_money": sum(sign * _tax(basket) for sign, basket in signed),
        "discount_money": sum(sign * line.discount_minor for sign, basket in signed for line in basket.lines),
        "tip_money": sum(sign * basket.tip_minor for sign, basket in signed),
        "service_charge_money": sum(
            sign * charge.applied_minor for sign, basket in signed for charge in basket.charges
        ),
    }
    if _has_surcharge_keys(sale):
        sums["card_surcharge_money"] = sum(x * basket.surcharge_minor for x, basket in signed)
    return {key: money(minor, currency) for key, minor in sums.items()}


def _net_amounts(sale: Sale) -> Json:
    """Net amounts and what is still due; some returns and invoices come without them."""
    is_short = sale.kind == "return" and sale.number % 3 == 0
    if is_short or (sale.recipe == "custom_amount" and sale.number % 2):
        return {}
    body, currency = sale.body, sale.merchant.market.currency
    given_back = tuple(part.basket for part in body.returns)
    captured = any(tender.state == "captured" for tender in body.tenders)
    is_due = sale.kind == "sale" and sale.state != "completed" and not captured
    due = body.basket.total_minor if is_due else 0
    return {
        "net_amounts": _amounts(sale, body.basket, less=given_back),
        "net_amount_due_money": money(due, currency),
    }


def _extras(sale: Sale) -> Json:
    """Source, notes, fulfilment: what is there only now and then."""
    body, extras = sale.body, Json()
    name = source_name(sale)
    if name is not None:
        extras["source"] = {"name": name}
    elif sale.kind == "return" or sale.number % 4:
        extras["source"] = {}
    if body.note is not None:
        extras["ticket_name"] = body.note[:30]
        extras["metadata"] = {"note": body.note}
    if sale.number % 11 == 0:
        extras["reference_id"] = f"ticket-{sale.number}"
    pickup = body.pickup
    if pickup is not None:
        details: Json = {
            "recipient": people.recipient(sale.merchant, pickup.person),
            "pickup_at": time_text(pickup.pickup_at),
            "note": f"Ring for {people.full_name(pickup.person)}",
            "schedule_type": "SCHEDULED",
            "placed_at": time_text(sale.opened_at),
        }
        if pickup.handed_over_at is not None:
            details["picked_up_at"] = time_text(pickup.handed_over_at)
        extras["fulfillments"] = [
            {
                "uid": uid(sale, "pickup"),
                "type": "PICKUP",
                "state": fulfillment_state(sale),
                "pickup_details": details,
            }
        ]
    return extras


def _tender(sale: Sale, tender: Tender) -> Json:
    merchant, currency = sale.merchant, sale.merchant.market.currency
    name = payment_id(merchant, tender)
    answer: Json = {
        "id": name,
        "location_id": location_id(merchant, sale.shop),
        "transaction_id": order_id(sale),
        "created_at": second_text(tender.created_at),
        "amount_money": money(tender.total_minor, currency),
        "type": TENDER_TYPES[tender.method],
    }
    if tender.tip_minor:
        answer["tip_money"] = money(tender.tip_minor, currency)
    if sale.body.note is not None:
        answer["note"] = sale.body.note
    if sale.body.customer is not None:
        answer["customer_id"] = people.customer_id(merchant, sale.body.customer)
    if tender.method in ("card", "gift_card"):
        answer["card_details"] = {
            "status": _TENDER_STATES[tender.state],
            "card": people.card(merchant, tender),
            "entry_method": "CONTACTLESS" if sale.number % 2 else "EMV",
        }
    elif tender.method == "cash":
        handed = tender.amount_minor if tender.handed_minor is None else tender.handed_minor
        answer["cash_details"] = {
            "buyer_tendered_money": money(handed, currency),
            "change_back_money": money(handed - tender.amount_minor, currency),
        }
    if tender.method != "drawer":
        answer["payment_id"] = name
    return answer


def _return(sale: Sale, part: ReturnPart) -> Json:
    basket, currency = part.basket, sale.merchant.market.currency
    answer: Json = {"uid": part.key}
    if part.source is not None:
        answer["source_order_id"] = order_id(part.source)
    if basket.lines:
        has_key = _has_surcharge_keys(sale)
        answer["return_line_items"] = [
            lines.line_item(sale, each, is_return=True, has_surcharge_key=has_key) for each in basket.lines
        ]
    if basket.charges:
        answer["return_service_charges"] = [_returned_charge(sale, part, each) for each in basket.charges]
    if taxes := lines.taxes(sale, basket):
        answer["return_taxes"] = taxes
    if basket.discounts:
        answer["return_discounts"] = lines.discounts(sale, basket)
    if basket.tip_minor:
        answer["return_tips"] = [
            {"uid": uid(sale, "tip"), "applied_money": money(basket.tip_minor, currency)}
        ]
    if basket.rounding_minor:
        answer["rounding_adjustment"] = _rounding(sale, basket)
    if sale.number % 4:
        answer["return_amounts"] = _amounts(sale, basket)
    return answer


def _returned_charge(sale: Sale, part: ReturnPart, charge: Charge) -> Json:
    answer = lines.service_charge(sale, charge)
    if part.source is not None:
        answer["source_service_charge_uid"] = uid(part.source, "service_charge", charge.source_key)
    return answer


def _refund(sale: Sale, place: int, refund: Refund) -> Json:
    merchant, tender = sale.merchant, refund.tender
    source = sale.body.returns[place].source
    answer: Json = {
        "id": refund_suffix(merchant, refund),
        "location_id": location_id(merchant, sale.shop),
        "transaction_id": order_id(source or sale),
        "created_at": second_text(refund.created_at),
        "reason": refund.reason,
        "amount_money": money(refund.amount_minor, merchant.market.currency),
        "status": _REFUND_STATES[refund.listed_state],
    }
    if tender is not None:
        answer["tender_id"] = payment_id(merchant, tender)
    return answer
