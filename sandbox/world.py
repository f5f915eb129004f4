"""The seeded bakery chains: tenants, shops, prices, opening hours; no vendor, no wall clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.clock import DAY, Instant, instant_of
from sandbox.ids import stable_uuid
from sandbox.pricing import Tax
from sandbox.sales import Sale

WORLD_DAYS = 28


@dataclass(frozen=True, slots=True)
class Market:
    """A country's currency, taxes and habits."""

    country: str
    currency: str
    exponent: int
    language: str
    bread_taxes: tuple[Tax, ...]
    drink_taxes: tuple[Tax, ...]
    charge_taxes: tuple[Tax, ...]
    special_taxes: tuple[Tax, ...]
    cash_step_minor: int
    tips_rate: float
    has_surcharge: bool
    is_tax_in_gross: bool
    weight_unit: str
    price_factor: int


_STATE = Tax("state", "State sales tax", 6_250, False)
_CITY = Tax("city", "City sales tax", 1_875, False)
_BAG = Tax("bag", "Container fee inside", 2_000, True)
_REDUCED = Tax("reduced", "Ermaessigte Steuer", 7_000, True)
_FULL = Tax("full", "Volle Steuer", 19_000, True)
_JP_FOOD = Tax("food", "Shohizei", 8_000, True)
_JP_FULL = Tax("full", "Shohizei eat-in", 10_000, True)

UNITED_STATES = Market(
    country="US",
    currency="USD",
    exponent=2,
    language="en-US",
    bread_taxes=(),
    drink_taxes=(_STATE, _CITY),
    charge_taxes=(_STATE,),
    special_taxes=(_BAG,),
    cash_step_minor=5,
    tips_rate=0.55,
    has_surcharge=True,
    is_tax_in_gross=False,
    weight_unit="IMPERIAL_POUND",
    price_factor=100,
)
GERMANY = Market(
    country="DE",
    currency="EUR",
    exponent=2,
    language="de-DE",
    bread_taxes=(_REDUCED,),
    drink_taxes=(_FULL,),
    charge_taxes=(_FULL,),
    special_taxes=(_FULL,),
    cash_step_minor=1,
    tips_rate=0.15,
    has_surcharge=False,
    is_tax_in_gross=True,
    weight_unit="METRIC_KILOGRAM",
    price_factor=90,
)
JAPAN = Market(
    country="JP",
    currency="JPY",
    exponent=0,
    language="ja-JP",
    bread_taxes=(_JP_FOOD,),
    drink_taxes=(_JP_FULL,),
    charge_taxes=(_JP_FULL,),
    special_taxes=(_JP_FULL,),
    cash_step_minor=1,
    tips_rate=0.0,
    has_surcharge=False,
    is_tax_in_gross=False,
    weight_unit="METRIC_KILOGRAM",
    price_factor=150,
)


@dataclass(frozen=True, slots=True)
class ProductChange:
    """A product as it is from an instant on."""

    at: Instant
    name: str
    sku: str | None
    is_deleted: bool = False


@dataclass(slots=True)
class Product:
    """Something on the shelf, with its history; ``category_style`` is how its category is told."""

    key: str
    category: str
    variation: str
    unit_minor: int
    taxes: tuple[Tax, ...]
    is_weighed: bool
    category_style: str
    history: list[ProductChange]

    @property
    def current(self) -> ProductChange:
        """The newest state."""
        return self.history[-1]

    def at(self, instant: Instant) -> ProductChange:
        """The state at an instant, the first one for earlier instants."""
        known = [change for change in self.history if change.at <= instant]
        return known[-1] if known else self.history[0]


@dataclass(slots=True)
class Shop:
    """One shop; hours are local."""

    key: str
    name: str
    zone: ZoneInfo
    locality: str
    opens_hour: int
    closes_hour: int
    is_active: bool = True
    updated_at: Instant = 0

    def local(self, day: date, hour: int, seconds: int = 0) -> Instant:
        """The instant of a local time of day."""
        start = datetime(day.year, day.month, day.day, hour, tzinfo=self.zone)
        return instant_of(start) + seconds * 1_000

    def business_date(self, instant: Instant) -> date:
        """The local calendar day."""
        return datetime.fromtimestamp(instant / 1_000, self.zone).date()


