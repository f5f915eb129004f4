"""The bakery chains that sell with this vendor: one country with tax in the price, one with tax on top."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

from sandbox.clock import Instant
from sandbox.pricing import Tax
from sandbox.world import UNITED_STATES, Chain, Market, Merchant, Shop

Generation: TypeAlias = Literal["V1", "V2"]

_REDUCED = Tax("BTW6", "BTW 6%", 6_000, True)
_MIDDLE = Tax("BTW12", "BTW 12%", 12_000, True)
_FULL = Tax("BTW21", "BTW 21%", 21_000, True)

# Belgium, because the vendor documents that cash is rounded to 5 cents there.
BELGIUM = Market(
    country="BE",
    currency="EUR",
    exponent=2,
    language="nl-BE",
    bread_taxes=(_REDUCED,),
    drink_taxes=(_FULL,),
    charge_taxes=(_FULL,),
    special_taxes=(_MIDDLE,),
    cash_step_minor=5,
    tips_rate=0.1,
    has_surcharge=False,
    is_tax_in_gross=True,
    weight_unit="METRIC_KILOGRAM",
    price_factor=95,
)

_BRUSSELS, _NEW_YORK, _CHICAGO = "Europe/Brussels", "America/New_York", "America/Chicago"
_RIVER_TOWNS = (("Mill Race", _NEW_YORK), ("Ferry Landing", _CHICAGO))
_GRAND_TOWNS = (
    *_RIVER_TOWNS,
    ("Quarry Road", _NEW_YORK),
    ("Orchard Corner", _NEW_YORK),
    ("Levee Street", _CHICAGO),
    ("Beacon Steps", _NEW_YORK),
)

CHAINS: dict[str, tuple[Chain, ...]] = {
    "demo": (
        ("Bakkerij Zonnebloem", BELGIUM, (("Graanmarkt", _BRUSSELS),)),
        ("Three Rivers Baking", UNITED_STATES, _RIVER_TOWNS),
    ),
    "small": (
        ("Broodhuis De Es", BELGIUM, (("Kerkplein", _BRUSSELS),)),
        ("Maple & Rye", UNITED_STATES, _RIVER_TOWNS),
    ),
    "many": (
        ("Kleine Korst", BELGIUM, (("Dorpsstraat", _BRUSSELS),)),
        ("Corner Crumb", UNITED_STATES, _RIVER_TOWNS[:1]),
    ),
    "one": (("Grand River Bakehouse", UNITED_STATES, _GRAND_TOWNS),),
}

# Local times, in minutes after midnight, at which the shops of a chain begin their business day, in turn.
_DAY_STARTS = (5 * 60 + 30, 4 * 60)


def place_of(merchant: Merchant) -> int:
    """The chain's place among those of this vendor, from 0."""
    return int(merchant.key.rpartition("-")[2])


def shop_place(shop: Shop) -> int:
    """The shop's place in its chain, from 0."""
    return int(shop.key.rpartition("-")[2])


def generation(merchant: Merchant) -> Generation:
    """Which of the vendor's two token services the chain's client belongs to."""
    return "V1" if place_of(merchant) % 2 == 0 else "V2"


def day_start_minutes(shop: Shop) -> int:
    """Local minutes after midnight at which the shop's business day begins."""
    return _DAY_STARTS[shop_place(shop) % len(_DAY_STARTS)]


def opened_at(merchant: Merchant, shop: Shop) -> Instant:
    """When the business location came into being: just before the books, every second shop a week later."""
    day = merchant.first_day + timedelta(days=-2 if shop_place(shop) % 2 == 0 else 7)
    return shop.local(day, 0, day_start_minutes(shop) * 60)
