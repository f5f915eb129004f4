"""The till: rings up lines of one account and takes money, from the account's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.ids import random_for
from sandbox.lightspeed.accounts import Account, Body, Line, Payment, TaxShare, due_minor
from sandbox.lightspeed.names import PER_MINOR
from sandbox.pricing import RATE_BASE, WHOLE, Tax, divide_half_even, round_to_step, spread
from sandbox.world import Product

PEOPLE = 40
_EXTRAS = (("Oat milk", 60), ("Extra shot", 90), ("Gift box", 150))


@dataclass(slots=True)
class Draft:
    """A line before discounts, charges and taxes are worked out.

    Args:
        list_minor: listed price of the whole line, in hundredths.
        charge_rate: thousandths of a percent.
        tax_places: to how many places each tax is worked out.
    """

    sku: str | None
    name: str
    category: str
    quantity: int
    menu_minor: int
    list_minor: int
    taxes: tuple[Tax, ...]
    parent: int | None = None
    name_override: str = ""
    line_discount: str = ""
    line_discount_minor: int = 0
    account_discount: str = ""
    account_discount_minor: int = 0
    charge_type: str = "NO_SERVICE_CHARGE"
    charge_rate: int = 0
    tax_places: int = 6
    void_reason: str = ""

    @property
    def goods_minor(self) -> int:
        """Price after discounts, tax included where the price contains it."""
        return self.list_minor - self.line_discount_minor - self.account_discount_minor


class Register:
    """Rings up one account."""

    def __init__(self, account: Account) -> None:
        """Opens the till for an account."""
        self.account = account
        self.merchant = account.merchant
        self.market = account.merchant.market
        self.random = random_for(self.merchant.seed, "account-body", account.key)
        self.drafts: list[Draft] = []

    def money(self, hundredths: int) -> int:
        """A base price at this market's level."""
        return hundredths * self.market.price_factor // 500 * 5

    def ring(
        self,
        product: Product | None = None,
        *,
        quantity: int | None = None,
        taxes: tuple[Tax, ...] | None = None,
    ) -> Draft:
        """Rings up a product.

        Args:
            product: anything that is on sale and sold by the piece when not given.
            quantity: thousandths; one to four pieces when not given.
            taxes: instead of the product's own.
        """
        chosen = product or self._any(is_weighed=False)
        amount = quantity or self.random.choices((1, 2, 3, 4), (60, 25, 10, 5))[0] * WHOLE
        state = chosen.at(self.account.opened_at)
        draft = Draft(
            sku=state.sku,
            name=state.name,
            category=self.merchant.categories[chosen.category],
            quantity=amount,
            menu_minor=chosen.unit_minor,
            list_minor=divide_half_even(chosen.unit_minor * amount, WHOLE),
            taxes=chosen.taxes if taxes is None else taxes,
        )
        self.drafts.append(draft)
        return draft

    def ring_weighed(self) -> Draft:
        """Rings up something sold by weight."""
        return self.ring(self._any(is_weighed=True), quantity=self.random.randrange(85, 1_950))

    def ring_goods(self, most: int = 4) -> None:
        """Rings up one to ``most`` lines."""
        for _ in range(self.random.randint(1, most)):
            self.ring()

    def ring_child(self, *, is_priced: bool) -> Draft:
        """Rings up an extra of the line rung up last that is no extra itself."""
        place = max(place for place, draft in enumerate(self.drafts) if draft.parent is None)
        parent = self.drafts[place]
        name, base = self.random.choice(_EXTRAS)
        unit = self.money(base) if is_priced else 0
        child = Draft(
            sku=f"EX-{base}",
            name=name,
            category="Extras",
            quantity=parent.quantity,
            menu_minor=unit,
            list_minor=divide_half_even(unit * parent.quantity, WHOLE),
            taxes=parent.taxes,
            parent=place + 1,
        )
        self.drafts.append(child)
        return child

    def take_off_account(self, name: str, rate: int) -> None:
        """Takes a percentage off the whole account, spread over its lines; rate as for taxes."""
        bases = [draft.goods_minor for draft in self.drafts]
        whole = divide_half_even(sum(bases) * rate, RATE_BASE)
        for draft, share in zip(self.drafts, spread(whole, bases), strict=True):
            draft.account_discount, draft.account_discount_minor = name, share

    def charge(self, charge_type: str, rate: int) -> None:
        """Adds a service charge to every line; rate as for taxes."""
        for draft in self.drafts:
            draft.charge_type, draft.charge_rate = charge_type, rate

    def lines(self) -> tuple[Line, ...]:
        """All lines, worked out."""
        return tuple(_finish(number, draft) for number, draft in enumerate(self.drafts, start=1))

    def body(self, payments: Sequence[Payment] | None = None) -> Body:
        """What was rung up, paid as given or in the way this customer likes."""
        lines = self.lines()
        paid = self.any_payment(lines) if payments is None else tuple(payments)
        return Body(
            lines=lines,
            payments=paid,
            covers=self.random.choice((0, 1, 1, 2)),
            is_dine_in=self.random.random() < 0.3,
        )

    def any_payment(self, lines: tuple[Line, ...]) -> tuple[Payment, ...]:
        """Cash or card, sometimes with a tip."""
        if self.random.random() < (0.6 if self.market.is_tax_in_gross else 0.35):
            return (self.cash(due_minor(lines)),)
        return (self.card(due_minor(lines), has_tip=self.random.random() < self.market.tips_rate),)

    def cash(self, due: int) -> Payment:
        """Cash for an amount, rounded to the market's coins."""
        rounding = round_to_step(due, self.market.cash_step_minor)
        return Payment(1, "CASH", due + rounding, rounding_minor=rounding)

    def card(self, due: int, *, has_tip: bool = False, surcharge_rate: int = 0) -> Payment:
        """A card payment for an amount, with a tip or a surcharge (rate as for taxes) on top."""
        tip = divide_half_even(due * self.random.choice((10, 15, 18, 20)), 100) if has_tip else 0
        surcharge = divide_half_even(due * surcharge_rate, RATE_BASE)
        person = self.random.randrange(PEOPLE) if self.random.random() < 0.3 else None
        return Payment(1, "CARD", due, tip_minor=tip, surcharge_minor=surcharge, person=person)

    def _any(self, *, is_weighed: bool) -> Product:
        shelf = self.merchant.on_sale(self.account.opened_at)
        return self.random.choice([each for each in shelf if each.is_weighed is is_weighed])