@dataclass(slots=True)
class Merchant:
    """One account of one tenant at one point-of-sale system."""

    key: str
    pos_system: str
    seed: int
    tenant_id: str
    name: str
    market: Market
    shops: list[Shop]
    categories: dict[str, str]
    products: list[Product]
    first_day: date
    order_count: int
    sales: list[Sale] = field(default_factory=list)
    revision: int = 0
    catalog_versions: list[Instant] = field(default_factory=list)

    def catalog_version(self, instant: Instant) -> Instant:
        """Version of the whole catalogue at an instant: that of its newest change."""
        known = [version for version in self.catalog_versions if version <= instant]
        return known[-1] if known else self.catalog_versions[0]

    def product(self, key: str) -> Product:
        """The product of a key."""
        return next(product for product in self.products if product.key == key)

    def on_sale(self, instant: Instant) -> list[Product]:
        """Products that can be sold at an instant."""
        return [product for product in self.products if not product.at(instant).is_deleted]

    def change_product(self, product: Product, change: ProductChange) -> None:
        """Writes a product's new state into its history and the catalogue's."""
        product.history.append(change)
        self.catalog_versions.append(change.at)
        self.revision += 1


# name, category, variation, base price in hundredths, kind, how the category is told, has a sku
_SHELF = (
    ("Country Sourdough", "bread", "Loaf", 750, "bread", "reporting", True),
    ("Rye Mountain Loaf", "bread", "Half", 480, "bread", "reporting", True),
    ("Sunflower Roll", "bread", "Each", 95, "bread", "list", True),
    ("Butter Croissant", "pastry", "Regular", 365, "bread", "both", True),
    ("Almond Croissant", "pastry", "Regular", 445, "bread", "both", False),
    ("Cinnamon Knot", "pastry", "Regular", 410, "bread", "old", True),
    ("Plum Cake", "cake", "Slice", 525, "drink", "list", False),
    ("Carrot Cake", "cake", "Whole", 3_850, "drink", "reporting", True),
    ("Filter Coffee", "drinks", "Small", 290, "drink", "reporting", True),
    ("Flat White", "drinks", "Regular", 455, "drink", "old", True),
    ("Hot Chocolate", "drinks", "Large", 505, "drink", "list", False),
    ("Loose Cookies", "weighed", "By weight", 1_899, "weighed", "reporting", True),
    ("Cheese Straws", "weighed", "By weight", 2_450, "weighed", "none", True),
    ("Easter Wreath", "season", "Regular", 1_450, "bread", "reporting", True),
    ("Winter Stollen", "season", "Regular", 1_875, "bread", "reporting", True),
)

_CATEGORIES = {
    "bread": "Bread & rolls",
    "pastry": "Pastry",
    "cake": "Cakes",
    "drinks": "Drinks",
    "weighed": "By weight",
    "season": "Seasonal",
}

_US_TOWNS = (
    ("Fulton Street", "America/New_York"),
    ("Prospect Corner", "America/New_York"),
    ("Canal Bridge", "America/New_York"),
    ("Harbor Walk", "America/New_York"),
    ("Elm & Third", "America/New_York"),
    ("Mill Pond", "America/New_York"),
    ("Union Depot", "America/New_York"),
    ("Lakeshore", "America/Chicago"),
    ("Old Loop", "America/Chicago"),
    ("River North Counter", "America/Chicago"),
    ("Grain Elevator", "America/Chicago"),
    ("Prairie Kiosk (closed)", "America/Chicago"),
)

_DE_TOWNS = (("Am Markt", "Europe/Berlin"), ("Bahnhofsweg", "Europe/Berlin"))
_WEST_TOWNS = (("Juniper Lane", "America/Los_Angeles"),)
_JP_TOWNS = (("Kawabata", "Asia/Tokyo"),)

