"""What sorts of account a shop closes: each recipe fills one account and takes the money."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.lightspeed.accounts import Account, Body, Payment, due_minor
from sandbox.lightspeed.register import Draft, Register, numbered
from sandbox.pricing import WHOLE, divide_half_even

Recipe = Callable[[Register], Body]


def fill(account: Account) -> Body:
    """Makes an account's body by its recipe, the same one every time."""
    return RECIPES[account.recipe](Register(account))


def _plain(till: Register) -> Body:
    till.ring_goods()
    return till.body()


def _tip(till: Register) -> Body:
    till.ring_goods()
    return till.body([till.card(due_minor(till.lines()), has_tip=True)])


def _children_priced(till: Register) -> Body:
    till.ring()
    till.ring_child(is_priced=True)
    till.ring_child(is_priced=False)
    till.ring()
    till.ring_child(is_priced=True)
    return till.body()


def _surprise_bag(till: Register) -> Body:
    """A bag sold through a platform: the bag has the price, what is in it has none."""
    bag = till.ring(quantity=WHOLE)
    bag.name_override = "Surprise bag"
    for _ in range(3):
        till.ring_child(is_priced=False)
    return till.body([Payment(1, "GOTOGO", due_minor(till.lines()))])


def _line_discount(till: Register) -> Body:
    till.ring_goods(3)
    _take_off(till.drafts[0], "YESTERDAY", 30)
    return till.body()


def _account_discount(till: Register) -> Body:
    till.ring_goods()
    till.ring()
    till.take_off_account("STAFF", 12_500)
    return till.body()


def _both_discounts(till: Register) -> Body:
    till.ring_goods(2)
    _take_off(till.drafts[0], "YESTERDAY", 50)
    till.take_off_account("NEIGHBOUR", 10_000)
    return till.body()


def _on_the_house(till: Register) -> Body:
    """Everything is taken off; the account is closed without any money."""
    till.ring_goods(2)
    till.take_off_account("HOUSE", 100_000)
    return till.body([])


def _charged(charge_type: str, rate: int) -> Recipe:
    def fill_charged(till: Register) -> Body:
        till.ring_goods(3)
        till.ring(till.merchant.product("product-9"))
        till.charge(charge_type, rate)
        return till.body()

    return fill_charged


def _weighed(till: Register) -> Body:
    till.ring_weighed()
    till.ring()
    till.ring_weighed()
    return till.body()


def _zero_line(till: Register) -> Body:
    till.ring_goods(2)
    gift = till.ring(quantity=WHOLE)
    gift.name_override, gift.menu_minor, gift.list_minor = "Tasting piece", 0, 0
    return till.body()


def _void_line(till: Register) -> Body:
    """A product is rung up and taken back by a line of its own."""
    till.ring_goods(2)
    mistake = till.ring()
    back = till.ring(quantity=mistake.quantity)
    back.sku, back.name, back.category = mistake.sku, mistake.name, mistake.category
    back.menu_minor, back.taxes = mistake.menu_minor, mistake.taxes
    back.quantity, back.list_minor = -mistake.quantity, -mistake.list_minor
    back.void_reason = "User Mistake"
    return till.body()


def _void_zero(till: Register) -> Body:
    """A line that was voided before it cost anything, for a reason that somebody typed."""
    till.ring_goods(2)
    gone = till.ring()
    gone.list_minor, gone.void_reason = 0, "Dropped by Kim Example"
    return till.body()


def _mixed_tax(till: Register) -> Body:
    till.ring(taxes=till.market.special_taxes if till.market.is_tax_in_gross else None)
    till.ring(till.merchant.product("product-9"))
    till.ring(till.merchant.product("product-0"))
    return till.body()


def _tax_amount_only(till: Register) -> Body:
    """The tax of the second line is told as one amount of four places, which is all there is of it."""
    till.ring(till.merchant.product("product-9"))
    bread = till.ring(till.merchant.product("product-0"))
    bread.tax_places = 4
    return till.body()


def _receivable(till: Register) -> Body:
    till.ring_goods(6)
    due = due_minor(till.lines())
    return till.body([Payment(1, "ARHOUSE", due, is_receivable=True, person=7)])


def _surcharge(till: Register) -> Body:
    till.ring_goods()
    rate = 3_000 if till.market.has_surcharge else 0
    return till.body([till.card(due_minor(till.lines()), has_tip=True, surcharge_rate=rate)])


def _split_payment(till: Register) -> Body:
    till.ring_goods(5)
    due = due_minor(till.lines())
    first = divide_half_even(due, 2)
    rest = till.cash(due - first)
    return till.body(numbered([till.card(first, has_tip=True), rest]))


def _gift_card_paid(till: Register) -> Body:
    till.ring_goods(2)
    return till.body([Payment(1, "GIFTCARD", due_minor(till.lines()))])


def _online(till: Register) -> Body:
    till.ring_goods()
    body = till.body([till.card(due_minor(till.lines()))])
    reference = f"web-{till.account.number + 1}"
    return Body(body.lines, body.payments, 0, False, reference)


def _renamed(till: Register) -> Body:
    till.ring_goods(2)
    till.drafts[0].name_override = "House special"
    return till.body()


def _empty(till: Register) -> Body:
    return Body(covers=0)


def _unpaid(till: Register) -> Body:
    till.ring_goods(3)
    return till.body([])


def _float_in(till: Register) -> Body:
    return Body(payments=(Payment(1, "CASH", till.money(15_000)),), covers=0)


def _float_out(till: Register) -> Body:
    return Body(payments=(Payment(1, "CASH", -till.money(20_000)),), covers=0)


def _carried(till: Register) -> Body:
    """An account that is open at the end of the day; its payment has no method."""
    till.ring_goods(3)
    return till.body([Payment(1, None, due_minor(till.lines()))])


def _take_off(draft: Draft, name: str, percent: int) -> None:
    draft.line_discount = name
    draft.line_discount_minor = divide_half_even(draft.list_minor * percent, 100)


RECIPES: dict[str, Recipe] = {
    "plain": _plain,
    "tip": _tip,
    "children_priced": _children_priced,
    "surprise_bag": _surprise_bag,
    "line_discount": _line_discount,
    "account_discount": _account_discount,
    "both_discounts": _both_discounts,
    "on_the_house": _on_the_house,
    "charge_untaxed": _charged("UNTAXED", 10_000),
    "charge_apportioned": _charged("APPORTIONED", 12_500),
    "weighed": _weighed,
    "zero_line": _zero_line,
    "void_line": _void_line,
    "void_zero": _void_zero,
    "mixed_tax": _mixed_tax,
    "tax_amount_only": _tax_amount_only,
    "receivable": _receivable,
    "surcharge": _surcharge,
    "split_payment": _split_payment,
    "gift_card_paid": _gift_card_paid,
    "online": _online,
    "renamed": _renamed,
    "empty": _empty,
    "cancelled": _plain,
    "office_cancelled": _plain,
    "back_dated": _plain,
    "offline_late": _plain,
    "offline_pending": _plain,
    "no_reference": _plain,
    "twin": _plain,
    "before_day_start": _plain,
    "at_day_start": _plain,
    "cancel": _unpaid,
    "unknown_type": _plain,
    "float_in": _float_in,
    "float_out": _float_out,
    "carried": _carried,
}
