"""Compares the marts with what the sandbox says it sold, figure by figure."""

from collections import Counter
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

AMOUNTS = (
    "gross_sales_amount", "discount_amount", "net_sales_amount", "tax_amount", "service_charge_amount",
    "tip_amount", "rounding_amount", "non_sales_amount", "total_amount", "paid_amount",
)  # fmt: skip
_WORDS = (
    "external_location_id", "parent_external_id", "kind", "status", "is_revenue", "business_date", "currency",
    "item_count",
)  # fmt: skip


def compare(engine: Engine, truth: dict[str, Any]) -> list[str]:
    """One line per figure that differs, and per transaction that is missing or too many; none is the aim."""
    query = text("""
        select configuration.pos_system, configuration.account_id, t.*,
            (select count(*) from pos_transaction_payments as p where p.transaction_id = t.transaction_id)
                as payment_count
        from pos_transactions as t
        inner join pos_configurations as configuration on configuration.id = t.configuration_id
    """)
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    ours = {(row["pos_system"], row["account_id"], row["external_id"]): row for row in rows}
    theirs = {
        (each["pos_system"], each["account_id"], each["external_id"]): each for each in truth["transactions"]
    }
    lines = [f"{key[2]} is missing" for key in sorted(theirs.keys() - ours.keys())]
    lines += [f"{key[2]} was never sold" for key in sorted(ours.keys() - theirs.keys())]
    for key in sorted(ours.keys() & theirs.keys()):
        lines += _differences(key[2], ours[key], theirs[key])
    return lines + _differing_days(ours.values(), truth["days"])


def _differences(external_id: str, ours: Any, theirs: dict[str, Any]) -> list[str]:
    lines = []
    for name in AMOUNTS:
        if ours[name] != Decimal(theirs[name]):
            lines.append(f"{external_id} {name}: {ours[name]}, sold {theirs[name]}")
    for name in (*_WORDS, "payment_count"):
        if str(ours[name]).strip() != str(theirs[name]).strip():
            lines.append(f"{external_id} {name}: {ours[name]}, sold {theirs[name]}")
    return lines


def _differing_days(rows: Any, days: list[dict[str, Any]]) -> list[str]:
    """The sums of each shop's business day, which readers look at, compared on their own."""
    names = (
        "gross_sales_amount",
        "discount_amount",
        "net_sales_amount",
        "tax_amount",
        "tip_amount",
        "total_amount",
    )
    ours: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        if row["is_revenue"]:
            for name in names:
                ours[_day(row, name)] += row[name]
    theirs = {_day(day, name): Decimal(day[name]) for day in days for name in names}
    return [
        f"{' '.join(key)}: {ours.get(key, 0)}, sold {theirs.get(key, 0)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key, Decimal(0)) != theirs.get(key, Decimal(0))
    ]


def _day(row: Any, name: str) -> tuple[str, ...]:
    place = (row["account_id"], row["external_location_id"], str(row["business_date"]))
    return (*place, row["currency"].strip(), name)
