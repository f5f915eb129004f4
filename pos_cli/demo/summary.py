"""What the demo tells people: each tenant's days, and what the second sync changed."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine, text

from pos_cli.output import console

_DAYS_SHOWN = 7
_COLUMNS = ("gross", "discounts", "net", "tax", "tips", "total")

Snapshot = dict[UUID, tuple[Any, ...]]
"""Transaction id → (configuration, business date, kind, net sales, everything that may change)."""


def counts(engine: Engine) -> dict[str, int]:
    """Rows of the three marts."""
    tables = {
        "transactions": "pos_transactions",
        "items": "pos_transaction_items",
        "payments": "pos_transaction_payments",
    }
    with engine.connect() as connection:
        return {
            name: int(connection.execute(text(f"select count(*) from {table}")).scalar_one())
            for name, table in tables.items()
        }


def snapshot(engine: Engine) -> Snapshot:
    """Every transaction, to see later what changed; times of ours are left out."""
    query = text("""
        select t.transaction_id, c.name, t.business_date, t.kind,
            case when t.is_revenue then t.net_sales_amount else 0 end as net_sales_amount,
            to_jsonb(t) - 'normalized_at' - 'first_received_at' - 'source' as content
        from pos_transactions as t inner join pos_configurations as c on c.id = t.configuration_id
    """)
    with engine.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def changed(before: Snapshot, after: Snapshot) -> list[UUID]:
    """The transactions that are new or different."""
    return [key for key, row in after.items() if before.get(key) != row]


def print_days(engine: Engine) -> None:
    """A table per tenant: its newest business days, the days before them in one row, and all together."""
    query = text("""
        select c.name, t.business_date, t.currency, sum(t.gross_sales_amount), sum(t.discount_amount),
            sum(t.net_sales_amount), sum(t.tax_amount), sum(t.tip_amount), sum(t.total_amount)
        from pos_transactions as t inner join pos_configurations as c on c.id = t.configuration_id
        where t.is_revenue
        group by 1, 2, 3 order by 1, 3, 2
    """)
    with engine.connect() as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    shops: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for name, day, currency, *sums in rows:
        shops.setdefault((name, currency), []).append((day, *sums))
    for (name, currency), days in shops.items():
        table = Table("business day", title=f"{name}, {currency}", title_justify="left")
        for column in _COLUMNS:
            table.add_column(column, justify="right")
        earlier = days[:-_DAYS_SHOWN]
        if earlier:
            table.add_row(f"{len(earlier)} days before", *_sums(earlier), style="dim")
        for day, *sums in days[-_DAYS_SHOWN:]:
            table.add_row(str(day), *(_money(each) for each in sums))
        table.add_section()
        table.add_row("all", *_sums(days), style="bold")
        console.print(table)


def print_changes(before: Snapshot, after: Snapshot) -> None:
    """What the second sync did, by tenant and business day."""
    by_day: dict[tuple[str, Any], Counter[str]] = {}
    moved: dict[tuple[str, Any], Decimal] = {}
    for key in changed(before, after):
        name, day, kind, net, _ = after[key]
        old = before.get(key)
        place = (name, day)
        word = f"new {kind}" if old is None else "changed"
        by_day.setdefault(place, Counter())[word] += 1
        moved[place] = moved.get(place, Decimal(0)) + net - (old[3] if old else 0)
    table = Table("tenant", "business day", "what", title="The second sync changed", title_justify="left")
    table.add_column("net sales by", justify="right")
    for place in sorted(by_day, key=lambda each: (each[0], str(each[1]))):
        words = ", ".join(f"{count} {word}" for word, count in sorted(by_day[place].items()))
        table.add_row(place[0], str(place[1]), words, f"{moved[place]:+,.2f}")
    console.print(table)


def _sums(days: list[tuple[Any, ...]]) -> list[str]:
    return [_money(sum((day[at] for day in days), Decimal(0))) for at in range(1, len(_COLUMNS) + 1)]


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
