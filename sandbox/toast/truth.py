"""What was really sold, one row per check and per refund, from the records alone.

The words are those of the normalised tables; amounts are cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.clock import Instant
from sandbox.toast.names import business_date, group_guid, guid, restaurant_guid
from sandbox.toast.records import Check, Order, Payment, PaymentRefund

Row = dict[str, Any]
_ROUNDING, _FUNDRAISING = "CASH_ROUNDING", "FUNDRAISING_CAMPAIGN"


@dataclass(slots=True)
class _Money:
    """A row's money by its meaning."""

    discount: int = 0
    net: int = 0
    tax: int = 0
    service_charge: int = 0
    tip: int = 0
    rounding: int = 0
    non_sales: int = 0

    def add_charge(self, category: str | None, is_gratuity: bool, amount_minor: int) -> None:
        """Counts a service charge, without its tax, where it belongs."""
        if is_gratuity:
            self.tip += amount_minor
        elif category == _ROUNDING:
            self.rounding += amount_minor
        elif category == _FUNDRAISING:
            self.non_sales += amount_minor
        else:
            self.service_charge += amount_minor

    def columns(self) -> Row:
        """The row's amounts."""
        total = self.net + self.tax + self.service_charge + self.tip + self.rounding + self.non_sales
        return {
            "gross_sales_amount": self.net + self.discount,
            "discount_amount": self.discount,
            "net_sales_amount": self.net,
            "tax_amount": self.tax,
            "service_charge_amount": self.service_charge,
            "tip_amount": self.tip,
            "rounding_amount": self.rounding,
            "non_sales_amount": self.non_sales,
            "total_amount": total,
        }


def check_guid(order: Order, check: Check) -> str:
    """Identifier of a check."""
    return guid(order.merchant, "check", order.number, check.key)


def payment_guid(order: Order, payment: Payment) -> str:
    """Identifier of a payment."""
    return guid(order.merchant, "payment", order.number, payment.key)


def transaction_guid(order: Order, check: Check, transaction: str) -> str:
    """Identifier of a refund transaction."""
    return guid(order.merchant, "refund", order.number, check.key, transaction)


def rows_of(order: Order) -> list[Row]:
    """An order's checks, those it does not list any more too, and their refunds."""
    rows: list[Row] = []
    for check in order.body.checks:
        rows.append(_sale(order, check))
        if not check.is_removed:
            rows += _refunds(order, check)
    return rows


def _is_accepted(order: Order) -> bool:
    return order.body.approval in (None, "APPROVED")


def _status(order: Order, check: Check) -> str:
    body = order.body
    if check.is_removed or body.deleted_at is not None or check.deleted_at is not None:
        return "deleted"
    if body.voided_at is not None or check.voided_at is not None:
        return "voided"
    return "open" if check.payment_status == "OPEN" or not _is_accepted(order) else "completed"


def _is_trade(order: Order) -> bool:
    return _is_accepted(order) and not order.body.is_test and not order.body.is_waste


def _base(order: Order, external_id: str) -> Row:
    return {
        "pos_system": order.merchant.pos_system,
        "account_id": group_guid(order.merchant),
        "external_id": external_id,
        "external_location_id": restaurant_guid(order.merchant, order.shop),
        "currency": order.merchant.market.currency,
    }


def _day(order: Order, at: Instant) -> str:
    return business_date(order.merchant, order.shop, at).isoformat()


def _sale(order: Order, check: Check) -> Row:
    money = _Money(tip=check.tip_minor)
    for selection in check.selections:
        if selection.is_sale:
            money.net += selection.price_minor
            money.discount += selection.pre_minor - selection.price_minor
        elif selection.is_counted:
            money.non_sales += selection.price_minor
        money.tax += selection.tax_minor if selection.is_counted else 0
    for charge in check.charges:
        money.add_charge(charge.category, charge.is_gratuity, charge.amount_minor)
        money.tax += charge.tax_minor
    captured = [each for each in check.payments if each.status == "CAPTURED"]
    status = _status(order, check)
    return {
        **_base(order, check_guid(order, check)),
        "parent_external_id": None,
        "kind": "sale" if _is_trade(order) else "other",
        "status": status,
        "is_revenue": status == "completed" and _is_trade(order),
        "business_date": _day(order, order.opened_at),
        **money.columns(),
        "paid_amount": sum(each.amount_minor + each.tip_minor for each in captured),
        "item_count": sum(1 for each in check.selections for _ in each.deep()),
        "payment_count": len(check.payments),
    }


def _refunds(order: Order, check: Check) -> list[Row]:
    """Payments given back, gathered by transaction; without one each stands for itself."""
    found: dict[str, list[tuple[str | None, PaymentRefund]]] = {}
    for payment in check.payments:
        given = payment.refund
        if given is None:
            continue
        if given.transaction is None:
            name = payment_guid(order, payment)
        else:
            name = transaction_guid(order, check, given.transaction)
        found.setdefault(name, []).append((given.transaction, given))
    return [
        _refund(order, check, name, parts[0][0], [given for _, given in parts])
        for name, parts in found.items()
    ]


def _refund(
    order: Order, check: Check, name: str, transaction: str | None, parts: list[PaymentRefund]
) -> Row:
    money = _Money(tip=-sum(each.tip_minor for each in parts))
    rest = sum(each.amount_minor for each in parts)
    items = 0
    for selection in check.selections:
        details = selection.refund
        if details is None or details.transaction != transaction:
            continue
        items += 1
        rest -= details.amount_minor + details.tax_minor
        money.tax -= details.tax_minor
        if selection.is_sale:
            money.net -= details.amount_minor
        else:
            money.non_sales -= details.amount_minor
    for charge in check.charges:
        details = charge.refund
        if details is None or details.transaction != transaction:
            continue
        rest -= details.amount_minor + details.tax_minor
        money.tax -= details.tax_minor
        money.add_charge(charge.category, charge.is_gratuity, -details.amount_minor)
    money.net -= rest
    status = _status(order, check)
    is_undone = status in ("voided", "deleted")
    sale = check_guid(order, check)
    return {
        **_base(order, f"{sale}:refund:{name}"),
        "parent_external_id": sale,
        "kind": "return",
        "status": status if is_undone else "completed",
        "is_revenue": not is_undone and _is_trade(order),
        "business_date": _day(order, min(each.at for each in parts)),
        **money.columns(),
        "paid_amount": -sum(each.amount_minor + each.tip_minor for each in parts),
        "item_count": items + (1 if rest else 0),
        "payment_count": len(parts),
    }
