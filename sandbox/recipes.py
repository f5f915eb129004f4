"""What sorts of sale there are: each recipe fills one sale's basket and takes the money."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.clock import DAY, HOUR
from sandbox.pricing import Basket, Charge, Discount
from sandbox.sales import Body, Method, Pickup, Sale
from sandbox.till import PEOPLE, Till

Recipe = Callable[[Till], Body]


def fill(sale: Sale) -> Body:
    """Makes a sale's body by its recipe, the same one every time."""
    return RECIPES[sale.recipe](Till(sale))


def _plain(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    body = Body(basket)
    if till.random.random() < (0.7 if till.market.is_tax_in_gross else 0.35):
        body.tenders = [till.pay_cash(basket)]
        return body
    body.tenders = [till.pay_card(basket, tip=till.random.random() < till.market.tips_rate)]
    if till.random.random() < 0.3:
        body.customer = till.random.randrange(PEOPLE)
    return body


def _modifiers(till: Till) -> Body:
    basket = Basket([till.line(extras=True), till.line(), till.line(extras=True)]).price()
    basket.lines[0].note = "For Robin Example, extra hot"
    return Body(basket, [till.pay_card(basket, tip=True)], note="Name on the cup: Robin Example")


def _line_discount(till: Till) -> Body:
    lines = till.goods(3)
    discounts = [Discount("yesterday", "Yesterday's bread", 30_000, None, lines[0].uid, True)]
    if len(lines) > 1:
        discounts.append(Discount("sorry", "Sorry", None, till.money(50), lines[1].uid))
    basket = Basket(lines, discounts).price()
    return Body(basket, [till.pay_cash(basket)])


def _order_discount(till: Till) -> Body:
    discounts = [
        Discount("staff", "Staff", 12_500, None, None, True),
        Discount("voucher", "Voucher", None, till.money(100)),
    ]
    basket = Basket([*till.goods(), till.line(extras=True)], discounts).price()
    return Body(basket, [till.pay_card(basket)])


def _mixed_tax(till: Till) -> Body:
    special = till.line(taxes=till.market.special_taxes)
    drink = till.line(till.merchant.product("product-9"))
    basket = Basket([special, drink, till.line()]).price()
    return Body(basket, [till.pay_card(basket)])


def _charged(till: Till, *charges: Charge, tip: bool = False) -> Body:
    basket = Basket(till.goods(), charges=list(charges)).price()
    return Body(basket, [till.pay_card(basket, tip=tip)])


def _charge_custom(till: Till) -> Body:
    return _charged(till, Charge("delivery", "Delivery", amount_minor=till.money(495)), tip=True)


def _charge_taxed(till: Till) -> Body:
    charge = Charge("service", "Room service", rate=10_000, taxes=till.market.charge_taxes)
    return _charged(till, charge)


def _gratuity(till: Till) -> Body:
    return _charged(till, Charge("gratuity", "Party of six", is_gratuity=True, rate=18_000))


def _charge_apportioned(till: Till) -> Body:
    charge = Charge("packing", "Packing", is_apportioned=True, amount_minor=till.money(235))
    return _charged(till, charge)


def _surcharge(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    if till.market.has_surcharge:
        basket.surcharge_minor = basket.total_minor * 3 // 100
    return Body(basket, [till.pay_card(basket)])


def _weighed(till: Till) -> Body:
    basket = Basket([till.weighed_line(), till.line(), till.weighed_line()]).price()
    return Body(basket, [till.pay_cash(basket)])


def _custom_amount(till: Till) -> Body:
    basket = Basket([till.amount_line(till.money(till.random.randrange(100, 4_000)))]).price()
    return Body(basket, [till.pay_card(basket)])


def _gift_card_sold(till: Till) -> Body:
    basket = Basket([till.gift_card_line(till.money(2_500)), *till.goods(2)]).price()
    return Body(basket, [till.pay_card(basket)])


def _gift_card_alone(till: Till) -> Body:
    basket = Basket([till.gift_card_line(till.money(5_000))]).price()
    return Body(basket, [till.pay_cash(basket)])


def _gift_card_paid(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    return Body(basket, [till.tender("gift_card", basket.total_minor)])


def _split(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    half = basket.total_minor // 2
    basket.tip_minor = till.money(100)
    rest = basket.total_minor - basket.tip_minor - half
    return Body(basket, [till.tender("cash", half), till.tender("card", rest, basket.tip_minor)])


def _unpaid(till: Till) -> Body:
    return Body(Basket(till.goods()).price(), note="Table by the window, Ms Sample")


def _authorized(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    return Body(basket, [till.tender("card", basket.total_minor, state="authorized")])


def _canceled(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    return Body(basket, [till.tender("card", basket.total_minor, state="voided")])


def _pickup(till: Till) -> Body:
    basket = Basket([till.line(till.merchant.product("product-7")), till.line()]).price()
    pickup = Pickup(
        till.random.randrange(PEOPLE),
        till.sale.opened_at + till.random.randint(1, 4) * DAY + HOUR,
        till.sale.closed_at,
    )
    return Body(basket, [till.pay_card(basket)], pickup=pickup, customer=pickup.person)


def _drawer(till: Till) -> Body:
    return Body(tenders=[till.tender("drawer", 0)], is_bare=True)


def _comp_bare(till: Till) -> Body:
    return Body(tenders=[till.tender("cash", 0)], is_bare=True)


def _comp_discount(till: Till) -> Body:
    discounts = [Discount("house", "On the house", 100_000)]
    basket = Basket(till.goods(), discounts).price()
    return Body(basket, [till.tender("cash", 0)])


def _offline(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    half = basket.total_minor // 2
    body = Body(basket)
    if till.random.random() < 0.4:
        rest = basket.total_minor - half
        body.tenders = [till.tender("card", half), till.tender("card", rest)]
    else:
        body.tenders = [till.pay_card(basket, tip=True)]
    for place, tender in enumerate(body.tenders):
        tender.is_offline = True
        tender.taken_at = till.sale.opened_at + (40 + 65 * place) * 1_000
    return body


def _offline_untold(till: Till) -> Body:
    body = _offline(till)
    for tender in body.tenders:
        tender.taken_at = None
    return body


def _offline_partly(till: Till) -> Body:
    body = _split(till)
    body.tenders[1].is_offline = True
    body.tenders[1].taken_at = till.sale.opened_at + 50_000
    return body


def _deleted_item(till: Till) -> Body:
    basket = Basket([till.line(till.merchant.product("product-14")), till.line()]).price()
    return Body(basket, [till.pay_cash(basket)])


def _renamed_item(till: Till) -> Body:
    basket = Basket([till.line(till.merchant.product("product-2"))]).price()
    return Body(basket, [till.pay_cash(basket)])


def _other_money(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    method: Method = till.random.choice(("external", "wallet"))
    return Body(basket, [till.tender(method, basket.total_minor)])


def _future_money(till: Till) -> Body:
    basket = Basket(till.goods()).price()
    return Body(basket, [till.tender("future", basket.total_minor)])


RECIPES: dict[str, Recipe] = {
    "plain": _plain,
    "modifiers": _modifiers,
    "line_discount": _line_discount,
    "order_discount": _order_discount,
    "mixed_tax": _mixed_tax,
    "charge_custom": _charge_custom,
    "charge_taxed": _charge_taxed,
    "gratuity": _gratuity,
    "charge_apportioned": _charge_apportioned,
    "surcharge": _surcharge,
    "weighed": _weighed,
    "custom_amount": _custom_amount,
    "gift_card_sold": _gift_card_sold,
    "gift_card_alone": _gift_card_alone,
    "gift_card_paid": _gift_card_paid,
    "split": _split,
    "open_unpaid": _unpaid,
    "open_authorized": _authorized,
    "pickup_waiting": _pickup,
    "pickup_done": _pickup,
    "canceled": _canceled,
    "canceled_unpaid": _unpaid,
    "draft": _unpaid,
    "drawer": _drawer,
    "comp_bare": _comp_bare,
    "comp_discount": _comp_discount,
    "offline": _offline,
    "offline_untold": _offline_untold,
    "offline_partly": _offline_partly,
    "offline_pending": _offline,
    "deleted_item": _deleted_item,
    "renamed_item": _renamed_item,
    "other_money": _other_money,
    "future_money": _future_money,
}
