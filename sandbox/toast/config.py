"""What a restaurant has configured: discounts, service charges, taxes and the other named things.

Source: Toast configuration API 2.5.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.clock import DAY, HOUR, WORLD_END, Instant
from sandbox.toast.names import Json, config_guid, number, rate_number
from sandbox.toast.records import TaxRate
from sandbox.world import Merchant, Shop

STATE = TaxRate("state", "State Sales Tax", rate=6_250)
CITY = TaxRate("city", "City Meals Tax", rate=750)
HOUSE = TaxRate("house", "Counter Tax, included", rate=8_000)
BAG = TaxRate("bag", "Bag Fee", fixed_minor=10)
MARKETPLACE = TaxRate("marketplace", "Marketplace Facilitator Tax", rate=7_000, is_remitted=True)
TAXES = {tax.key: tax for tax in (STATE, CITY, HOUSE, BAG, MARKETPLACE)}

KINDS = {
    "discounts": "Discount",
    "serviceCharges": "ServiceCharge",
    "salesCategories": "SalesCategory",
    "diningOptions": "DiningOption",
    "revenueCenters": "RevenueCenter",
    "alternatePaymentTypes": "AlternatePaymentType",
    "taxRates": "TaxRate",
    "voidReasons": "VoidReason",
}


@dataclass(frozen=True, slots=True)
class DiscountRule:
    """A configured discount; ``rate`` in thousandths of a percent."""

    name: str
    type: str
    place: str
    rate: int | None = None
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ChargeRule:
    """A configured service charge; ``rate`` in thousandths of a percent."""

    name: str
    type: str
    category: str | None = "SERVICE_CHARGE"
    is_gratuity: bool = False
    rate: int | None = None
    amount_minor: int | None = None
    taxes: tuple[TaxRate, ...] = ()


DISCOUNTS = {
    "dayold": DiscountRule("Baked Yesterday", "PERCENT", "ITEM", rate=30_000),
    "sorry": DiscountRule("With Apologies", "OPEN_FIXED", "ITEM"),
    "bogo": DiscountRule("Second Roll Free", "BOGO", "BOGO"),
    "staff": DiscountRule("Staff", "PERCENT", "CHECK", rate=12_500),
    "voucher": DiscountRule("Newsletter Voucher", "FIXED", "CHECK", amount_minor=100),
    "loyalty": DiscountRule("Loyalty Reward", "FIXED", "CHECK", amount_minor=500),
    "house": DiscountRule("On The House", "PERCENT", "CHECK", rate=100_000),
}
CHARGES = {
    "gratuity": ChargeRule("Party Of Six", "PERCENT", is_gratuity=True, rate=18_000),
    "delivery": ChargeRule("Delivery", "FIXED", amount_minor=495, taxes=(STATE,)),
    "catering": ChargeRule("Catering Setup", "PERCENT", category=None, rate=10_000, taxes=(STATE, CITY)),
    "surcharge": ChargeRule("Card Surcharge", "PERCENT", category="CREDIT_CARD_SURCHARGE", rate=3_000),
    "fundraiser": ChargeRule("Food Bank", "OPEN", category="FUNDRAISING_CAMPAIGN"),
    "rounding": ChargeRule("Cash Rounding", "OPEN", category="CASH_ROUNDING"),
    # No category of the documented ones: the vendor announces new values.
    "packaging": ChargeRule("Packaging Return", "FIXED", category="PACKAGING_DEPOSIT", amount_minor=75),
}
_NAMES: dict[str, dict[str, str]] = {
    "discounts": {key: rule.name for key, rule in DISCOUNTS.items()},
    "serviceCharges": {key: rule.name for key, rule in CHARGES.items()},
    "diningOptions": {
        "counter": "Counter", "table": "Table", "takeout": "Takeout", "delivery": "Delivery",
    },
    "revenueCenters": {"front": "Front Counter", "online": "Online"},
    "alternatePaymentTypes": {"marketplace": "Harbor Eats", "cheque": "Paper Check"},
    "taxRates": {key: tax.name for key, tax in TAXES.items()},
    "voidReasons": {"mistake": "Rung Up Wrongly", "returned": "Sent Back"},
}  # fmt: skip
_BEHAVIOURS = {"counter": "DINE_IN", "table": "DINE_IN", "takeout": "TAKE_OUT", "delivery": "DELIVERY"}
_FIRST_AT = WORLD_END - 60 * DAY


class Configuration:
    """What a merchant's restaurants have configured, and when each thing changed last."""

    def __init__(self, merchant: Merchant) -> None:
        """Starts with everything as it was two months before the world's end."""
        self.merchant = merchant
        self.publications = 0
        self._names = {kind: dict(names) for kind, names in _NAMES.items()}
        self._names["salesCategories"] = dict(merchant.categories)
        self._changed: dict[tuple[str, str], Instant] = {}

    def name(self, kind: str, key: str) -> str:
        """What a thing is called now."""
        return self._names[kind][key]

    def rename(self, kind: str, key: str, name: str, at: Instant) -> None:
        """Publishes a new name."""
        self._names[kind][key] = name
        self._changed[kind, key] = at
        self.publications += 1

    def entries(self, kind: str, shop: Shop) -> list[tuple[str, Instant, Json]]:
        """Identifier, time of change and document of everything of one kind, by identifier.

        What is not set is left out.
        """
        made: dict[str, Callable[[Shop, str, Json], None]] = {
            "discounts": self._discount,
            "serviceCharges": self._charge,
            "diningOptions": self._dining,
            "taxRates": self._tax,
        }
        found = []
        for place, (key, name) in enumerate(self._names[kind].items()):
            document: Json = {
                "guid": config_guid(self.merchant, shop, kind, key),
                "entityType": KINDS[kind],
                "name": name,
            }
            if kind in made:
                made[kind](shop, key, document)
            at = self._changed.get((kind, key), _FIRST_AT + place * HOUR)
            told = {word: value for word, value in document.items() if value is not None}
            found.append((str(document["guid"]), at, told))
        return sorted(found, key=lambda each: each[0])

    def _dining(self, shop: Shop, key: str, document: Json) -> None:
        document.update(behavior=_BEHAVIOURS[key], curbside=False)

    def _tax(self, shop: Shop, key: str, document: Json) -> None:
        tax = TAXES[key]
        rate = number(tax.fixed_minor) if tax.fixed_minor else rate_number(tax.rate)
        document.update(
            isDefault=key == "state",
            rate=rate,
            type=tax.type,
            roundingType="HALF_EVEN",
            taxTable=[],
            conditionalTaxRates=[],
        )

    def _discount(self, shop: Shop, key: str, document: Json) -> None:
        rule = DISCOUNTS[key]
        document.update(
            active=True,
            type=rule.type,
            percentage=None if rule.rate is None else rate_number(rule.rate * 100),
            amount=None if rule.amount_minor is None else number(rule.amount_minor),
            selectionType=rule.place,
            nonExclusive=False,
            itemPickingPriority="LEAST_EXPENSIVE" if rule.place == "BOGO" else None,
            promoCodes=[],
        )

    def _charge(self, shop: Shop, key: str, document: Json) -> None:
        rule = CHARGES[key]
        taxes = [config_guid(self.merchant, shop, "taxRates", tax.key) for tax in rule.taxes]
        document.update(
            amountType=rule.type,
            amount=None if rule.amount_minor is None else number(rule.amount_minor),
            percent=None if rule.rate is None else rate_number(rule.rate * 100),
            gratuity=rule.is_gratuity,
            taxable=bool(rule.taxes),
            applicableTaxes=[{"guid": each, "entityType": "TaxRate"} for each in taxes],
            serviceChargeCalculation="PRE_DISCOUNT" if rule.rate is not None else None,
            destination="SERVER" if rule.is_gratuity else "RESTAURANT",
            taxInclusive=False,
            taxProrated=False,
        )
