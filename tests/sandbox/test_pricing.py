"""Integer arithmetic of baskets, against figures worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.pricing import (
    Basket,
    Charge,
    Discount,
    Line,
    Modifier,
    Tax,
    divide_half_even,
    part_of,
    round_to_step,
    spread,
    tax_of,
)

NINE_PERCENT = Tax("nine", "Nine", 9_000, False)
SEVEN_INSIDE = Tax("seven", "Seven", 7_000, True)


def line(uid: str, minor: int, *taxes: Tax, quantity: int = 1_000) -> Line:
    """A line of one product."""
    total = divide_half_even(minor * quantity, 1_000)
    return Line(uid, "product", quantity, minor, total, taxes=taxes)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (26, 10, 3), (-15, 10, -2), (-5, 10, 0), (7, 1, 7)],
)
def test_halves_go_to_the_even_neighbour(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_even(numerator, denominator) == expected


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_shares_add_up_to_what_was_spread(total: int, weights: list[int]) -> None:
    shares = spread(total, weights)
    assert sum(shares) == total
    assert all(share >= 0 for share in shares)


def test_a_tax_inside_the_price_is_taken_out_of_it() -> None:
    assert tax_of(1_070, SEVEN_INSIDE) == 70
    basket = Basket([line("a", 1_070, SEVEN_INSIDE)]).price()
    assert (basket.total_minor, basket.amounts().net, basket.amounts().tax) == (1_070, 1_000, 70)


def test_a_tax_on_top_is_worked_out_on_the_sum_and_spread() -> None:
    # 9 % of 1.05 + 1.05 + 1.05 is 0.2835, so 0.28; each line alone would give 0.09, in sum 0.27.
    basket = Basket([line(uid, 105, NINE_PERCENT) for uid in "abc"]).price()
    assert [each.tax_minor for each in basket.lines] == [10, 9, 9]
    assert basket.total_minor == 315 + 28


def test_line_discounts_come_before_order_discounts() -> None:
    lines = [line("a", 1_000), line("b", 500)]
    discounts = [
        Discount("half", "Half", 50_000, None, "a"),
        Discount("tenth", "Tenth", 10_000),
        Discount("fixed", "Fixed", None, 90),
    ]
    basket = Basket(lines, discounts).price()
    assert lines[0].discount_shares == {"half": 500, "tenth": 50, "fixed": 45}
    assert lines[1].discount_shares == {"tenth": 50, "fixed": 45}
    assert basket.amounts().gross == 1_500
    assert basket.amounts().net == 810


def test_an_apportioned_charge_is_in_the_lines_and_counted_once() -> None:
    charge = Charge("packing", "Packing", is_apportioned=True, amount_minor=101)
    basket = Basket([line("a", 300), line("b", 100)], charges=[charge]).price()
    assert [each.charge_minor for each in basket.lines] == [76, 25]
    assert basket.total_minor == 501
    assert basket.amounts().service_charge == 101
    assert basket.amounts().net == 400


def test_a_charge_carries_its_own_tax() -> None:
    charge = Charge("service", "Service", rate=10_000, taxes=(NINE_PERCENT,))
    basket = Basket([line("a", 2_000)], charges=[charge]).price()
    assert (charge.applied_minor, charge.tax_minor, charge.total_minor) == (200, 18, 218)
    assert basket.amounts().service_charge == 200
    assert basket.amounts().tax == 18


def test_a_charge_of_the_automatic_kind_is_a_tip() -> None:
    charge = Charge("gratuity", "Gratuity", is_gratuity=True, rate=18_000)
    amounts = Basket([line("a", 1_000)], charges=[charge]).price().amounts()
    assert (amounts.tip, amounts.service_charge) == (180, 0)


def test_gift_cards_are_money_but_no_sale() -> None:
    card = Line("g", "gift_card", 1_000, 2_500, 2_500)
    basket = Basket([card, line("a", 400)], [Discount("tenth", "Tenth", 10_000)]).price()
    amounts = basket.amounts()
    assert (amounts.non_sales, amounts.net, amounts.discount) == (2_500, 360, 40)
    assert basket.total_minor == amounts.total == 2_860


def test_weights_are_rounded_once() -> None:
    assert line("w", 1_899, quantity=425).list_minor == 807


@pytest.mark.parametrize(("amount", "expected"), [(1_232, -2), (1_233, 2), (1_230, 0)])
def test_cash_is_rounded_to_the_coins_there_are(amount: int, expected: int) -> None:
    assert round_to_step(amount, 5) == expected


def test_part_of_a_line_keeps_its_shape() -> None:
    sold = line("a", 900, NINE_PERCENT, quantity=2_000)
    sold.modifiers = [Modifier("m", "oat", "Oat milk", 100, 1, 200)]
    Basket([sold], [Discount("tenth", "Tenth", 10_000)]).price()
    back = part_of(sold, 1, "r")
    assert (back.quantity, back.list_minor, back.discount_minor) == (1_000, 1_000, 100)
    assert back.tax_minor == 81
    assert back.source_uid == "a"
    assert back.modifiers[0].source_uid == "m"
