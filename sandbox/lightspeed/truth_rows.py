"""What was really booked, in the words of the normalised tables, from the accounts alone.

Source: the project's own data model, Lightspeed section.
"""

from __future__ import annotations

from typing import Any

from sandbox.clock import Instant
from sandbox.lightspeed.accounts import Account
from sandbox.lightspeed.days import business_date
from sandbox.lightspeed.names import MICRO_PLACES, PER_MINOR, business_id, location_id

_KINDS = {"SALE": "sale", "REFUND": "return"} | dict.fromkeys(
    ("RECALL", "UPDATE", "VOID", "SPLIT", "TRANSFER", "CROSS_BL", "CANCEL"), "adjustment"
)


def status_of(account: Account) -> str:
    """The account's state."""
    return "canceled" if account.is_cancelled or account.kind == "CANCEL" else "completed"


def counts_as_revenue(account: Account) -> bool:
    """Whether the account's amounts belong to the shop's revenue."""
    return account.kind in _KINDS and status_of(account) == "completed"


def row_of(account: Account, now: Instant) -> dict[str, Any]:
    """The row of one account; amounts in millionths, for taxes have parts of a cent.

    Args:
        account: what was booked.
        now: an account that the vendor does not have by then is not known as a parent.
    """
    body, initial = account.body, account.initial
    net = sum(line.net_micro for line in body.lines)
    discount = sum(line.discount_minor for line in body.lines) * PER_MINOR
    tax = sum(line.tax_micro for line in body.lines)
    surcharge = sum(payment.surcharge_minor for payment in body.payments) * PER_MINOR
    charge = sum(line.charge_micro for line in body.lines) + surcharge
    tip = sum(payment.tip_minor for payment in body.payments) * PER_MINOR
    rounding = sum(payment.rounding_minor for payment in body.payments) * PER_MINOR
    # Nobody keeps the money for an account that was cancelled.
    kept = body.payments if status_of(account) == "completed" else ()
    is_parent_known = initial is not None and initial.available_at <= now
    return {
        "pos_system": account.merchant.pos_system,
        "account_id": str(business_id(account.merchant)),
        "external_id": account.external_id,
        "external_location_id": str(location_id(account.merchant, account.shop)),
        "parent_external_id": initial.external_id if initial and is_parent_known else None,
        "kind": _KINDS.get(account.kind, "other"),
        "status": status_of(account),
        "is_revenue": counts_as_revenue(account),
        "business_date": business_date(account.shop, account.closed_at).isoformat(),
        "currency": account.merchant.market.currency,
        "places": MICRO_PLACES,
        "gross_sales_amount": net + discount,
        "discount_amount": discount,
        "net_sales_amount": net,
        "tax_amount": tax,
        "service_charge_amount": charge,
        "tip_amount": tip,
        "rounding_amount": rounding,
        "non_sales_amount": 0,
        "total_amount": net + tax + charge + tip + rounding,
        "paid_amount": sum(payment.paid_minor for payment in kept) * PER_MINOR,
        "item_count": len(body.lines),
        "payment_count": len(body.payments),
    }
