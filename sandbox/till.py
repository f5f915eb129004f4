"""The till: rings up goods and takes money for one sale, from the sale's own random numbers."""

from __future__ import annotations

from sandbox.clock import SECOND, Instant
from sandbox.ids import opaque, random_for
from sandbox.pricing import (
    WHOLE,
    Basket,
    Line,
    Modifier,
    Tax,
    divide_half_even,
    round_to_step,
)
from sandbox.sales import Method, Sale, Tender, TenderState
from sandbox.world import Product

PEOPLE = 40
_EXTRAS = (("oat", "Oat milk", 60), ("shot", "Extra shot", 90), ("box", "Gift box", 150))


class Till:
    """Rings up one sale."""

    def __init__(self, sale: Sale) -> None:
        """Opens the till for a sale."""
        self.sale = sale
        self.merchant = sale.merchant
        self.market = sale.merchant.market
        self.random = random_for(sale.merchant.seed, "body", sale.key)
        self._uids = 0
        self._tenders = 0

    def uid(self) -> str:
        """The next identifier inside this sale."""
        self._uids += 1
        return opaque(22, self.merchant.seed, "uid", self.sale.key, self._uids)

    def line(
        self,
        product: Product | None = None,
        *,
        quantity: int | None = None,
        extras: bool = False,
        taxes: tuple[Tax, ...] | None = None,
    ) -> Line:
        """A line of goods.

        Args:
            product: what; anything that is on sale and sold by the piece when not given.
            quantity: thousandths; one to four pieces when not given.
            extras: with modifiers.
            taxes: instead of the product's own.
        """
        chosen = product or self._any_product(is_weighed=False)
        pieces = self.random.choices((1, 2, 3, 4), (60, 25, 10, 5))[0] * WHOLE
        amount = quantity or pieces
        line = Line(
            uid=self.uid(),
            kind="product",
            quantity=amount,
            unit_minor=chosen.unit_minor,
            variation_minor=divide_half_even(chosen.unit_minor * amount, WHOLE),
            product_key=chosen.key,
            name=chosen.at(self.sale.opened_at).name,
            variation_name=chosen.variation,
            catalog_version=self.merchant.catalog_version(self.sale.opened_at),
            is_weighed=chosen.is_weighed,
            taxes=chosen.taxes if taxes is None else taxes,
        )
        if extras:
            line.modifiers = [self._extra(line, place) for place in range(1 + amount // 2_000 % 2)]
        return line

    def weighed_line(self) -> Line:
        """A line of goods sold by weight."""
        return self.line(self._any_product(is_weighed=True), quantity=self.random.randrange(85, 1_950))

    def amount_line(self, amount_minor: int) -> Line:
        """A line that is an amount typed in, with no name."""
        return Line(
            uid=self.uid(),
            kind="custom_amount",
            quantity=WHOLE,
            unit_minor=amount_minor,
            variation_minor=amount_minor,
        )

    def gift_card_line(self, amount_minor: int) -> Line:
        """A line that sells a gift card."""
        line = self.amount_line(amount_minor)
        line.kind = "gift_card"
        line.name = "Gift card"
        return line

    def goods(self, most: int = 4) -> list[Line]:
        """One to ``most`` lines of goods."""
        return [self.line() for _ in range(self.random.randint(1, most))]

    def money(self, hundredths: int) -> int:
        """A base price at this market's level."""
        return hundredths * self.market.price_factor // 500 * 5

    def pay_cash(self, basket: Basket) -> Tender:
        """Takes all of a basket in cash, rounded to the market's coins."""
        if self.market.cash_step_minor > 1:
            basket.rounding_minor = round_to_step(basket.total_minor, self.market.cash_step_minor)
        tender = self.tender("cash", basket.total_minor)
        note = 500 if self.market.exponent else 1_000
        tender.handed_minor = -(-basket.total_minor // note) * note
        return tender

    def pay_card(self, basket: Basket, *, tip: bool = False) -> Tender:
        """Takes all of a basket by card, with a tip when asked for."""
        amount = basket.total_minor
        if tip:
            rate = self.random.choice((10, 15, 18, 20))
            basket.tip_minor = divide_half_even(amount * rate, 100)
        return self.tender("card", amount, basket.tip_minor)

    def tender(
        self,
        method: Method,
        amount_minor: int,
        tip_minor: int = 0,
        state: TenderState = "captured",
    ) -> Tender:
        """Takes some money around the time the sale was closed."""
        self._tenders += 1
        created_at = self._paid_at() + self._tenders * SECOND
        return Tender(
            key=f"{self.sale.key}-tender-{self._tenders}",
            method=method,
            amount_minor=amount_minor,
            tip_minor=tip_minor,
            state=state,
            created_at=created_at,
            updated_at=created_at + self.random.randrange(150, 9_000),
        )

    def _paid_at(self) -> Instant:
        closed_at = self.sale.closed_at
        if closed_at is None or self.sale.recipe == "pickup_done":
            return self.sale.opened_at + 2 * SECOND
        return closed_at - 3 * SECOND

    def _any_product(self, *, is_weighed: bool) -> Product:
        shelf = self.merchant.on_sale(self.sale.opened_at)
        return self.random.choice([each for each in shelf if each.is_weighed is is_weighed])

    def _extra(self, line: Line, place: int) -> Modifier:
        key, name, base = _EXTRAS[(self.random.randrange(2) + place) % len(_EXTRAS)]
        unit, count = self.money(base), self.random.choice((1, 1, 2))
        return Modifier(
            uid=self.uid(),
            key=key,
            name=name,
            unit_minor=unit,
            count=count,
            total_minor=divide_half_even(unit * count * line.quantity, WHOLE),
        )
