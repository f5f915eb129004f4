"""What a basket costs: exact integer arithmetic in the currency's smallest unit.

Rates are applied with banker's rounding to the sum they concern, then spread over the lines so that
the shares add up to it. Quantities are thousandths, rates thousandths of a percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

WHOLE = 1_000
RATE_BASE = 100_000


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax: its rate in thousandths of a percent, inside the price or on top."""

    key: str
    name: str
    rate: int
    is_inclusive: bool


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on one line (``line_uid``) or on the whole order, by rate or by amount."""

    key: str
    name: str
    rate: int | None = None
    amount_minor: int | None = None
    line_uid: str | None = None
    is_from_catalog: bool = False


@dataclass(slots=True)
class Modifier:
    """An extra on a line; ``total_minor`` is for all pieces of the line."""

    uid: str
    key: str
    name: str
    unit_minor: int
    count: int
    total_minor: int
    source_uid: str | None = None


@dataclass(slots=True)
class Line:
    """One line of a basket, with what the basket's pricing gave it."""

    uid: str
    kind: Literal["product", "custom_amount", "gift_card"]
    quantity: int
    unit_minor: int
    variation_minor: int
    product_key: str | None = None
    name: str | None = None
    variation_name: str | None = None
    catalog_version: int | None = None
    is_weighed: bool = False
    note: str | None = None
    source_uid: str | None = None
    taxes: tuple[Tax, ...] = ()
    modifiers: list[Modifier] = field(default_factory=list)
    discount_shares: dict[str, int] = field(default_factory=dict)
    tax_shares: dict[str, int] = field(default_factory=dict)
    charge_shares: dict[str, int] = field(default_factory=dict)

    @property
    def list_minor(self) -> int:
        """Price as listed, extras included."""
        return self.variation_minor + sum(each.total_minor for each in self.modifiers)

    @property
    def discount_minor(self) -> int:
        """What was taken off."""
        return sum(self.discount_shares.values())

    @property
    def charge_minor(self) -> int:
        """Service charges spread into this line."""
        return sum(self.charge_shares.values())

    @property
    def inclusive_tax_minor(self) -> int:
        """Tax inside the listed price."""
        return sum(self.tax_shares.get(tax.key, 0) for tax in self.taxes if tax.is_inclusive)

    @property
    def tax_minor(self) -> int:
        """All tax of the line."""
        return sum(self.tax_shares.values())

    @property
    def net_minor(self) -> int:
        """Goods after discounts, without tax and charges."""
        return self.list_minor - self.discount_minor - self.inclusive_tax_minor

    @property
    def total_minor(self) -> int:
        """What the line adds to the bill."""
        return self.net_minor + self.tax_minor + self.charge_minor


@dataclass(slots=True)
class Charge:
    """A service charge; apportioned ones are collected in the lines."""

    key: str
    name: str
    is_gratuity: bool = False
    is_apportioned: bool = False
    rate: int | None = None
    amount_minor: int | None = None
    applied_minor: int = 0
    taxes: tuple[Tax, ...] = ()
    tax_shares: dict[str, int] = field(default_factory=dict)
    source_key: str | None = None

    @property
    def tax_minor(self) -> int:
        """All tax of the charge."""
        return sum(self.tax_shares.values())

    @property
    def net_minor(self) -> int:
        """The charge without its tax."""
        inside = sum(self.tax_shares.get(tax.key, 0) for tax in self.taxes if tax.is_inclusive)
        return self.applied_minor - inside

    @property
    def total_minor(self) -> int:
        """The charge with its tax."""
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Amounts:
    """A document's money in the words of the normalised tables, in the smallest unit."""

    net: int = 0
    discount: int = 0
    tax: int = 0
    service_charge: int = 0
    tip: int = 0
    rounding: int = 0
    non_sales: int = 0

    @property
    def gross(self) -> int:
        """Net sales plus discounts."""
        return self.net + self.discount

    @property
    def total(self) -> int:
        """What the customer owes."""
        parts = (self.net, self.tax, self.service_charge, self.tip, self.rounding, self.non_sales)
        return sum(parts)

    def minus(self, other: Amounts) -> Amounts:
        """These amounts less the other ones."""
        return Amounts(
            net=self.net - other.net,
            discount=self.discount - other.discount,
            tax=self.tax - other.tax,
            service_charge=self.service_charge - other.service_charge,
            tip=self.tip - other.tip,
            rounding=self.rounding - other.rounding,
            non_sales=self.non_sales - other.non_sales,
        )


