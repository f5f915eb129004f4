"""Square's identifiers, money and times, made from the world's records."""

from __future__ import annotations

from typing import Any

from sandbox.clock import Instant, format_instant
from sandbox.ids import opaque, upper
from sandbox.pricing import WHOLE
from sandbox.sales import Refund, Sale, Tender
from sandbox.world import Merchant, Shop

Json = dict[str, Any]


def merchant_id(merchant: Merchant) -> str:
    """Account id."""
    return "ML" + upper(11, merchant.seed, "merchant", merchant.key)


def access_token(merchant: Merchant) -> str:
    """The account's bearer token; says what it is."""
    return f"sandbox-token-{merchant.key}-{upper(8, merchant.seed, 'token', merchant.key).lower()}"


def location_id(merchant: Merchant, shop: Shop) -> str:
    """Location id."""
    return "L" + upper(12, merchant.seed, "location", shop.key)


def order_id(sale: Sale) -> str:
    """Order id."""
    return opaque(27, sale.merchant.seed, "order", sale.key) + "ZY"


def payment_id(merchant: Merchant, tender: Tender) -> str:
    """Payment id, also that of the tender."""
    return opaque(27, merchant.seed, "payment", tender.key) + "ZY"


def refund_suffix(merchant: Merchant, refund: Refund) -> str:
    """What an order calls its refund."""
    return opaque(42, merchant.seed, "refund", refund.key)


def refund_id(merchant: Merchant, refund: Refund) -> str:
    """What the refunds API calls it: the suffix behind the payment's id, if there is a payment."""
    suffix = refund_suffix(merchant, refund)
    if refund.tender is None:
        return suffix
    return f"{payment_id(merchant, refund.tender)}_{suffix}"


def catalog_id(merchant: Merchant, kind: str, key: str) -> str:
    """Catalogue object id; ``kind`` tells an item from its variation."""
    return upper(24, merchant.seed, "catalog", merchant.key, kind, key)


def uid(sale: Sale, *what: object) -> str:
    """Identifier of something inside an order."""
    return opaque(22, sale.merchant.seed, "order-uid", sale.key, *what)


def money(amount_minor: int, currency: str) -> Json:
    """A Money object, in the currency's smallest unit."""
    return {"amount": amount_minor, "currency": currency}


def time_text(instant: Instant) -> str:
    """A timestamp; the vendor mixes 0 to 3 digits of fraction, and so does this."""
    return format_instant(instant, is_trimmed=(instant // 1_000 + instant) % 2 == 1)


def second_text(instant: Instant) -> str:
    """A timestamp without a fraction, as tenders have it."""
    return format_instant(instant // 1_000 * 1_000, is_trimmed=True)


def rate_text(rate: int) -> str:
    """A percentage, from thousandths of a percent."""
    whole, rest = divmod(rate, 1_000)
    return f"{whole}.{rest:03d}".rstrip("0").ljust(len(str(whole)) + 2, "0")


def quantity_text(quantity: int, *, is_weighed: bool) -> str:
    """A quantity from thousandths: five places when weighed, no places otherwise."""
    whole, rest = divmod(quantity, WHOLE)
    return f"{whole}.{rest:03d}00" if is_weighed else str(whole)
