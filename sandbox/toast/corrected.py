"""Orders that went otherwise: open, voided, deleted, tests, waste, refunded; and the table of all recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.pricing import WHOLE
from sandbox.toast import recipes
from sandbox.toast.corrections import close_out, give_back, void_check, void_order, void_selection
from sandbox.toast.recipes import one
from sandbox.toast.records import Body, Order
from sandbox.toast.till import Till

Fill = Callable[[Till], Body]


def _open_unpaid(till: Till) -> Body:
    check = till.check(till.goods())
    check.tab = "Window table, Ms Sample"
    return one(check, dining="table")


def _open_partly(till: Till) -> Body:
    check = till.check([till.item(), till.taxed_item()])
    till.payment(check, "CASH", check.due_minor // 3)
    return one(check, dining="table")


def _tables_to_combine(till: Till) -> Body:
    checks = [till.check(till.goods()), till.check(till.goods(), key="2")]
    return Body(checks, dining="table")


def _voided_order(till: Till) -> Body:
    check = till.pay_card(till.check([till.add_modifiers(till.taxed_item(), 2), till.item()]), tip=True)
    return void_order(one(check), till.order.event_at)


def _voided_check(till: Till) -> Body:
    kept = till.pay_cash(till.check(till.goods()))
    gone = till.pay_card(till.check(till.goods(), key="2", charges=[till.charge("gratuity")]))
    return Body([kept, void_check(gone, till.order.event_at)], dining="table")


def _voided_line(till: Till) -> Body:
    lines = [till.item(), till.add_modifiers(till.taxed_item(), 2), till.item()]
    void_selection(lines[1], till.order.opened_at + 9_000)
    return one(till.pay_either(till.check(lines, discounts=[till.discount("staff")])))


def _voided_payment(till: Till) -> Body:
    check = till.check(till.goods())
    wrong = till.payment(check, "CREDIT", check.due_minor, 150, "VOIDED")
    wrong.voided_at = wrong.at + 5_000
    return one(till.pay_cash(check))


def _deleted_order(till: Till) -> Body:
    body = one(till.check(till.goods()), dining="table")
    body.deleted_at = till.order.event_at
    return body


def _deleted_empty(till: Till) -> Body:
    body = one(till.check([]), dining="table")
    body.deleted_at = body.checks[0].deleted_at = till.order.event_at
    return body


def _deleted_check(till: Till) -> Body:
    gone = till.pay_cash(till.check(till.goods(), key="2", charges=[till.charge("delivery")]))
    gone.deleted_at = till.order.event_at
    return Body([till.pay_cash(till.check(till.goods())), gone])


def _test_mode(till: Till) -> Body:
    body = one(till.pay_cash(till.check(till.goods())))
    body.is_test = True
    return body


def _waste(till: Till) -> Body:
    lines = till.goods(3)
    for line in lines:
        line.is_waste = True
    body = one(till.close(till.check(lines)))
    body.is_waste = True
    return body


def _refund_items(till: Till) -> Body:
    line = till.taxed_item()
    line.discounts = [till.discount("dayold")]
    check = till.pay_card(till.check([line, till.add_modifiers(till.item(), 2), till.item()]))
    at = till.order.event_at
    give_back(check, [(check.payments[0], at)], "r1", selections=check.selections[:2])
    return one(check)


def _refund_half(till: Till) -> Body:
    lines = [till.item(quantity=3 * WHOLE, taxes=None), till.taxed_item()]
    check = till.pay_cash(till.check(lines, discounts=[till.discount("staff")]))
    give_back(check, [(check.payments[0], till.order.event_at)], "r1", selections=lines, is_half=True)
    return one(check)


def _refund_all(till: Till) -> Body:
    charges = [till.charge("gratuity"), till.charge("delivery"), till.charge("fundraiser", 100)]
    check = till.pay_card(till.check([till.taxed_item(), till.item()], charges=charges), tip=True)
    payment = check.payments[0]
    give_back(
        check,
        [(payment, till.order.event_at)],
        "r1",
        selections=check.selections,
        charges=check.charges,
        tip_minor=payment.tip_minor,
    )
    return one(check)


def _refund_amount(till: Till) -> Body:
    check = till.pay_card(till.check(till.goods()), tip=True)
    payment = check.payments[0]
    give_back(check, [(payment, till.order.event_at)], "r1", extra_minor=payment.amount_minor // 3)
    return one(check)


def _refund_more(till: Till) -> Body:
    """A line, a charge, and something on top for the trouble, with a part of the tip."""
    charges = [till.charge("delivery")]
    check = till.pay_card(
        till.check([till.taxed_item(), till.item(), till.item()], charges=charges), tip=True
    )
    give_back(
        check,
        [(check.payments[0], till.order.event_at)],
        "r1",
        selections=check.selections[:1],
        charges=check.charges,
        extra_minor=55,
        tip_minor=check.payments[0].tip_minor // 2,
    )
    return one(check)


def _refund_tip(till: Till) -> Body:
    check = till.pay_card(till.check([till.taxed_item()]), tip=True)
    payment = check.payments[0]
    give_back(check, [(payment, till.order.event_at)], "r1", tip_minor=payment.tip_minor)
    return one(check)


def _refund_twice(till: Till) -> Body:
    """Two payments of one check are given back on two days."""
    check = till.check([till.taxed_item(), till.item(quantity=2 * WHOLE)])
    till.payment(check, "CASH", check.due_minor // 2)
    till.pay_card(check)
    first, second = check.payments
    give_back(check, [(first, till.order.event_at)], "r1", extra_minor=first.amount_minor // 2)
    give_back(check, [(second, till.order.late_at)], "r2", extra_minor=second.amount_minor)
    return one(check)


def _refund_jointly(till: Till) -> Body:
    """One transaction gives back two payments, the second one a day later."""
    check = till.check([till.taxed_item(), till.item(quantity=2 * WHOLE)])
    till.payment(check, "GIFTCARD", check.due_minor // 2)
    till.pay_card(check)
    first, second = check.payments
    payments = [(first, till.order.event_at), (second, till.order.late_at)]
    give_back(check, payments, "r1", selections=check.selections)
    return one(check)


def _refund_untold(till: Till) -> Body:
    """The whole payment, in the shape of older documents: no transaction, no lines."""
    body = recipes.old_shape(till)
    check = body.checks[0]
    payment = check.payments[0]
    give_back(check, [(payment, till.order.event_at)], None, extra_minor=payment.amount_minor)
    return body


def _refund_gift_card(till: Till) -> Body:
    body = recipes.gift_card_sold(till)
    check = body.checks[0]
    give_back(check, [(check.payments[0], till.order.event_at)], "r1", selections=check.selections[:1])
    return body


def _refund_split(till: Till) -> Body:
    body = recipes.split_checks(till)
    for check in body.checks[:2]:
        selections = check.selections[1:2]
        give_back(check, [(check.payments[0], till.order.event_at)], "r1", selections=selections)
    return body


def _refund_deleted(till: Till) -> Body:
    """Refunded, and the order deleted afterwards."""
    check = till.pay_cash(till.check([till.taxed_item(), till.item()]))
    give_back(check, [(check.payments[0], till.order.event_at)], "r1", selections=check.selections)
    body = one(check)
    body.deleted_at = till.order.late_at
    return body


def _refund_test(till: Till) -> Body:
    body = _test_mode(till)
    check = body.checks[0]
    give_back(check, [(check.payments[0], till.order.event_at)], "r1", extra_minor=50)
    return body


@dataclass(frozen=True, slots=True)
class Recipe:
    """A sort of order; cards are captured at the closeout, events come minutes or days after paying."""

    fill: Fill
    money: Literal["card", "cash", "either", "none"] = "cash"
    event: Literal["none", "soon", "later"] = "none"


RECIPES: dict[str, Recipe] = {
    "plain": Recipe(recipes.plain, "either"),
    "modifiers": Recipe(recipes.modifiers, "card"),
    "refund_items": Recipe(_refund_items, "card", "later"),
    "modifiers_deep": Recipe(recipes.modifiers_deep, "either"),
    "item_discounts": Recipe(recipes.item_discounts),
    "check_discounts": Recipe(recipes.check_discounts, "card"),
    "all_discounts": Recipe(recipes.all_discounts, "card"),
    "refund_amount": Recipe(_refund_amount, "card", "later"),
    "on_the_house": Recipe(recipes.on_the_house),
    "split_checks": Recipe(recipes.split_checks, "card"),
    "tables_to_combine": Recipe(_tables_to_combine, "none"),
    "voided_order": Recipe(_voided_order, "cash", "soon"),
    "voided_check": Recipe(_voided_check, "cash", "soon"),
    "voided_line": Recipe(_voided_line, "either"),
    "tax_inclusive": Recipe(recipes.tax_inclusive, "either"),
    "tax_mixed": Recipe(recipes.tax_mixed, "either"),
    "taxes_exact": Recipe(recipes.taxes_exact),
    "gift_card_sold": Recipe(recipes.gift_card_sold, "card"),
    "gratuity": Recipe(recipes.gratuity, "card"),
    "refund_all": Recipe(_refund_all, "card", "later"),
    "service_charges": Recipe(recipes.service_charges, "card"),
    "cash_rounding": Recipe(recipes.cash_rounding),
    "surcharge": Recipe(recipes.surcharge, "card"),
    "fundraising": Recipe(recipes.fundraising, "card"),
    "test_mode": Recipe(_test_mode),
    "waste": Recipe(_waste),
    "open_unpaid": Recipe(_open_unpaid, "none"),
    "unpaid_future": Recipe(recipes.unpaid_future, "none"),
    "prepaid_future": Recipe(recipes.prepaid_future),
    "deleted_order": Recipe(_deleted_order, "none", "soon"),
    "refund_twice": Recipe(_refund_twice, "card", "later"),
    "deleted_check": Recipe(_deleted_check, "cash", "soon"),
    "refund_jointly": Recipe(_refund_jointly, "card", "later"),
    "weighed": Recipe(recipes.weighed, "either"),
    "open_item": Recipe(recipes.open_item, "either"),
    "future_values": Recipe(recipes.future_values),
    "house_account_settled": Recipe(recipes.house_account_settled),
    "deposit": Recipe(recipes.deposit, "card"),
    "marketplace": Recipe(recipes.marketplace),
    "refund_tip": Recipe(_refund_tip, "card", "later"),
    "voided_payment": Recipe(_voided_payment),
    "denied_first": Recipe(recipes.denied_first, "card"),
    "underpaid": Recipe(recipes.underpaid),
    "old_shape": Recipe(recipes.old_shape, "card"),
    "refund_untold": Recipe(_refund_untold, "card", "later"),
    "split_payments": Recipe(recipes.split_payments, "card"),
    "tax_fixed": Recipe(recipes.tax_fixed, "either"),
    "tax_exempt": Recipe(recipes.tax_exempt, "card"),
    "online": Recipe(recipes.online),
    "refund_more": Recipe(_refund_more, "card", "later"),
    "gift_card_alone": Recipe(recipes.gift_card_alone),
    "gift_card_paid": Recipe(recipes.gift_card_paid),
    "house_account_charged": Recipe(recipes.house_account_charged),
    "split_open": Recipe(recipes.split_open, "card"),
    "open_partly": Recipe(_open_partly, "none"),
    "deleted_empty": Recipe(_deleted_empty, "none", "soon"),
    "needs_approval": Recipe(recipes.needs_approval),
    "not_approved": Recipe(recipes.not_approved, "none"),
    "refund_half": Recipe(_refund_half, "cash", "later"),
    "refund_gift_card": Recipe(_refund_gift_card, "card", "later"),
    "refund_split": Recipe(_refund_split, "card", "later"),
    "refund_deleted": Recipe(_refund_deleted, "cash", "later"),
    "refund_test": Recipe(_refund_test, "cash", "later"),
}


def fill(order: Order) -> Body:
    """Makes an order's body by its recipe, the same one every time."""
    body = RECIPES[order.recipe].fill(Till(order))
    if order.closeout_at is not None:
        close_out(body, order.closeout_at)
    return body