@dataclass(slots=True)
class Basket:
    """What one document sells, or gives back, and what it costs."""

    lines: list[Line] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    tip_minor: int = 0
    surcharge_minor: int = 0
    rounding_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What the customer owes, tip, surcharge and rounding included."""
        lines = sum(line.total_minor for line in self.lines)
        charges = sum(each.total_minor for each in self.charges if not each.is_apportioned)
        return lines + charges + self.tip_minor + self.surcharge_minor + self.rounding_minor

    def amounts(self) -> Amounts:
        """The basket's money by its meaning."""
        goods = [line for line in self.lines if line.kind != "gift_card"]
        cards = [line for line in self.lines if line.kind == "gift_card"]
        gratuity = sum(each.net_minor for each in self.charges if each.is_gratuity)
        charges = sum(each.net_minor for each in self.charges if not each.is_gratuity)
        tax = sum(line.tax_minor for line in self.lines)
        return Amounts(
            net=sum(line.net_minor for line in goods),
            discount=sum(line.discount_minor for line in self.lines),
            tax=tax + sum(each.tax_minor for each in self.charges),
            service_charge=charges + self.surcharge_minor,
            tip=self.tip_minor + gratuity,
            rounding=self.rounding_minor,
            non_sales=sum(line.total_minor for line in cards),
        )

    def price(self) -> Basket:
        """Works out discounts, charges and taxes, in that order, and answers the basket."""
        for discount in self.discounts:
            self._take_off(discount)
        for charge in self.charges:
            self._add_charge(charge)
        taxes = {tax.key: tax for line in self.lines for tax in line.taxes}
        for tax in taxes.values():
            taxed = [line for line in self.lines if tax in line.taxes]
            bases = [line.list_minor - line.discount_minor for line in taxed]
            for line, share in zip(taxed, spread(tax_of(sum(bases), tax), bases), strict=True):
                line.tax_shares[tax.key] = share
        return self

    def _take_off(self, discount: Discount) -> None:
        chosen = [
            line for line in self.lines if line.kind != "gift_card" and discount.line_uid in (None, line.uid)
        ]
        bases = [line.list_minor - line.discount_minor for line in chosen]
        wanted = discount.amount_minor or 0
        if discount.rate is not None:
            wanted = divide_half_even(sum(bases) * discount.rate, RATE_BASE)
        shares = spread(min(wanted, sum(bases)), bases)
        for line, share in zip(chosen, shares, strict=True):
            line.discount_shares[discount.key] = share

    def _add_charge(self, charge: Charge) -> None:
        goods = [line for line in self.lines if line.kind != "gift_card"]
        bases = [line.list_minor - line.discount_minor for line in goods]
        charge.applied_minor = charge.amount_minor or 0
        if charge.rate is not None:
            charge.applied_minor = divide_half_even(sum(bases) * charge.rate, RATE_BASE)
        charge.tax_shares = {tax.key: tax_of(charge.applied_minor, tax) for tax in charge.taxes}
        if charge.is_apportioned:
            for line, share in zip(goods, spread(charge.applied_minor, bases), strict=True):
                line.charge_shares[charge.key] = share


def divide_half_even(numerator: int, denominator: int) -> int:
    """Divides and rounds to the nearest integer, halves to the even one.

    Args:
        numerator: any integer.
        denominator: a positive integer.
    """
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    is_up = twice > denominator or (twice == denominator and quotient % 2 == 1)
    return quotient + 1 if is_up else quotient


def tax_of(base_minor: int, tax: Tax) -> int:
    """Tax on, or inside, an amount."""
    divisor = RATE_BASE + tax.rate if tax.is_inclusive else RATE_BASE
    return divide_half_even(base_minor * tax.rate, divisor)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Splits an amount in proportion to weights so that the shares add up to it.

    Args:
        total: what to split, not negative.
        weights: not negative; when all are 0 the first takes everything.

    Returns:
        One share per weight; the largest remainders get the units left over, earlier ones first.
    """
    whole = sum(weights)
    if whole == 0:
        return [total if place == 0 else 0 for place in range(len(weights))]
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in order[: total - sum(shares)]:
        shares[place] += 1
    return shares


def round_to_step(amount_minor: int, step_minor: int) -> int:
    """What has to be added so that the amount can be paid in coins of the step."""
    return divide_half_even(amount_minor, step_minor) * step_minor - amount_minor


def part_of(line: Line, count: int, uid: str) -> Line:
    """A line that gives back some pieces of another one.

    Args:
        line: the line sold.
        count: whole pieces given back; all of them when the line was weighed.
        uid: of the new line.
    """
    quantity = line.quantity if line.is_weighed else min(count * WHOLE, line.quantity)

    def share(minor: int) -> int:
        return divide_half_even(minor * quantity, line.quantity)

    modifiers = [
        Modifier(
            uid=f"{uid}-{place}",
            key=each.key,
            name=each.name,
            unit_minor=each.unit_minor,
            count=each.count,
            total_minor=share(each.total_minor),
            source_uid=each.uid,
        )
        for place, each in enumerate(line.modifiers)
    ]
    return Line(
        uid=uid,
        kind=line.kind,
        quantity=quantity,
        unit_minor=line.unit_minor,
        variation_minor=share(line.variation_minor),
        product_key=line.product_key,
        name=line.name,
        variation_name=line.variation_name,
        catalog_version=line.catalog_version,
        is_weighed=line.is_weighed,
        source_uid=line.uid,
        taxes=line.taxes,
        modifiers=modifiers,
        discount_shares={key: share(minor) for key, minor in line.discount_shares.items()},
        tax_shares={key: share(minor) for key, minor in line.tax_shares.items()},
        charge_shares={key: share(minor) for key, minor in line.charge_shares.items()},
    )
