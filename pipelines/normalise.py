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

from pipelines import models
from pipelines.models import BATCH_MODEL, Statement
from pipelines.registry import connectors
from pos_core.database.address import DatabaseAddress
from pos_core.database.raw import raw_schema
from pos_core.repositories.locks import held_normalising

logger = logging.getLogger(__name__)

_LOADS_PER_BATCH = 500

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
    models.build(address, folder)
    with connection.begin():
        # What the database refused may pass now; it is tried again with the next batch.
        connection.execute(
            text("""
                with freed as (
                    update pos_quarantined_documents set resolved_at = now()
                    where stage = 'normalise' and resolved_at is null
                    returning configuration_id, external_id
                )
                insert into pos_touched_documents (configuration_id, external_id)
                select configuration_id, external_id from freed
            """)
        )
        _mark_normalised(connection, loads)
        _record_aside(connection)
        connection.execute(
            text("""
                insert into pos_model_builds (id, fingerprint) values (1, :fingerprint)
                on conflict (id) do update set fingerprint = excluded.fingerprint, built_at = now()
            """),
            {"fingerprint": current},
        )
    return True


def _one_batch(connection: Connection, compiled: Sequence[Statement], result: Normalised) -> bool:
    """Normalises one batch in one transaction; False when there was nothing to do."""
    with connection.begin():
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
        at = [each.name for each in compiled].index(BATCH_MODEL)
        for statement in compiled[: at + 1]:
            _run(connection, statement)
        batch = compiled[at]
        keys = _batch_keys(connection, batch)
        if keys:
            _run_or_halve(connection, compiled[at + 1 :], batch, keys, result)
        for _, configuration_id, _ in keys:
            result.touched[configuration_id] = result.touched.get(configuration_id, 0) + 1
        connection.execute(
            text("delete from pos_touched_documents where id <= :touches"),
            {"touches": touches or 0},
        )
        _mark_normalised(connection, loads)
    return True


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
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        savepoint.rollback()
        reason = error
    if len(keys) == 1:
        _set_aside(connection, keys[0], reason)
        result.quarantined += 1
        # Without the refused version, the one before it counts.
        _fill_with(connection, batch, keys)
        with connection.begin_nested():
            _run_models(connection, compiled)
        return
    middle = len(keys) // 2
    for half in (keys[:middle], keys[middle:]):
        _fill_with(connection, batch, half)
        _run_or_halve(connection, compiled, batch, half, result)


def _run_models(connection: Connection, compiled: Sequence[Statement]) -> None:
    for statement in compiled:
        _run(connection, statement)
    _record_aside(connection)


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


def _set_aside(connection: Connection, key: Key, error: psycopg.Error) -> None:
    """Quarantines every version of a document that the database refuses, with its reason."""
    pos_system, configuration_id, external_id = key
    connector = connectors()[pos_system]
    reason = (error.diag.message_primary or type(error).__name__).strip()
    logger.warning("document %s of configuration %s set aside: %s", external_id, configuration_id, reason)
    connection.execute(
        text(f"""
            insert into pos_quarantined_documents
                (tenant_id, configuration_id, pos_system, stream, external_id, content_hash, stage, reason)
            select distinct
                cast(tenant_id as uuid), cast(configuration_id as uuid), :pos_system, :stream, external_id,
                content_hash, 'normalise', :reason
            from {raw_schema(pos_system)}."{connector.sales_stream}"
            where configuration_id = :configuration_id and external_id = :external_id
            on conflict (configuration_id, stream, content_hash, stage)
            do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
        """),
        {
            "pos_system": pos_system,
            "stream": connector.sales_stream,
            "configuration_id": str(configuration_id),
            "external_id": external_id,
            "reason": reason,
        },
    )


def _record_aside(connection: Connection) -> None:
    """Notes what the models refused or have to wait for, and closes what no longer is."""
    for statement in _ASIDE:
        connection.execute(text(statement))


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


_TOUCHED = f"(select configuration_id, external_id from pos_work.{BATCH_MODEL})"
_ASIDE = (
    f"""
    update pos_quarantined_documents set resolved_at = now()
    where stage = 'model' and resolved_at is null and (configuration_id, external_id) in {_TOUCHED}
    """,
    f"""
    insert into pos_quarantined_documents
        (tenant_id, configuration_id, pos_system, stream, external_id, content_hash, stage, reason)
    select tenant_id, configuration_id, pos_system, stream, external_id, content_hash, 'model', min(reason)
    from pos_work.{models.REJECTED_MODEL}
    group by 1, 2, 3, 4, 5, 6
    on conflict (configuration_id, stream, content_hash, stage)
    do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
    """,
    f"""
    update pos_waiting_documents set resolved_at = now()
    where stage = 'normalise' and resolved_at is null and (configuration_id, external_id) in {_TOUCHED}
    """,
    f"""
    insert into pos_waiting_documents
        (tenant_id, configuration_id, pos_system, stream, external_id, stage, reason)
    select distinct tenant_id, configuration_id, pos_system, stream, external_id, 'normalise', reason
    from pos_work.{models.WAITING_MODEL}
    on conflict (configuration_id, stream, external_id, stage)
    do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
    """,
)
