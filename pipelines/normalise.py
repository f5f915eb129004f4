"""Raw to marts: the pending loads of all tenants, in one transaction under one lock.

Pending loads are a set (what dlt completed minus what was normalised), never a high-water mark: a load that
commits late is not skipped. A document that the database refuses is found by halving the batch, set aside
with the database's reason, and the others go on.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, text

from pipelines import aside, models
from pipelines.models import BATCH_MODEL, Statement
from pipelines.registry import connectors
from pos_core.database.address import DatabaseAddress
from pos_core.database.raw import raw_schema
from pos_core.errors import TransformError
from pos_core.repositories.locks import held_normalising

logger = logging.getLogger(__name__)

_LOADS_PER_BATCH = 500
# So many documents at once stay in memory on their way through the models; more would go over the disk.
_DOCUMENTS_AT_ONCE = 10_000
_WORK_MEMORY = "64MB"
# What one document can do to a statement; class 54 is what PostgreSQL itself cannot hold.
_REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)

Key = tuple[str, UUID, str]
"""(pos system, configuration id, external id of the sales document)"""


@dataclass
class Normalised:
    """What normalising did; `touched` counts documents, per configuration."""

    touched: dict[UUID, int]
    batches: int = 0
    rebuilt: bool = False
    quarantined: int = 0
    seconds: float = 0.0

    def add(self, other: "Normalised") -> None:
        """Takes along what was done at another time."""
        for configuration_id, count in other.touched.items():
            self.touched[configuration_id] = self.touched.get(configuration_id, 0) + count
        self.batches += other.batches
        self.rebuilt = self.rebuilt or other.rebuilt
        self.quarantined += other.quarantined
        self.seconds += other.seconds


def normalise(engine: Engine, address: DatabaseAddress, folder: Path) -> Normalised:
    """Brings the marts up to date with every completed load.

    Args:
        folder: where dbt's files and the compiled statements are kept.

    Raises:
        TransformError: the models do not build or run.
    """
    started = time.monotonic()
    result = Normalised(touched={})
    with held_normalising(engine) as connection:
        result.rebuilt = _ensure_built(connection, address, folder)
        compiled = models.statements(address, folder)
        while _one_batch(connection, compiled, result):
            result.batches += 1
    result.seconds = round(time.monotonic() - started, 3)
    return result


def _ensure_built(connection: Connection, address: DatabaseAddress, folder: Path) -> bool:
    """Rebuilds the marts when the models are not those they were built with."""
    current = models.fingerprint()
    query = text("select fingerprint from pos_model_builds where id = 1")
    with connection.begin():
        if connection.execute(query).scalar() == current:
            return False
        loads = _complete_loads(connection, limit=None)
    try:
        models.build(address, folder)
    except TransformError as error:
        _build_without_sales(connection, address, folder, error)
    with connection.begin():
        # What the database refused may pass now; it is tried again with the next batch.
        connection.execute(
            text("""
                insert into pos_touched_documents (configuration_id, external_id)
                select distinct configuration_id, external_id from pos_quarantined_documents
                where stage = 'normalise' and resolved_at is null
            """)
        )
        _mark_normalised(connection, loads)
        aside.record(connection)
        connection.execute(
            text("""
                insert into pos_model_builds (id, fingerprint) values (1, :fingerprint)
                on conflict (id) do update set fingerprint = excluded.fingerprint, built_at = now()
            """),
            {"fingerprint": current},
        )
    return True


def _build_without_sales(
    connection: Connection, address: DatabaseAddress, folder: Path, error: TransformError
) -> None:
    """Builds while every sale is set aside, so that batches find the one that the database refuses.

    Raises:
        TransformError: it is not the documents; nothing stays set aside.
    """
    logger.warning("building over the whole history failed, going on document by document: %s", error.message)
    with connection.begin():
        aside.hide_sales(connection)
    try:
        models.build(address, folder)
    except TransformError:
        with connection.begin():
            aside.show_sales(connection)
        raise


def _one_batch(connection: Connection, compiled: Sequence[Statement], result: Normalised) -> bool:
    """Normalises one batch in one transaction; False when there was nothing to do."""
    with connection.begin():
        connection.execute(text(f"set local work_mem = '{_WORK_MEMORY}'"))
        loads = _complete_loads(connection, _LOADS_PER_BATCH)
        touches = connection.execute(text("select max(id) from pos_touched_documents")).scalar()
        if not loads and touches is None:
            return False
        connection.execute(text("truncate pos_pending_loads"))
        if loads:
            connection.execute(
                text("insert into pos_pending_loads (pos_system, load_id) values (:pos_system, :load_id)"),
                [{"pos_system": pos_system, "load_id": load_id} for pos_system, load_id in loads],
            )
        connection.execute(text("analyze pos_pending_loads"))
        aside.try_again(connection, touches or 0)
        at = [each.name for each in compiled].index(BATCH_MODEL)
        for statement in compiled[: at + 1]:
            _run(connection, statement)
        batch = compiled[at]
        keys = _batch_keys(connection, batch)
        for some in _parts(keys):
            if len(some) < len(keys):
                _fill_with(connection, batch, some)
            _run_or_halve(connection, compiled[at + 1 :], batch, some, result)
        for _, configuration_id, _ in keys:
            result.touched[configuration_id] = result.touched.get(configuration_id, 0) + 1
        connection.execute(
            text("delete from pos_touched_documents where id <= :touches"),
            {"touches": touches or 0},
        )
        _mark_normalised(connection, loads)
    return True


def _parts(keys: Sequence[Key]) -> Iterable[Sequence[Key]]:
    """The documents of a batch in as many equal parts as it takes; what is normalised still shows as one."""
    parts = -(-len(keys) // _DOCUMENTS_AT_ONCE)
    size = -(-len(keys) // max(parts, 1))
    return (keys[at : at + size] for at in range(0, len(keys), max(size, 1)))


def _run_or_halve(
    connection: Connection,
    compiled: Sequence[Statement],
    batch: Statement,
    keys: Sequence[Key],
    result: Normalised,
) -> None:
    """Runs the models over the batch; when the database refuses it, over its halves."""
    savepoint = connection.begin_nested()
    try:
        _run_models(connection, compiled)
        savepoint.commit()
        return
    except _REFUSALS as error:
        savepoint.rollback()
        reason = error
    if len(keys) == 1:
        if not aside.set_aside(connection, *keys[0], reason):
            raise reason
        result.quarantined += 1
        # Without the refused version, the one before it counts.
        _fill_with(connection, batch, keys)
        _run_or_halve(connection, compiled, batch, keys, result)
        return
    middle = len(keys) // 2
    for half in (keys[:middle], keys[middle:]):
        _fill_with(connection, batch, half)
        _run_or_halve(connection, compiled, batch, half, result)


def _run_models(connection: Connection, compiled: Sequence[Statement]) -> None:
    for statement in compiled:
        _run(connection, statement)
    aside.record(connection)


def _run(connection: Connection, statement: Statement) -> None:
    if statement.kind == "table":
        _refill(connection, statement)
    else:
        _replace_batch(connection, statement)


def _refill(connection: Connection, statement: Statement) -> None:
    _execute(connection, f"truncate {statement.relation}")
    _execute(connection, f"insert into {statement.relation} {statement.sql}")
    _execute(connection, f"analyze {statement.relation}")


def _replace_batch(connection: Connection, statement: Statement) -> None:
    _execute(connection, "drop table if exists pg_temp.pos_batch_rows")
    _execute(connection, f"create temp table pos_batch_rows on commit drop as {statement.sql}")
    _execute(connection, f"delete from {statement.relation} where {statement.batch_delete}")
    _execute(connection, f"insert into {statement.relation} select * from pg_temp.pos_batch_rows")


def _execute(connection: Connection, sql: str) -> None:
    """Runs SQL as it stands: compiled models contain percent signs, which are no parameters."""
    driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.execute(sql.encode())


def _batch_keys(connection: Connection, batch: Statement) -> list[Key]:
    rows: Iterable[Any] = connection.execute(
        text(
            f"select pos_system, configuration_id, external_id from {batch.relation} "
            "order by pos_system, configuration_id, external_id"
        )
    )
    return [(pos_system, configuration_id, external_id) for pos_system, configuration_id, external_id in rows]


def _fill_with(connection: Connection, batch: Statement, keys: Sequence[Key]) -> None:
    _execute(connection, f"truncate {batch.relation}")
    connection.execute(
        text(
            f"insert into {batch.relation} (pos_system, configuration_id, external_id) "
            "select * from unnest(cast(:systems as text[]), cast(:ids as uuid[]), cast(:keys as text[]))"
        ),
        {
            "systems": [key[0] for key in keys],
            "ids": [key[1] for key in keys],
            "keys": [key[2] for key in keys],
        },
    )
    _execute(connection, f"analyze {batch.relation}")


def _complete_loads(connection: Connection, limit: int | None) -> list[tuple[str, str]]:
    """The loads that dlt completed and nobody has normalised, oldest first."""
    loads: list[tuple[str, str]] = []
    for pos_system in connectors():
        rows: Iterable[Any] = connection.execute(
            text(f"""
                select load.load_id from {raw_schema(pos_system)}._dlt_loads as load
                where load.status = 0 and not exists (
                    select from pos_normalised_loads as done
                    where done.pos_system = :pos_system and done.load_id = load.load_id
                )
                order by load.load_id
                limit :limit
            """),
            {"pos_system": pos_system, "limit": limit},
        )
        loads.extend((pos_system, load_id) for (load_id,) in rows)
    return loads


def _mark_normalised(connection: Connection, loads: Sequence[tuple[str, str]]) -> None:
    if loads:
        connection.execute(
            text("""
                insert into pos_normalised_loads (pos_system, load_id) values (:pos_system, :load_id)
                on conflict do nothing
            """),
            [{"pos_system": pos_system, "load_id": load_id} for pos_system, load_id in loads],
        )
