"""What a check costs, against sums worked out by hand."""

from __future__ import annotations

import pytest

from sandbox.toast.config import BAG, CHARGES, CITY, HOUSE, MARKETPLACE, STATE
from sandbox.toast.corrections import give_back
from sandbox.toast.pricing import price
from sandbox.toast.records import AppliedDiscount, Charge, Check, Payment, Selection, TaxRate


def line(unit_minor: int, *taxes: TaxRate, quantity: int = 1_000, key: str = "a", **more: bool) -> Selection:
    """A line."""
    selection = Selection(key, "Loaf", quantity, unit_minor, taxes=taxes)
    for name, value in more.items():
        setattr(selection, name, value)
    return selection


def check(*selections: Selection, discounts: tuple[AppliedDiscount, ...] = (), **more: bool) -> Check:
    """A check that is priced."""
    made = Check("1", 0, list(selections), list(discounts))
    for name, value in more.items():
        setattr(made, name, value)
    return price(made)


def off(amount_minor: int = 0, rate: int | None = None, state: str | None = None) -> AppliedDiscount:
    """A discount."""
    return AppliedDiscount("off", "Off", "FIXED", rate, amount_minor, state)


def test_a_line_contains_its_modifiers_of_every_depth_once() -> None:
    burger = line(1_200)
    burger.modifiers = [line(50, key="b"), line(200, key="c")]
    burger.modifiers[1].modifiers = [line(25, key="d")]
    made = check(burger)
    assert (burger.pre_minor, burger.price_minor, made.amount_minor) == (1_475, 1_475, 1_475)
    assert [each.price_minor for each in burger.deep()] == [1_475, 50, 225, 25]


def test_a_checks_discount_is_inside_the_prices_of_its_lines() -> None:
    first, second = line(999), line(2_000, key="b")
    made = check(first, second, discounts=(off(237),))
    assert (first.price_minor, second.price_minor, made.amount_minor) == (920, 1_842, 2_762)
    assert (first.pre_minor, second.pre_minor) == (999, 2_000)
    assert made.discounts[0].amount_minor == made.discounts[0].non_tax_minor == 237


def test_a_reward_that_was_taken_back_takes_nothing_off() -> None:
    made = check(line(999), discounts=(off(500, state="VOID"),))
    assert (made.amount_minor, made.discounts[0].amount_minor) == (999, 500)


def test_a_discount_is_for_goods_alone_and_never_more_than_they_cost() -> None:
    card = line(2_500, key="b", is_deferred=True)
    made = check(line(80), card, discounts=(off(100),))
    assert (made.amount_minor, card.price_minor, made.discounts[0].amount_minor) == (2_500, 2_500, 80)


def test_taxes_on_top_are_rounded_each() -> None:
    sandwich = line(920, STATE, BAG)
    assert check(sandwich).tax_minor == 58 + 10
    assert sandwich.tax_mills == (580, 100)


def test_exact_taxes_are_told_to_a_tenth_of_a_cent() -> None:
    sandwich = line(999, CITY, STATE)
    made = check(sandwich, has_exact_taxes=True)
    assert sandwich.tax_mills == (75, 624)
    assert made.tax_minor == 70


def test_a_price_that_contains_its_tax_is_told_without_it() -> None:
    bread = line(540, HOUSE, is_inclusive=True)
    bread.discounts = [off(108)]
    made = check(bread)
    assert (bread.pre_minor, bread.price_minor, bread.tax_minor) == (500, 400, 32)
    assert made.due_minor == 432
    assert (bread.discounts[0].amount_minor, bread.discounts[0].non_tax_minor) == (108, 100)


def test_an_exempt_guest_and_waste_pay_no_tax() -> None:
    assert check(line(999, STATE), is_tax_exempt=True).tax_minor == 0
    waste = line(999, STATE, is_waste=True)
    assert (check(waste).due_minor, waste.pre_minor, waste.price_minor) == (0, 999, 0)


def test_a_marketplaces_tax_is_a_tax_of_another_kind() -> None:
    assert check(line(1_000, MARKETPLACE)).tax_minor == 70
    assert [tax.type for tax in (MARKETPLACE, BAG, STATE)] == ["EXTERNAL", "FIXED", "PERCENT"]


def test_a_gratuity_is_outside_the_amount_and_inside_what_is_due() -> None:
    made = Check("1", 0, [line(1_000)])
    for key in ("gratuity", "catering"):
        rule = CHARGES[key]
        made.charges.append(Charge(key, rule.name, rule.category, rule.is_gratuity, rule.rate, 0, rule.taxes))
    price(made)
    assert [each.amount_minor for each in made.charges] == [180, 100]
    assert (made.amount_minor, made.tax_minor, made.due_minor) == (1_100, 7, 1_287)


def test_a_voided_line_keeps_its_amounts_and_counts_no_more() -> None:
    gone = line(999, STATE)
    gone.voided_at = 1
    made = check(gone, line(500, key="b"), discounts=(off(100),))
    assert (gone.price_minor, gone.tax_minor) == (999, 62)
    assert (made.amount_minor, made.tax_minor) == (400, 0)


def test_pricing_again_changes_nothing() -> None:
    first, second = line(999, STATE), line(540, HOUSE, key="b", is_inclusive=True)
    made = check(first, second, discounts=(off(rate=12_500),))
    before = (made.amount_minor, made.tax_minor, made.discounts[0].non_tax_minor, first.price_minor)
    price(made)
    after = (made.amount_minor, made.tax_minor, made.discounts[0].non_tax_minor, first.price_minor)
    assert before == after


def test_a_refund_cannot_give_back_more_than_was_paid() -> None:
    made = check(line(999, STATE))
    payment = Payment("1", "CASH", 500, 0, 0)
    with pytest.raises(ValueError, match="561 cents more"):
        give_back(made, [(payment, 5)], "r", selections=made.selections)


def test_a_refund_uses_up_one_payment_after_the_other() -> None:
    made = check(line(999, STATE))
    payments = [Payment("1", "CASH", 500, 0, 0), Payment("2", "CREDIT", 561, 100, 0)]
    pairs = [(payment, 5 + place) for place, payment in enumerate(payments)]
    give_back(made, pairs, "r", selections=made.selections, tip_minor=0)
    assert [each.refund.amount_minor for each in payments if each.refund] == [500, 561]
    details = made.selections[0].refund
    assert details is not None
    assert (details.amount_minor, details.tax_minor) == (999, 62)
