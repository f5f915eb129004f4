"""The till: rings up goods and takes money for one order, from the order's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.clock import SECOND
from sandbox.ids import random_for
from sandbox.pricing import WHOLE, divide_half_even, round_to_step
from sandbox.toast.config import CHARGES, CITY, DISCOUNTS, STATE
from sandbox.toast.pricing import price
from sandbox.toast.records import AppliedDiscount, Charge, Check, Order, Payment, Selection, TaxRate
from sandbox.world import Product

PEOPLE = 40
_CARDS = ("VISA", "MASTERCARD", "AMEX", "DISCOVER")
_EXTRAS = (("oat", "Oat Milk", 60), ("shot", "Extra Shot", 90), ("box", "Gift Box", 150), ("jam", "Jam", 0))


class Till:
    """Rings up one order."""

    def __init__(self, order: Order) -> None:
        """Opens the till for an order."""
        self.order = order
        self.merchant = order.merchant
        self.random = random_for(order.merchant.seed, "till", order.key)
        self._lines = 0
        self._payments = 0

    def item(
        self,
        product: Product | None = None,
        *,
        quantity: int | None = None,
        taxes: tuple[TaxRate, ...] | None = None,
        is_inclusive: bool = False,
    ) -> Selection:
        """A line of goods.

        Args:
            product: what; anything sold by the piece when not given.
            quantity: thousandths; one to four pieces when not given.
            taxes: instead of the product's own.
            is_inclusive: whether the price contains the taxes.
        """
        chosen = product or self.any_product(is_weighed=False)
        pieces = self.random.choices((1, 2, 3, 4), (60, 25, 10, 5))[0] * WHOLE
        own = (STATE, CITY) if chosen.taxes else ()
        return Selection(
            key=self._line_key(),
            name=chosen.at(self.order.opened_at).name,
            quantity=quantity or pieces,
            unit_minor=chosen.unit_minor,
            product_key=chosen.key,
            taxes=own if taxes is None else taxes,
            is_inclusive=is_inclusive,
            is_weighed=chosen.is_weighed,
        )

    def any_product(self, *, is_weighed: bool) -> Product:
        """Something that is on sale."""
        shelf = self.merchant.on_sale(self.order.opened_at)
        return self.random.choice([each for each in shelf if each.is_weighed is is_weighed])

    def taxed_item(self) -> Selection:
        """A drink, which is taxed."""
        return self.item(self.merchant.product(self.random.choice(("product-8", "product-9", "product-10"))))

    def weighed_item(self) -> Selection:
        """A line of goods sold by weight."""
        product = self.any_product(is_weighed=True)
        return self.item(product, quantity=self.random.randrange(85, 1_950))

    def typed_line(self, kind: str, name: str, amount_minor: int, *, is_deferred: bool = False) -> Selection:
        """A line that is no menu item: an amount typed in, a gift card, a house account's balance."""
        return Selection(
            key=self._line_key(),
            name=name,
            quantity=WHOLE,
            unit_minor=amount_minor,
            type=kind,
            is_deferred=is_deferred,
        )

    def goods(self, most: int = 4) -> list[Selection]:
        """One to ``most`` lines of goods."""
        return [self.item() for _ in range(self.random.randint(1, most))]

    def add_modifiers(self, parent: Selection, count: int, depth: int = 1) -> Selection:
        """Puts modifiers on a line, each with modifiers of its own down to ``depth`` levels."""
        start = self.random.randrange(len(_EXTRAS))
        for place in range(count):
            key, name, unit = _EXTRAS[(start + place) % len(_EXTRAS)]
            extra = Selection(self._line_key(), name, parent.quantity, unit, product_key=f"extra-{key}")
            parent.modifiers.append(self.add_modifiers(extra, 1, depth - 1) if depth > 1 else extra)
        return parent

    def check(
        self,
        selections: Sequence[Selection],
        *,
        discounts: Sequence[AppliedDiscount] = (),
        charges: Sequence[Charge] = (),
        key: str = "1",
        is_tax_exempt: bool = False,
        has_exact_taxes: bool = False,
    ) -> Check:
        """A check that is priced and not paid yet."""
        return price(
            Check(
                key=key,
                opened_at=self.order.opened_at + int(key) * 7,
                selections=list(selections),
                discounts=list(discounts),
                charges=list(charges),
                is_tax_exempt=is_tax_exempt,
                has_exact_taxes=has_exact_taxes,
                changed_at=self.order.opened_at + 150,
            )
        )

    def discount(self, key: str, amount_minor: int = 0, state: str | None = None) -> AppliedDiscount:
        """A configured discount, not worked out yet; open ones take ``amount_minor`` off."""
        rule = DISCOUNTS[key]
        wanted = rule.amount_minor or amount_minor
        return AppliedDiscount(key, rule.name, rule.type, rule.rate, wanted, state)

    def charge(self, key: str, amount_minor: int = 0) -> Charge:
        """A configured service charge; open ones are ``amount_minor``."""
        rule = CHARGES[key]
        amount = rule.amount_minor or amount_minor
        return Charge(key, rule.name, rule.category, rule.is_gratuity, rule.rate, amount, rule.taxes)

    def payment(
        self, check: Check, kind: str, amount_minor: int, tip_minor: int = 0, status: str = "CAPTURED"
    ) -> Payment:
        """Takes some money for a check, which stays open."""
        self._payments += 1
        payment = Payment(
            key=f"{check.key}-{self._payments}",
            type=kind,
            amount_minor=amount_minor,
            tip_minor=tip_minor,
            at=self.order.paid_at + self._payments * SECOND,
            status=status,
        )
        if kind == "CREDIT":
            payment.card_type = self.random.choice(_CARDS)
        check.payments.append(payment)
        check.paid_at = payment.at
        check.changed_at = max(check.changed_at, payment.at + 40)
        return payment

    def pay_cash(self, check: Check) -> Check:
        """Takes all that is open in cash, handed over in whole dollars."""
        payment = self.payment(check, "CASH", check.open_minor)
        payment.tendered_minor = -(-payment.amount_minor // 500) * 500
        return self.close(check)

    def pay_card(self, check: Check, *, tip: bool = False, is_captured: bool = False) -> Check:
        """Takes all that is open by card; the tip can be adjusted until the day's closeout."""
        amount, tip_minor = check.open_minor, 0
        if tip:
            tip_minor = divide_half_even(amount * self.random.choice((10, 15, 18, 20)), 100)
        self.payment(check, "CREDIT", amount, tip_minor, "CAPTURED" if is_captured else "AUTHORIZED")
        if is_captured:
            return self.close(check)
        check.payment_status = "PAID"
        return check

    def pay_either(self, check: Check) -> Check:
        """Takes the money as the order's times say: by card or in cash."""
        if self.order.is_card:
            return self.pay_card(check, tip=self.random.random() < 0.5)
        return self.pay_cash(check)

    def pay_other(self, check: Check, kind: str) -> Check:
        """Takes all that is open in another way, final at once."""
        self.payment(check, kind, check.open_minor)
        return self.close(check)

    def close(self, check: Check) -> Check:
        """Says that nothing is due any more."""
        check.payment_status = "CLOSED"
        check.closed_at = check.paid_at = (check.paid_at or self.order.paid_at) + 29
        check.changed_at = max(check.changed_at, check.closed_at)
        return check

    def round_cash(self, check: Check, step_minor: int = 5) -> Check:
        """Rounds what is due to coins that there are, as a service charge, and takes it in cash."""
        rounding = round_to_step(check.due_minor, step_minor)
        charge = self.charge("rounding")
        charge.amount_minor = rounding
        check.charges.append(charge)
        self.pay_cash(check)
        charge.payment_key = check.payments[-1].key
        return check

    def surcharge_card(self, check: Check) -> Check:
        """Adds the surcharge for the card and takes all by it."""
        rate = CHARGES["surcharge"].rate or 0
        charge = self.charge("surcharge")
        charge.rate, charge.amount_minor = None, divide_half_even(check.due_minor * rate, 100_000)
        check.charges.append(charge)
        self.pay_card(check)
        charge.payment_key = check.payments[-1].key
        return check

    def _line_key(self) -> str:
        self._lines += 1
        return f"line-{self._lines}"
