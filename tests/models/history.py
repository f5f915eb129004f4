"""A database with raw documents and the models over it: lands documents, normalises them, reads the rows."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from dbt.cli.main import dbtRunner
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Json

from pipelines.registry import get_connector
from tests.models.schema import STREAMS

ROOT = Path(__file__).resolve().parents[2]
TENANT = uuid.UUID(int=1)
CONFIGURATION = uuid.UUID(int=2)
MARTS = ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")
# What a row's path and age are, as opposed to what the documents say.
_PROVENANCE = ("source", "first_received_at", "normalized_at")

Row = dict[str, Any]


class Dbt:
    """dbt on the project of this repository, in this process."""

    def __init__(self, scratch: Path) -> None:
        self._options = [
            "--project-dir", str(ROOT), "--profiles-dir", str(ROOT / "dbt"),
            "--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs"),
            "--log-level", "error", "--log-level-file", "none", "--quiet",
        ]  # fmt: skip

    def invoke(self, *arguments: str) -> Any:
        """Run one command.

        Returns:
            dbt's own result.
        Raises:
            AssertionError: the command failed; the message is dbt's.
        """
        done = dbtRunner().invoke([*arguments, *self._options])
        messages = [
            f"{result.node.name}: {result.message}"
            for result in getattr(done.result, "results", [])
            if result.status in ("error", "fail")
        ]
        assert done.success, done.exception or "\n".join(messages)
        return done.result


class History:
    """The log of documents of one or more configurations, and what the models make of it."""

    def __init__(self, connection: psycopg.Connection[Any], dbt: Dbt) -> None:
        self.connection = connection
        self.dbt = dbt
        self.pos_system = "square"
        self._compiled: list[Any] = []
        self._loads = 0

    def compile(self) -> None:
        """Compile the models once, for `normalise`; the tables must exist."""
        nodes = {
            result.node.unique_id: result.node
            for result in self.dbt.invoke("compile", "--select", "resource_type:model").results
        }
        order = TopologicalSorter({key: node.depends_on.nodes for key, node in nodes.items()})
        self._compiled = [nodes[key] for key in order.static_order() if key in nodes]

    def clear(self, pos_system: str | None = None) -> None:
        """Forget all documents and rows; one configuration remains, of another system where one is named."""
        self.pos_system = pos_system or self.pos_system
        tables = [f"raw_{each}.{name}" for each in STREAMS for name in (*STREAMS[each], "_dlt_loads")]
        tables += ["pos_configurations", "pos_pending_loads", "pos_touched_documents"]
        tables += ["pos_quarantined_documents", "pos_transactions"]
        tables += [
            f"{node.schema}.{node.name}"
            for node in self._compiled
            if node.schema == "pos_work" and node.config.materialized in ("table", "incremental")
        ]
        # Only those with something in their files: each costs time.
        written = self.connection.execute(
            "select each from unnest(%s::text[]) as each where pg_relation_size(each::regclass) > 0",
            (tables,),
        ).fetchall()
        if written:
            self.connection.execute(
                sql.SQL("truncate {} cascade").format(
                    sql.SQL(", ").join(sql.Identifier(*table.split(".")) for (table,) in written)
                )
            )
        self._loads = 0
        self.configure(CONFIGURATION)

    def configure(self, configuration: uuid.UUID, day_starts_at: str = "00:00") -> None:
        """Make a configuration, or change the one there is."""
        self.connection.execute(
            "insert into pos_configurations values (%s, %s, %s, 'Bakery', %s)"
            " on conflict (id) do update set day_starts_at = excluded.day_starts_at",
            (configuration, TENANT, self.pos_system, day_starts_at),
        )

    def land(
        self,
        stream: str,
        documents: Iterable[Row],
        *,
        configuration: uuid.UUID = CONFIGURATION,
        source: str = "poll",
        read_at: datetime | None = datetime(2026, 4, 1, tzinfo=UTC),
        complete: bool = True,
    ) -> str:
        """Land documents in one load, which is pending when it is complete.

        Returns:
            the id of the load.
        """
        self._loads += 1
        load_id = f"load-{self._loads:04d}"
        received_at = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=self._loads)
        identify = get_connector(self.pos_system).identify
        rows = [
            (
                str(TENANT), str(configuration), identity.external_id, identity.version, identity.updated_at,
                hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(),
                source, read_at, received_at, Json(document), load_id, "row",
            )
            for document in documents
            for identity in [identify(stream, document)]
        ]  # fmt: skip
        with self.connection.cursor() as cursor:
            cursor.executemany(
                sql.SQL("insert into {} values ({})").format(
                    sql.Identifier(f"raw_{self.pos_system}", stream),
                    sql.SQL(", ").join([sql.Placeholder()] * 12),
                ),
                rows,
            )
        if complete:
            self.complete(load_id)
        return load_id

    def complete(self, load_id: str) -> None:
        """Mark a load complete, and so pending."""
        self.connection.execute(
            sql.SQL("insert into {} values (%s, %s, 0, now(), 'hash')").format(
                sql.Identifier(f"raw_{self.pos_system}", "_dlt_loads")
            ),
            (load_id, self.pos_system),
        )
        self.connection.execute("insert into pos_pending_loads values (%s, %s)", (self.pos_system, load_id))

    def normalise(self) -> None:
        """Run the compiled models over the pending loads in one transaction."""
        with self.connection.transaction():
            for node in self._compiled:
                table = sql.Identifier(node.schema, node.name)
                query = _trusted(node.compiled_code)
                if node.config.materialized == "table":
                    self.connection.execute(sql.SQL("truncate {}").format(table))
                    self.connection.execute(
                        sql.SQL("insert into {} select * from ({}) as q").format(table, query)
                    )
                    self.connection.execute(sql.SQL("analyze {}").format(table))
                elif node.config.materialized == "incremental":
                    self._replace_batch(table, query, node.config.meta["batch_delete"])
        self._forget_pending()

    def _replace_batch(self, table: sql.Identifier, query: sql.SQL, condition: str) -> None:
        run = self.connection.execute
        run(sql.SQL("create temporary table batch on commit drop as {}").format(query))
        run(sql.SQL("delete from {} where {}").format(table, _trusted(condition)))
        run(sql.SQL("insert into {} select * from batch").format(table))
        run("drop table batch")

    def plan(self, model: str) -> str:
        """How the database would run a compiled model, with indexes wherever they can serve."""
        (node,) = (each for each in self._compiled if each.name == model)
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("set local enable_seqscan = off")
            lines = self.connection.execute(sql.SQL("explain {}").format(_trusted(node.compiled_code)))
            return "\n".join(line for (line,) in lines)

    def dbt_run(self, *arguments: str) -> None:
        """Run the models with plain dbt over the pending loads."""
        self.dbt.invoke("run", *arguments)
        self._forget_pending()

    def _forget_pending(self) -> None:
        self.connection.execute("truncate pos_pending_loads, pos_touched_documents")

    def query(self, statement: LiteralString, *parameters: object) -> list[Row]:
        """Rows of a query, as dictionaries."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, parameters or None).fetchall()

    def marts(self) -> dict[str, list[Row]]:
        """Every row of the three marts without what tells their path and age, in a fixed order."""
        return {
            mart: [
                {name: value for name, value in row.items() if name not in _PROVENANCE}
                for row in self._all(mart)
            ]
            for mart in MARTS
        }

    def _all(self, mart: str) -> list[Row]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            statement = sql.SQL("select * from {} order by 1").format(sql.Identifier(mart))
            return cursor.execute(statement).fetchall()

    def transaction(self, external_id: str) -> Row:
        """The one row of a document."""
        (row,) = self.query("select * from pos_transactions where external_id = %s", external_id)
        return row

    def items(self, external_id: str) -> list[Row]:
        """The lines of a document, in order."""
        return self.query(
            "select i.* from pos_transaction_items as i join pos_transactions as t using (transaction_id)"
            " where t.external_id = %s order by i.line_number",
            external_id,
        )

    def payments(self, external_id: str) -> list[Row]:
        """The payments of a document, by their ids."""
        return self.query(
            "select p.* from pos_transaction_payments as p join pos_transactions as t"
            " using (transaction_id) where t.external_id = %s order by p.external_payment_id",
            external_id,
        )


def _trusted(statement: str) -> sql.SQL:
    """SQL of the project's own models, which psycopg's types would only take as a literal."""
    return sql.SQL(statement)
