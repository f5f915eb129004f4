"""What happens to an order after it was rung up: closeout, voids, deletions, refunds."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.clock import SECOND, Instant
from sandbox.toast.records import (
    Body,
    Charge,
    Check,
    Payment,
    PaymentRefund,
    RefundDetails,
    Selection,
)


def close_out(body: Body, at: Instant) -> bool:
    """Captures an order's cards, closes what was paid by them, and says whether there was any."""
    is_any = False
    for check in body.checks:
        waiting = [each for each in check.payments if each.status == "AUTHORIZED"]
        if not waiting or check.is_removed or check.deleted_at is not None:
            continue
        is_any = True
        for payment in waiting:
            payment.status = "CAPTURED"
        if check.payment_status == "PAID":
            check.payment_status, check.closed_at = "CLOSED", at
        check.changed_at = max(check.changed_at, at)
    return is_any


def void_order(body: Body, at: Instant) -> Body:
    """Voids an order with all its checks."""
    body.voided_at = at
    for check in body.checks:
        void_check(check, at)
    return body


def void_check(check: Check, at: Instant) -> Check:
    """Voids a check with its selections and payments; its service charges go."""
    for selection in check.selections:
        void_selection(selection, at)
    for payment in check.payments:
        payment.status, payment.voided_at = "VOIDED", at
    check.charges.clear()
    check.voided_at, check.payment_status = at, "CLOSED"
    check.closed_at = check.changed_at = at
    return check


def void_selection(selection: Selection, at: Instant) -> None:
    """Voids a line with its modifiers; it keeps its amounts, which count no more."""
    for each in selection.deep():
        each.voided_at = at


def combine(body: Body, source: Check, target: Check, at: Instant) -> None:
    """Moves a check's lines to another one; the order does not list the source any more.

    The record of the source stays as it was, which is what its readers saw last.
    """
    target.selections += [_moved(each, source.key) for each in source.selections]
    source.is_removed, target.changed_at = True, at


def _moved(selection: Selection, name: str) -> Selection:
    return Selection(
        key=f"{selection.key}-from-{name}",
        name=selection.name,
        quantity=selection.quantity,
        unit_minor=selection.unit_minor,
        type=selection.type,
        product_key=selection.product_key,
        taxes=selection.taxes,
        is_inclusive=selection.is_inclusive,
        is_weighed=selection.is_weighed,
        modifiers=[_moved(each, name) for each in selection.modifiers],
    )


def give_back(
    check: Check,
    payments: Sequence[tuple[Payment, Instant]],
    transaction: str | None,
    *,
    selections: Sequence[Selection] = (),
    charges: Sequence[Charge] = (),
    extra_minor: int = 0,
    tip_minor: int = 0,
    is_half: bool = False,
) -> None:
    """One refund transaction: money back on payments, for lines, charges, a tip, or just an amount.

    Args:
        check: whose money it is.
        payments: not refunded yet, each with the time it is refunded; the first ones are used up first.
        transaction: name of the refund transaction; None as in older documents, which name none.
        selections: lines given back.
        charges: service charges given back.
        extra_minor: cents given back for no line.
        tip_minor: cents of tip given back, by the first payment.
        is_half: half of each line goes back, rounded down.
    """
    left = extra_minor
    lines: list[Selection | Charge] = [*selections, *charges]
    for each in lines:
        amount = each.price_minor if isinstance(each, Selection) else each.amount_minor
        share = 2 if is_half and isinstance(each, Selection) else 1
        details = RefundDetails(transaction or "", amount // share, each.tax_minor // share)
        left += details.amount_minor + details.tax_minor
        if transaction is not None:
            each.refund = details
    for place, (payment, at) in enumerate(payments):
        part = min(left, payment.amount_minor)
        left -= part
        tip = tip_minor if place == 0 else 0
        payment.refund = PaymentRefund(part, tip, at, transaction)
        check.changed_at = max(check.changed_at, at + 2 * SECOND)
    if left:
        raise ValueError(f"{left} cents more are given back than the payments hold")