def numbered(payments: Sequence[Payment]) -> tuple[Payment, ...]:
    """Payments of one account, numbered from 1."""
    return tuple(replace(payment, number=place) for place, payment in enumerate(payments, start=1))


def _finish(number: int, draft: Draft) -> Line:
    goods = draft.goods_minor
    charge = divide_half_even(goods * draft.charge_rate, RATE_BASE)
    is_charge_taxed = draft.charge_type == "APPORTIONED"
    on_goods = [_tax_micro(goods, tax, draft.tax_places) for tax in draft.taxes]
    on_charge = [_tax_micro(charge if is_charge_taxed else 0, tax, draft.tax_places) for tax in draft.taxes]
    inside = [tax.is_inclusive for tax in draft.taxes]
    pairs = list(zip(on_goods, on_charge, inside, strict=True))
    return Line(
        number=number,
        parent=draft.parent,
        sku=draft.sku,
        name=draft.name,
        category=draft.category,
        quantity=draft.quantity,
        menu_minor=draft.menu_minor,
        net_micro=goods * PER_MINOR - sum(goods_tax for goods_tax, _, is_in in pairs if is_in),
        taxes=tuple(
            TaxShare(tax, goods_tax + charge_tax)
            for tax, (goods_tax, charge_tax, _) in zip(draft.taxes, pairs, strict=True)
        ),
        name_override=draft.name_override,
        charge_micro=charge * PER_MINOR - sum(charge_tax for _, charge_tax, is_in in pairs if is_in),
        charge_type=draft.charge_type,
        charge_rate=draft.charge_rate,
        line_discount=draft.line_discount,
        line_discount_minor=draft.line_discount_minor,
        account_discount=draft.account_discount,
        account_discount_minor=draft.account_discount_minor,
        has_tax_lines=draft.tax_places == 6,
        void_reason=draft.void_reason,
    )


def _tax_micro(base_minor: int, tax: Tax, places: int) -> int:
    """Tax inside or on an amount, worked out to some places; in millionths."""
    step: int = 10 ** (6 - places)
    divisor = RATE_BASE + tax.rate if tax.is_inclusive else RATE_BASE
    return divide_half_even(base_minor * PER_MINOR * tax.rate, divisor * step) * step
