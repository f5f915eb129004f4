"""The same change of some documents, landed and normalised, among few transactions and among many."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from benchmarks.machine import Figure, Measured, measured
from benchmarks.sandboxes import made_up_shops
from benchmarks.shops import own_database
from pipelines import json_text
from pipelines.normalise import normalise
from pipelines.registry import connectors
from pipelines.replay import replay
from pipelines.rounds import sync_rounds, together
from pipelines.sync import Context
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_cli.setup import Ready, initialise
from pos_core.database.connect import get_engine
from pos_core.database.raw import raw_schema
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import load_vault

Documents = Sequence[tuple[Configuration, Sequence[Mapping[str, Any]]]]

_MOST = 1.3
_MARTS = ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")
# What makes of a row the same of another account, by column; the rest is as it was.
_OTHER = {
    "configuration_id": "md5(configuration_id::text || copy)::uuid",
    "transaction_id": "md5(transaction_id::text || copy)::uuid",
    "transaction_item_id": "md5(transaction_item_id::text || copy)::uuid",
    "transaction_payment_id": "md5(transaction_payment_id::text || copy)::uuid",
}


def measure_growth(transactions: int, changed: int) -> list[Measured]:
    """Documents of every POS change, once among a hundredth of the transactions and once among all.

    Args:
        transactions: how many there are in the end.
        changed: how many documents change each time, of all POS systems together.
    """
    few = transactions // 100
    per_pos = -(-few // len(connectors()))
    with own_database() as home, made_up_shops(home, 1, per_pos) as url:
        ready = initialise()
        os.environ.update(sandbox_environment(url))
        context = Context(get_engine(), ready.address, load_vault(get_settings()), home / "work")
        accounts = [configuration for _, configuration in connect_accounts(url)]
        done = together(list(sync_rounds(context, home / "dbt", [each.id for each in accounts])))
        assert not done.report.failed, done.report.failed[0].error
        # Others each time, for every version of a document weighs; the first time, caches are filled.
        first, second, third = _documents(accounts, changed // len(accounts), 3)
        _change(ready, context, first)
        _tidy()
        rows = [_measured(ready, context, second, few)]
        _multiply(transactions // few)
        _tidy()
        rows.append(_measured(ready, context, third, transactions))
    small, large = rows
    large.figures = [
        Figure("CPU", (large.cpu_seconds or 0) / (small.cpu_seconds or 1), "times", below=_MOST),
        Figure("wall", large.wall_seconds / small.wall_seconds, "times", below=_MOST),
    ]
    return rows


def _measured(ready: Ready, context: Context, documents: Documents, among: int) -> Measured:
    count = sum(len(some) for _, some in documents)
    title = f"{count:,} changes among {among:,} transactions"
    with measured(title, count, "documents", ready.home / "postgres") as result:
        _change(ready, context, documents)
    return result


def _change(ready: Ready, context: Context, documents: Documents) -> None:
    """Lands other versions of documents that are there, and brings the marts up to date."""
    for configuration, some in documents:
        stream = connectors()[configuration.pos_system].sales_stream
        changed = [{**each, "benchmark": "changed"} for each in some]
        counts = replay(context, configuration.id, stream, changed, datetime.now(UTC))
        assert counts.documents_landed == len(changed)
    normalise(context.engine, context.address, ready.home / "dbt")


def _documents(accounts: Sequence[Configuration], count: int, times: int) -> list[Documents]:
    """Several times so many sales of each account, as raw holds them; none twice."""
    found = [(each, _sales(each, count * times)) for each in accounts]
    return [[(each, some[at::times]) for each, some in found] for at in range(times)]


def _sales(configuration: Configuration, count: int) -> list[dict[str, Any]]:
    stream = connectors()[configuration.pos_system].sales_stream
    query = text(f"""
        select distinct on (external_id) cast(payload as text)
        from {raw_schema(configuration.pos_system)}."{stream}" where configuration_id = :id
        order by external_id, read_at desc limit :count
    """)
    with get_engine().connect() as connection:
        found: Iterable[str] = connection.execute(
            query, {"id": str(configuration.id), "count": count}
        ).scalars()
        return [json_text.parse(each) for each in found]


def _multiply(times: int) -> None:
    """Adds accounts with as many copies of every sale, of what was made of it and what models keep of it."""
    with get_engine().begin() as connection:
        for name in _tables(connection):
            columns = _columns(connection, name)
            values = ", ".join(
                f"({_OTHER[column]})::{kind}" if column in _OTHER else f'"{column}"'
                for column, kind in columns
            )
            listed = ", ".join(f'"{column}"' for column, _ in columns)
            connection.exec_driver_sql(
                f"insert into {name} ({listed}) select {values} from {name}, "
                f"generate_series(1, {times - 1}) as copy"
            )


def _tables(connection: Connection) -> list[str]:
    """The sales in raw, the marts, and the tables that models keep from batch to batch."""
    raw = [f'{raw_schema(each.pos_system)}."{each.sales_stream}"' for each in connectors().values()]
    kept = connection.execute(
        text("""
            select format('%I.%I', nspname, relname) from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            where nspname = 'pos_work' and relkind = 'r' and relpersistence = 'p' and exists (
                select from pg_attribute where attrelid = pg_class.oid and attname = 'external_id'
            )
        """)
    )
    return [*raw, *_MARTS, *kept.scalars()]


def _columns(connection: Connection, table: str) -> list[tuple[str, str]]:
    query = text("""
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = cast(:name as regclass) and attnum > 0 and not attisdropped
        order by attnum
    """)
    rows: Any = connection.execute(query, {"name": table})
    return [(name, kind) for name, kind in rows]


def _tidy() -> None:
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
        connection.exec_driver_sql("checkpoint")
