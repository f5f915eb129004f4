"""What the demo tells people: each tenant's days, and what the second sync changed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.markup import escape
from sqlalchemy import Engine, text

from pos_cli.output import compact_table, console

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
        select c.name || ' (' || c.pos_system || ')', t.business_date, t.currency,
            sum(t.gross_sales_amount), sum(t.discount_amount), sum(t.net_sales_amount),
            sum(t.tax_amount), sum(t.tip_amount), sum(t.total_amount)
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
        table = compact_table(f"{escape(name)}, {currency}", "business day", right=_COLUMNS)
        earlier = days[:-_DAYS_SHOWN]
        if earlier:
            table.add_row(f"{len(earlier)} earlier days", *_sums(earlier), style="dim")
        for day, *sums in days[-_DAYS_SHOWN:]:
            table.add_row(str(day), *(_money(each) for each in sums))
        table.add_section()
        table.add_row("all", *_sums(days), style="bold")
        console.print(table)


def print_systems(engine: Engine) -> None:
    """The systems side by side: how many documents of each kind their days are made of."""
    query = text("""
        select pos_system, count(distinct configuration_id), count(*),
            count(*) filter (where is_revenue and kind = 'return'),
            count(*) filter (where is_revenue and kind in ('exchange', 'adjustment')),
            count(*) filter (where not is_revenue)
        from pos_transactions group by 1 order by 1
    """)
    columns = ("accounts", "documents", "returns", "exchanges, adjustments", "no revenue")
    table = compact_table("The systems side by side", "POS", right=columns)
    with engine.connect() as connection:
        for system, *figures in connection.execute(query):
            table.add_row(str(system), *(f"{each:,}" for each in figures))
    console.print(table)


def print_changes(before: Snapshot, after: Snapshot) -> None:
    """What the second sync did, by tenant and kind of change; refunds of old sales are new rows of today."""
    rows: dict[tuple[str, str], list[Any]] = {}
    for key in changed(before, after):
        name, day, kind, net, _ = after[key]
        old = before.get(key)
        row = rows.setdefault((name, f"{kind} changed" if old else f"new {kind}"), [0, Decimal(0), set()])
        row[0] += 1
        row[1] += net - (old[3] if old else 0)
        row[2].add(day)
    table = compact_table("What the second sync changed", "tenant", "what", right=("rows", "net sales by"))
    table.add_column("of business days", no_wrap=True)
    shown = ""
    for (name, what), (count, moved, days) in sorted(rows.items()):
        first, last = min(days), max(days)
        span = str(first) if first == last else f"{first} … {last:%m-%d}"
        table.add_row("" if name == shown else escape(name), what, str(count), f"{moved:+,.2f}", span)
        shown = name
    console.print(table)


def _sums(days: list[tuple[Any, ...]]) -> list[str]:
    return [_money(sum((day[at] for day in days), Decimal(0))) for at in range(1, len(_COLUMNS) + 1)]


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
