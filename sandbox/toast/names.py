"""Toast's identifiers, numbers and times, made from the world's records."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.clock import Instant, format_instant, instant_of
from sandbox.ids import digest, upper
from sandbox.world import Merchant, Shop

Json = dict[str, Any]
EPOCH_TEXT = "1970-01-01T00:00:00.000+0000"
_DAY = timedelta(days=1)
_CLOSEOUT_HOURS = (4, 3, 5)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def guid(merchant: Merchant, *parts: object) -> str:
    """Identifier of something that belongs to a merchant."""
    # A large world has millions of them; the standard library's would take most of its time.
    text = digest(merchant.seed, merchant.key, *parts).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def group_guid(merchant: Merchant) -> str:
    """Management group of a merchant's restaurants."""
    return guid(merchant, "management-group")


def restaurant_guid(merchant: Merchant, shop: Shop) -> str:
    """Restaurant of a shop."""
    return guid(merchant, "restaurant", shop.key)


def config_guid(merchant: Merchant, shop: Shop, kind: str, key: str) -> str:
    """A configured thing; every restaurant has its own."""
    return guid(merchant, "config", shop.key, kind, key)


def multi_location_id(merchant: Merchant, key: str) -> str:
    """What a product is called in all restaurants of a group."""
    return str(500_000_000_000_000_000 + int(guid(merchant, "multi", key)[:8], 16))


def client_id(merchant: Merchant) -> str:
    """Public half of a merchant's credential."""
    return "sandbox-client-" + upper(16, merchant.seed, "client", merchant.key).lower()


def client_secret(merchant: Merchant) -> str:
    """Secret half of a merchant's credential; says what it is."""
    return f"sandbox-secret-{merchant.key}-{upper(12, merchant.seed, 'secret', merchant.key).lower()}"


def is_guid(text: str) -> bool:
    """Whether a text has the form of an identifier."""
    return _GUID.fullmatch(text) is not None


def reference(name: str, entity: str) -> Json:
    """A reference to an entity."""
    return {"guid": name, "entityType": entity, "externalId": None}


def number(minor: int) -> int | Decimal:
    """An amount of cents as a JSON number in dollars: whole dollars have no fraction."""
    return _trimmed(Decimal(minor).scaleb(-2))


def mills_number(mills: int) -> int | Decimal:
    """An amount of tenths of a cent as a JSON number in dollars."""
    return _trimmed(Decimal(mills).scaleb(-3))


def quantity_number(quantity: int) -> int | Decimal:
    """A quantity of thousandths as a JSON number."""
    return _trimmed(Decimal(quantity).scaleb(-3))


def rate_number(rate: int) -> int | Decimal:
    """A rate, from thousandths of a percent, as a fraction of one."""
    return _trimmed(Decimal(rate).scaleb(-5))


def _trimmed(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value.normalize()


def time_text(instant: Instant) -> str:
    """A time in UTC with milliseconds and an offset without a colon."""
    return format_instant(instant).replace("Z", "+0000")


def time_or_none(instant: Instant | None) -> str | None:
    """A time, or null."""
    return None if instant is None else time_text(instant)


def closeout_hour(merchant: Merchant, shop: Shop) -> int:
    """Local hour at which a restaurant's business day ends."""
    return _CLOSEOUT_HOURS[merchant.shops.index(shop) % len(_CLOSEOUT_HOURS)]


def business_date(merchant: Merchant, shop: Shop, instant: Instant) -> date:
    """The trading day of an instant: the local day, which ends at the closeout hour."""
    local = datetime.fromtimestamp(instant / 1_000, shop.zone)
    is_late = local.hour < closeout_hour(merchant, shop)
    return local.date() - _DAY if is_late else local.date()


def closeout_after(merchant: Merchant, shop: Shop, instant: Instant) -> Instant:
    """When the business day of an instant is closed out."""
    day = business_date(merchant, shop, instant) + _DAY
    hour = closeout_hour(merchant, shop)
    return instant_of(datetime(day.year, day.month, day.day, hour, tzinfo=shop.zone))


def day_number(day: date) -> int:
    """A business date as the vendor writes it: yyyymmdd."""
    return day.year * 10_000 + day.month * 100 + day.day
