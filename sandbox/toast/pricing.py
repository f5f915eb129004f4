"""What a check costs: discounts, service charges and taxes over its selections, in whole cents.

Source: Toast orders API 2.9.0 (preDiscountPrice, price, tax, nonTaxDiscountAmount).
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.pricing import RATE_BASE, WHOLE, divide_half_even, spread
from sandbox.toast.records import AppliedDiscount, Charge, Check, Selection, TaxRate

Shares = dict[str, list[tuple[AppliedDiscount, int]]]
"""Per selection, what each discount takes off its listed price."""


def price(check: Check) -> Check:
    """Works out everything in a check anew, and answers it."""
    shares: Shares = {}
    for selection in check.selections:
        _list(selection)
        shares[selection.key] = _item_discounts(selection)
    _check_discounts(check, shares)
    goods = sum(_left(each, shares) for each in check.selections if each.is_sale)
    for charge in check.charges:
        _charge(charge, goods)
    for selection in check.selections:
        _settle(check, selection, shares[selection.key])
    return check


def _list(selection: Selection) -> int:
    """Listed price with the modifiers of every depth, whose own prices are never discounted."""
    own = divide_half_even(selection.unit_minor * selection.quantity, WHOLE)
    selection.list_minor = own + sum(_list(each) for each in selection.modifiers)
    selection.pre_minor = selection.price_minor = selection.list_minor
    return selection.list_minor


def _item_discounts(selection: Selection) -> list[tuple[AppliedDiscount, int]]:
    found: list[tuple[AppliedDiscount, int]] = []
    left = selection.list_minor
    for discount in selection.discounts:
        discount.non_tax_minor = 0
        discount.amount_minor = _wanted(discount, left)
        found.append((discount, discount.amount_minor))
        left -= discount.amount_minor
    return found


def _check_discounts(check: Check, shares: Shares) -> None:
    goods = [each for each in check.selections if each.is_sale]
    for discount in check.discounts:
        bases = [_left(each, shares) for each in goods]
        discount.non_tax_minor = 0
        discount.amount_minor = _wanted(discount, sum(bases))
        if discount.state == "VOID":
            discount.non_tax_minor = discount.amount_minor
            continue
        for each, share in zip(goods, spread(discount.amount_minor, bases), strict=True):
            shares[each.key].append((discount, share))


def _wanted(discount: AppliedDiscount, base_minor: int) -> int:
    if discount.rate is None:
        return min(discount.wanted_minor, base_minor)
    return divide_half_even(base_minor * discount.rate, RATE_BASE)


def _left(selection: Selection, shares: Shares) -> int:
    return selection.list_minor - sum(share for _, share in shares[selection.key])


def _charge(charge: Charge, goods_minor: int) -> None:
    if charge.rate is not None:
        charge.amount_minor = divide_half_even(goods_minor * charge.rate, RATE_BASE)
    charge.tax_minor = sum(charge_tax(charge, tax) for tax in charge.taxes)


def charge_tax(charge: Charge, tax: TaxRate) -> int:
    """A tax on a service charge, in cents."""
    return divide_half_even(charge.amount_minor * tax.rate, RATE_BASE)


def _settle(check: Check, selection: Selection, taken: Sequence[tuple[AppliedDiscount, int]]) -> None:
    """Sets price before and after discounts, both without tax, and the taxes."""
    left = selection.list_minor - sum(share for _, share in taken)
    rates = () if check.is_tax_exempt else selection.taxes
    selection.price_minor, selection.tax_minor, selection.tax_mills = left, 0, ()
    if selection.is_waste:
        selection.price_minor = 0
        return
    if selection.is_inclusive:
        rate = sum(each.rate for each in rates)
        selection.pre_minor = selection.list_minor - _inside(selection.list_minor, rate)
        selection.tax_minor = _inside(left, rate)
        selection.price_minor = left - selection.tax_minor
        parts = spread(selection.tax_minor, [each.rate for each in rates]) if rates else []
        selection.tax_mills = tuple(part * 10 for part in parts)
    elif check.has_exact_taxes:
        selection.tax_mills = tuple(divide_half_even(left * each.rate, RATE_BASE // 10) for each in rates)
        selection.tax_minor = divide_half_even(left * sum(each.rate for each in rates), RATE_BASE)
    else:
        cents = [each.fixed_minor or divide_half_even(left * each.rate, RATE_BASE) for each in rates]
        selection.tax_minor, selection.tax_mills = sum(cents), tuple(each * 10 for each in cents)
    if taken:
        off = spread(selection.pre_minor - selection.price_minor, [share for _, share in taken])
        for (discount, _), part in zip(taken, off, strict=True):
            discount.non_tax_minor += part


def _inside(amount_minor: int, rate: int) -> int:
    return divide_half_even(amount_minor * rate, RATE_BASE + rate)
