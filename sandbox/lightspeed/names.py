"""The vendor's identifiers, amounts and times, made from the world's records."""

from __future__ import annotations

import base64
from decimal import Decimal
from functools import lru_cache
from typing import Any

import simplejson

from sandbox.clock import Instant, format_instant
from sandbox.ids import digest
from sandbox.lightspeed.chains import shop_place
from sandbox.world import Merchant, Shop

Json = dict[str, Any]
MICRO_PLACES = 6
# Millionths in a hundredth of the currency.
PER_MINOR = 10_000
BACK_OFFICE = 9


def encode(document: object) -> bytes:
    """A document as the vendor sends it: compact, in ASCII, decimals digit by digit."""
    text: str = simplejson.dumps(document, use_decimal=True, separators=(",", ":"))
    return text.encode()


@lru_cache(16_384)
def number_of(digits: int, *parts: object) -> int:
    """An identifying number of exactly that many digits."""
    low: int = 10 ** (digits - 1)
    return low + int.from_bytes(digest(*parts)[:8]) % (9 * low)


def business_id(merchant: Merchant) -> int:
    """Number of a business, which is the account."""
    return number_of(8, merchant.seed, "business", merchant.key)


def location_id(merchant: Merchant, shop: Shop) -> int:
    """Number of a business location; too long for 32 bits."""
    return number_of(15, merchant.seed, "location", shop.key)


def device_id(merchant: Merchant, shop: Shop, place: int) -> int:
    """Number of a till, or of the back office (place 9)."""
    return number_of(4, merchant.seed, "devices", merchant.key) * 100 + shop_place(shop) * 10 + place


def device_name(place: int) -> str:
    """Name of a till, or of the back office."""
    return "BackOffice" if place == BACK_OFFICE else f"iPad{place + 1}"


def reference(*parts: object) -> str:
    """A UUID in the vendor's spelling: base64 for URLs, with its padding."""
    return base64.urlsafe_b64encode(digest(*parts)[:16]).decode()


def time_text(instant: Instant) -> str:
    """A timestamp in UTC; a whole second has no fraction."""
    text = format_instant(instant)
    return text.replace(".000Z", "Z")


def micro_text(micro: int) -> str:
    """An amount from millionths: two places, up to six where it has them."""
    exact = Decimal(micro).scaleb(-MICRO_PLACES)
    short = exact.quantize(Decimal("0.01"))
    return format(short if short == exact else exact.normalize(), "f")


def minor_text(minor: int) -> str:
    """An amount from hundredths."""
    return micro_text(minor * PER_MINOR)


def quantity_text(quantity: int) -> str:
    """A quantity from thousandths, always with three places."""
    return str(Decimal(quantity).scaleb(-3))


def rate_multiplier(rate: int) -> str:
    """What a tax multiplies a price by, from thousandths of a percent: 1.06 for 6 %."""
    return format((Decimal(100_000 + rate).scaleb(-5)).normalize(), "f")


def rate_percentage(rate: int) -> str:
    """A percentage with two places, from thousandths of a percent."""
    return str(Decimal(rate).scaleb(-3).quantize(Decimal("0.01")))