Chain = tuple[str, Market, tuple[tuple[str, str], ...]]
"""Name, market, and the shops, each with its IANA zone."""
CHAINS: dict[str, tuple[Chain, ...]] = {
    "demo": (
        ("Hearth & Crumb Bakeries", UNITED_STATES, _US_TOWNS),
        ("Backhaus Morgenrot", GERMANY, _DE_TOWNS),
        ("Juniper Lane Bread", UNITED_STATES, _WEST_TOWNS),
    ),
    "small": (
        ("Corner Oven", UNITED_STATES, _US_TOWNS[6:8]),
        ("Brotstube Linde", GERMANY, _DE_TOWNS[:1]),
    ),
    "many": (
        ("Little Oven", UNITED_STATES, _WEST_TOWNS),
        ("Kleine Backstube", GERMANY, _DE_TOWNS[:1]),
        ("Kobo Panya", JAPAN, _JP_TOWNS),
    ),
    "one": (("Great Oven", UNITED_STATES, _US_TOWNS),),
}


def make_merchant(
    seed: int, pos_system: str, index: int, chain: Chain, order_count: int, end_at: Instant
) -> Merchant:
    """A chain before its first sale.

    Args:
        seed: of the world.
        pos_system: whose account this is.
        index: of the merchant among those of its point-of-sale system, from 0.
        chain: name, market and shops.
        order_count: sales it has made when the world ends.
        end_at: the world's present.
    """
    name, market, towns = chain
    key = f"{pos_system}-{index}"
    last_day = datetime.fromtimestamp(end_at / 1_000, ZoneInfo("UTC")).date()
    shops = [
        Shop(
            key=f"{key}-shop-{place}",
            name=town,
            zone=ZoneInfo(zone),
            locality=town.split()[0],
            opens_hour=6 if market is not UNITED_STATES else 7,
            closes_hour=18 if market is not UNITED_STATES else 22,
            is_active="(closed)" not in town,
            updated_at=end_at - 90 * DAY,
        )
        for place, (town, zone) in enumerate(towns)
    ]
    created_at = end_at - 60 * DAY
    merchant = Merchant(
        key=key,
        pos_system=pos_system,
        seed=seed,
        tenant_id=stable_uuid(seed, "tenant", key),
        name=name if index < 3 else f"{name} {index}",
        market=market,
        shops=shops,
        categories=dict(_CATEGORIES),
        products=[_make_product(market, row, created_at) for row in enumerate(_SHELF)],
        first_day=last_day - timedelta(days=WORLD_DAYS),
        order_count=order_count,
        catalog_versions=[created_at + place * 1_733 for place in range(len(_SHELF))],
    )
    _rework_shelf(merchant, end_at)
    return merchant


def _make_product(
    market: Market, row: tuple[int, tuple[str, str, str, int, str, str, bool]], created_at: Instant
) -> Product:
    place, (name, category, variation, base, kind, style, has_sku) = row
    # Prices end in 0 or 5 where the factor is not 100; a yen has no hundredths.
    unit = base if market.price_factor == 100 else base * market.price_factor // 500 * 5
    sku = f"BK-{place + 101}" if has_sku else None
    return Product(
        key=f"product-{place}",
        category=category,
        variation=variation,
        unit_minor=unit,
        taxes=market.drink_taxes if kind == "drink" else market.bread_taxes,
        is_weighed=kind == "weighed",
        category_style=style,
        history=[ProductChange(created_at + place * 1_733, name, sku)],
    )


def _rework_shelf(merchant: Merchant, end_at: Instant) -> None:
    """A rename with a new sku and a deletion in the past: versions matter from the start."""
    renamed, deleted = merchant.product("product-2"), merchant.product("product-14")
    merchant.change_product(
        deleted,
        ProductChange(end_at - 16 * DAY + 417, deleted.current.name, deleted.current.sku, True),
    )
    merchant.change_product(renamed, ProductChange(end_at - 11 * DAY + 250, "Sunflower Seed Roll", "BK-203"))
