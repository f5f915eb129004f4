"""Returns and exchanges: documents that give back all or part of earlier sales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.clock import SECOND, Instant
from sandbox.pricing import WHOLE, Basket, Charge, Discount, Line, part_of, round_to_step
from sandbox.sales import Body, Refund, RefundState, ReturnPart, Sale, Tender
from sandbox.till import Till

# Sales whose lines hold all their money but tips and charges of their own.
_ITEMISABLE = ("modifiers", "line_discount", "order_discount", "plain", "weighed", "mixed_tax")

SOURCES: dict[str, tuple[str, ...]] = {
    "refund_amount": ("plain", "custom_amount", "split"),
    "refund_items": _ITEMISABLE,
    "refund_charges": ("charge_taxed", "gratuity", "charge_custom"),
    "refund_tip": ("modifiers", "plain"),
    "refund_two": ("plain", "modifiers"),
    "refund_pending": ("plain", "modifiers"),
    "refund_failed": ("plain", "custom_amount"),
    "refund_late_failure": ("plain", "custom_amount"),
    "refund_unlinked": (),
    "exchange_up": _ITEMISABLE,
    "exchange_down": _ITEMISABLE,
}


def find_sources(recipe: str, before: Sequence[Sale], random_number: float, at: Instant) -> list[Sale]:
    """Chooses the earlier sales that a return gives back.

    Args:
        recipe: of the return.
        before: the merchant's sales so far.
        random_number: in [0, 1), where the search among them starts.
        at: when the return is made.

    Returns:
        One sale, up to two for ``refund_two``, none when nothing fits.
    """
    recent = before[-400:]
    start = int(random_number * len(recent))
    wanted = SOURCES[recipe]
    found: list[Sale] = []
    for sale in (*recent[start:], *recent[:start]):
        if sale.recipe not in wanted or sale.state != "completed" or sale.is_refunded:
            continue
        if (sale.closed_at or at) >= at or not _suits(recipe, sale):
            continue
        if not found or found[0].shop is sale.shop:
            found.append(sale)
        if len(found) == (2 if recipe == "refund_two" else 1):
            break
    return found


def _suits(recipe: str, sale: Sale) -> bool:
    basket, tenders = sale.body.basket, sale.body.tenders
    if recipe == "refund_tip":
        return basket.tip_minor > 0 and len(tenders) == 1
    if recipe == "refund_amount":
        return basket.total_minor > 100
    if recipe.startswith("exchange"):
        return tenders[0].method == "card"
    return basket.total_minor > 0


@dataclass(slots=True)
class _Counter:
    """Makes the return's parts in order."""

    till: Till
    sale: Sale
    at: Instant

    def part(self, source: Sale | None, basket: Basket) -> ReturnPart:
        """What one source gets back."""
        return ReturnPart(self.till.uid(), basket, source)

    def refund(
        self,
        amount_minor: int,
        tender: Tender | None,
        state: RefundState = "completed",
        reason: str = "Returned goods",
    ) -> Refund:
        """Money back, and its mark on the payment."""
        refund = Refund(
            key=f"{self.sale.key}-refund-{self.till.uid()}",
            amount_minor=amount_minor,
            state=state,
            listed_state=state,
            reason=reason,
            created_at=self.at - SECOND,
            updated_at=self.at + 1_193,
            tender=tender,
            method=tender.method if tender else "cash",
        )
        if tender is not None:
            tender.refunds.append(refund)
            tender.updated_at = max(tender.updated_at, refund.updated_at)
        return refund


def fill_return(sale: Sale, sources: Sequence[Sale]) -> Body:
    """Makes the body of a return or exchange and marks its sources as changed.

    Args:
        sale: the return, its times set.
        sources: what ``find_sources`` chose; none for an unlinked return.
    """
    at = sale.closed_at or sale.opened_at
    counter = _Counter(Till(sale), sale, at)
    if not sources:
        amount = counter.till.money(300)
        part = counter.part(None, Basket([counter.till.amount_line(amount)]))
        return Body(returns=[part], refunds=[counter.refund(amount, None, reason="No receipt")])
    for source in sources:
        source.is_refunded = True
        source.touch(max(source.updated_at, at + 4_287))
    if sale.recipe.startswith("exchange"):
        return _exchange(counter, sources[0])
    body = Body()
    state = _first_state(sale)
    for source in sources:
        basket = _given_back(counter.till, sale.recipe, source)
        body.returns.append(counter.part(source, basket))
        tender = source.body.tenders[-1]
        body.refunds.append(counter.refund(basket.total_minor, tender, state))
    return body


def _first_state(sale: Sale) -> RefundState:
    if sale.recipe in ("refund_pending", "refund_late_failure"):
        return "pending"
    if sale.recipe == "refund_failed":
        return "rejected" if sale.number % 2 else "failed"
    return "completed"


def _given_back(till: Till, recipe: str, source: Sale) -> Basket:
    sold = source.body.basket
    if recipe == "refund_tip":
        return Basket(tip_minor=sold.tip_minor)
    if recipe == "refund_charges":
        basket = _items_back(till, sold)
        basket.charges = [
            Charge(
                key=f"{charge.key}-back",
                name=charge.name,
                is_gratuity=charge.is_gratuity,
                rate=charge.rate,
                amount_minor=charge.amount_minor,
                applied_minor=charge.applied_minor,
                taxes=charge.taxes,
                tax_shares=dict(charge.tax_shares),
                source_key=charge.key,
            )
            for charge in sold.charges
        ]
        basket.tip_minor = sold.tip_minor
        return basket
    if recipe == "refund_items":
        basket = _items_back(till, sold)
        step = till.market.cash_step_minor
        if step > 1 and source.body.tenders[0].method == "cash":
            basket.rounding_minor = round_to_step(basket.total_minor, step)
        return basket
    largest = source.body.tenders[-1].amount_minor
    return Basket([till.amount_line(max(1, largest * till.random.choice((3, 5, 10)) // 10))])


def _items_back(till: Till, sold: Basket) -> Basket:
    count = max(1, len(sold.lines) - 1)
    lines: list[Line] = []
    for line in sold.lines[:count]:
        pieces = max(1, line.quantity // WHOLE // 2) if line is sold.lines[0] else line.quantity
        lines.append(part_of(line, pieces, till.uid()))
    used = {key for line in lines for key in line.discount_shares}
    discounts: list[Discount] = [each for each in sold.discounts if each.key in used]
    return Basket(lines, discounts)


def _exchange(counter: _Counter, source: Sale) -> Body:
    till = counter.till
    back = Basket([part_of(line, 9, till.uid()) for line in source.body.basket.lines])
    used = {key for line in back.lines for key in line.discount_shares}
    back.discounts = [each for each in source.body.basket.discounts if each.key in used]
    if counter.sale.recipe == "exchange_up":
        whole_cake = till.merchant.product("product-7")
        sold = Basket([till.line(whole_cake, quantity=9 * WHOLE)]).price()
    else:
        sold = Basket([till.line(till.merchant.product("product-2"), quantity=WHOLE)]).price()
    body = Body(sold, returns=[counter.part(source, back)])
    due = sold.total_minor - back.total_minor
    if due > 0:
        body.tenders = [till.tender("card", due)]
    elif due < 0:
        body.refunds = [counter.refund(-due, source.body.tenders[0])]
    return body
