"""What was really sold, in the words of the normalised tables.

Computed from the sale records (baskets, payments, refunds), never from what the servers answer, so
that it checks both the servers and whoever reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sandbox.clock import Instant
from sandbox.registry import Server
from sandbox.sales import Sale
from sandbox.world import Merchant

_AMOUNTS = (
    "gross_sales_amount",
    "discount_amount",
    "net_sales_amount",
    "tax_amount",
    "service_charge_amount",
    "tip_amount",
    "rounding_amount",
    "non_sales_amount",
    "total_amount",
)


def truth_of(merchants: Iterable[tuple[Server, Merchant]], now: Instant) -> dict[str, Any]:
    """Transactions and days of some accounts.

    Args:
        merchants: accounts, each with the server that speaks for it.
        now: what is still offline at this instant is left out.

    Returns:
        ``transactions``, one entry per document, and ``days``, revenue alone, per account, shop and
        business day; amounts are decimal text in major units.
    """
    transactions: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    for server, merchant in merchants:
        rows = server.transactions(merchant, now)
        # A vendor that keeps parts of a cent says so, in every row of the account.
        places = max((row.pop("places", 0) for row in rows), default=0) or merchant.market.exponent
        days += _days(rows, places)
        for row in rows:
            for name in (*_AMOUNTS, "paid_amount"):
                row[name] = _major(row[name], places)
        transactions += rows
    return {"transactions": transactions, "days": days}


def occurred_at(sale: Sale) -> Instant:
    """When a sale happened: its closing, or when its last payment was taken if all were offline."""
    tenders = sale.body.tenders
    if tenders and all(tender.is_offline for tender in tenders):
        return max(tender.taken_at or sale.opened_at for tender in tenders)
    return sale.opened_at if sale.closed_at is None else sale.closed_at


def _status(sale: Sale) -> str:
    refunds = sale.body.refunds
    is_refused = sale.kind == "return" and bool(refunds)
    is_refused = is_refused and all(each.state in ("rejected", "failed") for each in refunds)
    return "canceled" if is_refused else sale.state


def _paid(sale: Sale) -> int:
    taken = sum(each.total_minor for each in sale.body.tenders if each.state == "captured")
    given = sum(each.amount_minor for each in sale.body.refunds if each.state == "completed")
    return taken - given


def sale_row(
    sale: Sale, account_id: str, location_id: str, document_id: Callable[[Sale], str]
) -> dict[str, Any]:
    """The row of one sale, one document each; amounts in minor units."""
    body, amounts, status = sale.body, sale.amounts(), _status(sale)
    sources = [part.source for part in body.returns if part.source is not None]
    lines = [*body.basket.lines, *(line for part in body.returns for line in part.basket.lines)]
    return {
        "pos_system": sale.merchant.pos_system,
        "account_id": account_id,
        "external_id": document_id(sale),
        "external_location_id": location_id,
        "parent_external_id": document_id(sources[0]) if len(sources) == 1 else None,
        "kind": sale.kind,
        "status": status,
        "is_revenue": status == "completed" and sale.kind != "other",
        "business_date": sale.shop.business_date(occurred_at(sale)).isoformat(),
        "currency": sale.merchant.market.currency,
        "gross_sales_amount": amounts.gross,
        "discount_amount": amounts.discount,
        "net_sales_amount": amounts.net,
        "tax_amount": amounts.tax,
        "service_charge_amount": amounts.service_charge,
        "tip_amount": amounts.tip,
        "rounding_amount": amounts.rounding,
        "non_sales_amount": amounts.non_sales,
        "total_amount": amounts.total,
        "paid_amount": _paid(sale),
        "item_count": sum(1 + len(line.modifiers) for line in lines),
        "payment_count": len(body.tenders) + len(body.refunds),
    }


def _days(rows: Iterable[dict[str, Any]], places: int) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for row in rows:
        if row["is_revenue"]:
            key = (
                row["account_id"],
                row["external_location_id"],
                row["business_date"],
                row["currency"],
            )
            day = sums.setdefault(key, [0] * (1 + len(_AMOUNTS)))
            day[0] += 1
            for place, name in enumerate(_AMOUNTS, start=1):
                day[place] += row[name]
    return [
        {
            "account_id": key[0],
            "external_location_id": key[1],
            "business_date": key[2],
            "currency": key[3],
            "transactions": day[0],
            **{name: _major(units, places) for name, units in zip(_AMOUNTS, day[1:], strict=True)},
        }
        for key, day in sorted(sums.items())
    ]


def _major(units: int, places: int) -> str:
    return str(Decimal(units).scaleb(-places).quantize(Decimal(1).scaleb(-places)))
