"""Documents outside the marts: what raw holds of them, which are quarantined, which are waited for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, Text, any_, case, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from pos_core.database.raw import raw_schema
from pos_core.database.tables import quarantined_documents, touched_documents, waiting_documents

GIVE_UP_AFTER = timedelta(days=1)
"""How long an incomplete document is asked for again before it is landed as it is."""


def known_versions(
    connection: Connection, pos_system: str, stream: str, configuration_id: UUID, ids: Sequence[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """The versions that complete loads hold: (version, updated_at, read_at, content_hash) by external id."""
    schema = raw_schema(pos_system)
    query = text(f"""
        select document.external_id, document.external_version, document.external_updated_at,
            document.read_at, document.content_hash
        from {schema}."{stream}" as document
        where document.configuration_id = :configuration_id
            and document.external_id = any(:ids)
            and exists (
                select from {schema}._dlt_loads as load
                where load.load_id = document._dlt_load_id and load.status = 0
            )
    """)
    rows: Iterable[Any] = connection.execute(
        query, {"configuration_id": str(configuration_id), "ids": list(ids)}
    )
    known: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for external_id, *version in rows:
        known[external_id].append(tuple(version))
    return known


def quarantine(connection: Connection, documents: Sequence[Mapping[str, Any]]) -> None:
    """Keeps documents aside with their reason; seen again, their row says when."""
    if not documents:
        return
    statement = insert(quarantined_documents)
    statement = statement.on_conflict_do_update(
        index_elements=["configuration_id", "stream", "content_hash", "stage"],
        set_={
            "last_seen_at": func.now(),
            "resolved_at": None,
            "reason": statement.excluded.reason,
            "read_at": statement.excluded.read_at,
        },
    )
    connection.execute(statement, list(documents))


def resolve_quarantined(
    connection: Connection, configuration_id: UUID, stream: str, external_ids: Sequence[str]
) -> None:
    """Documents that could not be landed and now have been, in a later version, need nobody any more."""
    table = quarantined_documents
    connection.execute(
        update(table)
        .where(
            table.c.configuration_id == configuration_id,
            table.c.stream == stream,
            table.c.stage == "landing",
            table.c.resolved_at.is_(None),
            _is_one_of(table, external_ids),
        )
        .values(resolved_at=func.now())
    )


def waiting_ids(connection: Connection, configuration_id: UUID) -> dict[str, list[str]]:
    """Per stream, the documents that were incomplete when they were read."""
    table = waiting_documents
    query = select(table.c.stream, table.c.external_id).where(
        table.c.configuration_id == configuration_id,
        table.c.stage == "landing",
        table.c.resolved_at.is_(None),
    )
    waiting: dict[str, list[str]] = defaultdict(list)
    rows: Iterable[Any] = connection.execute(query.order_by(table.c.external_id))
    for stream, external_id in rows:
        waiting[stream].append(external_id)
    return dict(waiting)


def given_up_ids(
    connection: Connection, configuration_id: UUID, stream: str, external_ids: Sequence[str]
) -> set[str]:
    """Those of the ids that were waited for long enough, landed meanwhile or not."""
    if not external_ids:  # of nearly every page
        return set()
    table = waiting_documents
    query = select(table.c.external_id).where(
        table.c.configuration_id == configuration_id,
        table.c.stream == stream,
        table.c.stage == "landing",
        _is_one_of(table, external_ids),
        table.c.give_up_at <= func.coalesce(table.c.resolved_at, func.now()),
    )
    return set(connection.execute(query).scalars())


def wait_for(
    connection: Connection,
    owner: Mapping[str, Any],
    stream: str,
    documents: Sequence[tuple[str, str]],
) -> None:
    """Notes documents (external id, reason) that are incomplete, to be asked for again.

    One that was complete in between, and no longer is, is waited for anew.
    """
    table = waiting_documents
    rows = [
        {
            **owner,
            "stream": stream,
            "external_id": external_id,
            "stage": "landing",
            "reason": reason,
            "give_up_at": func.now() + GIVE_UP_AFTER,
        }
        for external_id, reason in documents
    ]
    for row in rows:
        statement = insert(table).values(**row)
        since = case((table.c.resolved_at.is_(None), table.c.first_seen_at), else_=func.now())
        until = case((table.c.resolved_at.is_(None), table.c.give_up_at), else_=statement.excluded.give_up_at)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["configuration_id", "stream", "external_id", "stage"],
                set_={
                    "first_seen_at": since,
                    "last_seen_at": func.now(),
                    "reason": row["reason"],
                    "give_up_at": until,
                    "resolved_at": None,
                },
            )
        )


def stop_waiting(
    connection: Connection, configuration_id: UUID, stream: str, external_ids: Sequence[str]
) -> None:
    """The documents have been landed."""
    table = waiting_documents
    connection.execute(
        update(table)
        .where(
            table.c.configuration_id == configuration_id,
            table.c.stream == stream,
            table.c.stage == "landing",
            _is_one_of(table, external_ids),
            table.c.resolved_at.is_(None),
        )
        .values(resolved_at=func.now())
    )


def _is_one_of(table: Table, external_ids: Sequence[str]) -> ColumnElement[bool]:
    """By one parameter, an array: thousands of them take longer to send than to look up."""
    return table.c.external_id == any_(literal(list(external_ids), ARRAY(Text)))


def touch(connection: Connection, configuration_id: UUID, external_ids: Sequence[str]) -> None:
    """Has documents normalised again with the next batch."""
    if external_ids:
        connection.execute(
            touched_documents.insert(),
            [{"configuration_id": configuration_id, "external_id": each} for each in external_ids],
        )


@dataclass(frozen=True)
class Problem:
    """How many documents of a stream are kept aside for one reason."""

    stream: str
    reason: str
    documents: int
    last_seen_at: datetime


def problem_counts(
    connection: Connection, tenant_id: UUID, configuration_id: UUID, most: int
) -> dict[str, tuple[int, list[Problem]]]:
    """Of `quarantined` and `waiting` documents how many need somebody, and the `most` frequent reasons."""
    found = {}
    for name, table in (("quarantined", quarantined_documents), ("waiting", waiting_documents)):
        documents = func.count().label("documents")
        query = (
            select(
                table.c.stream,
                table.c.reason,
                documents,
                func.max(table.c.last_seen_at).label("last_seen_at"),
                func.sum(func.count()).over().label("total"),
            )
            .where(
                table.c.tenant_id == tenant_id,
                table.c.configuration_id == configuration_id,
                table.c.resolved_at.is_(None),
            )
            .group_by(table.c.stream, table.c.reason)
            .order_by(documents.desc(), table.c.stream, table.c.reason)
            .limit(most)
        )
        rows = connection.execute(query).all()
        total = int(rows[0].total) if rows else 0
        found[name] = (total, [Problem(*row[:4]) for row in rows])
    return found


def open_problems(connection: Connection, configuration_id: UUID | None = None) -> dict[str, list[Any]]:
    """Quarantined and waiting documents that still need somebody, newest first."""
    problems = {}
    for name, table in (("quarantined", quarantined_documents), ("waiting", waiting_documents)):
        query = select(
            table.c.configuration_id,
            table.c.stream,
            table.c.external_id,
            table.c.stage,
            table.c.reason,
            table.c.first_seen_at,
            table.c.last_seen_at,
        ).where(table.c.resolved_at.is_(None))
        if configuration_id is not None:
            query = query.where(table.c.configuration_id == configuration_id)
        rows = connection.execute(query.order_by(table.c.first_seen_at.desc()))
        problems[name] = [dict(row._mapping) for row in rows]
    return problems
