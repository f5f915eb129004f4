"""The log of syncs: one row per configuration and sync."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from pos_core.database.tables import sync_logs
from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration

_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass
class SyncCounts:
    """What one sync of one configuration did."""

    windows_read: int = 0
    calls: int = 0
    pages: int = 0
    retries: int = 0
    received_bytes: int = 0
    documents_read: int = 0
    documents_landed: int = 0
    documents_new: int = 0
    documents_changed: int = 0
    documents_skipped: int = 0
    documents_quarantined: int = 0
    documents_waiting: int = 0
    unknown_values: dict[str, int] = field(default_factory=dict)
    changes_announced: int = 0
    changes_unannounced: int = 0
    changes_unpolled: int = 0

    def note_landed(self, *, is_new: bool) -> None:
        """One more document that is to be landed: a new one, or another version of one that was there."""
        self.documents_landed += 1
        self.documents_new += is_new
        self.documents_changed += not is_new

    def note_nothing_landed(self) -> None:
        """What was read could not be landed."""
        self.documents_landed = self.documents_new = self.documents_changed = 0

    def add(self, other: "SyncCounts") -> None:
        """Takes the counts of another sync of the same configuration along."""
        for name, value in vars(other).items():
            if name != "unknown_values":
                setattr(self, name, getattr(self, name) + value)
        for name, count in other.unknown_values.items():
            self.unknown_values[name] = self.unknown_values.get(name, 0) + count


@dataclass(frozen=True)
class SyncLog:
    """One sync of one configuration; `seconds` is per step, `error` in plain words."""

    id: UUID
    run_id: str | None
    source: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    windows_read: int
    calls: int
    pages: int
    retries: int
    received_bytes: int
    documents_read: int
    documents_landed: int
    documents_new: int
    documents_changed: int
    documents_skipped: int
    documents_quarantined: int
    documents_waiting: int
    seconds: dict[str, Any] | None
    error_class: str | None
    error: str | None


KEPT_FOR = timedelta(days=90)
"""How long the log is kept; of each configuration its last success is kept in any case."""

_NEWEST = text("""
    select
        configuration.id as configuration_id, newest.*,
        (
            select min(newest_end) from (
                select max(w.window_to) as newest_end from pos_sync_windows as w
                where w.configuration_id = configuration.id group by w.stream, w.external_location_id
            ) as per_stream
        ) as read_until
    from pos_configurations as configuration
    cross join lateral (
        select status, started_at, finished_at, documents_read, documents_landed, documents_new,
            documents_changed, error_class, error
        from pos_sync_logs as log
        where log.configuration_id = configuration.id and (log.status <> 'running' or not :is_finished)
        order by log.started_at desc limit 1
    ) as newest
    where cast(:configuration_id as uuid) is null or configuration.id = :configuration_id
""")
# By configuration, so that each finds what is old through its index.
_PRUNE = text("""
    with old as (
        select log.id
        from pos_configurations as configuration
        left join lateral (
            select good.id from pos_sync_logs as good
            where good.configuration_id = configuration.id and good.status = 'succeeded'
            order by good.started_at desc limit 1
        ) as kept on true
        inner join pos_sync_logs as log
            on log.configuration_id = configuration.id and log.started_at < now() - cast(:age as interval)
        where log.status <> 'running' and log.id is distinct from kept.id
    )
    delete from pos_sync_logs where id in (select id from old)
""")
INTERRUPTED = ("interrupted", "The process that ran this sync ended; nothing of it counts.")


def start(
    connection: Connection, some: Sequence[Configuration], run_id: str | None, source: str
) -> list[UUID]:
    """Opens a log row for each; rows that dead runs left open are closed as failed, what they had is queued.

    To be called while the configurations' locks are held: no other sync of them can be running.

    Returns:
        The ids of the syncs, in the order of the configurations.
    """
    error_class, error = INTERRUPTED
    dead = connection.execute(
        update(sync_logs)
        .where(sync_logs.c.configuration_id.in_([each.id for each in some]), sync_logs.c.status == "running")
        .values(status="failed", finished_at=func.now(), error_class=error_class, error=error)
        .returning(sync_logs.c.id)
    )
    interrupted: list[UUID] = list(dead.scalars())
    if interrupted:
        sync_requests.release(connection, interrupted)
    ids = [uuid4() for _ in some]
    rows = [
        {
            "id": sync_id,
            "tenant_id": each.tenant_id,
            "configuration_id": each.id,
            "run_id": run_id,
            "source": source,
        }
        for each, sync_id in zip(some, ids, strict=True)
    ]
    if rows:
        connection.execute(sync_logs.insert(), rows)
    return ids


def finish(
    connection: Connection,
    sync_id: UUID,
    counts: SyncCounts,
    seconds: Mapping[str, float],
    error: tuple[str, str] | None,
    status: str | None = None,
    has_more: bool = False,
) -> None:
    """Closes a log row and the requests that the sync took; of a postponed one they are queued again.

    Args:
        error: its class, and the message in plain words.
        status: succeeded, failed or postponed; None is one of the first two, as `error` says.
        has_more: what was asked for is not all done; the requests wait for the next sync.
    """
    status = status or ("failed" if error else "succeeded")
    values: dict[str, Any] = {
        **asdict(counts),
        "seconds": dict(seconds),
        "status": status,
        "finished_at": func.now(),
    }
    if error:
        error_class, message = error
        values |= {"error_class": error_class, "error": _USER_INFO.sub("", message)}
    connection.execute(update(sync_logs).where(sync_logs.c.id == sync_id).values(**values))
    if status == "postponed" or (has_more and not error):
        sync_requests.release(connection, [sync_id])
    else:
        sync_requests.finish(connection, sync_id, is_success=error is None)


def recent(connection: Connection, tenant_id: UUID, configuration_id: UUID, limit: int) -> list[SyncLog]:
    """The last syncs of a configuration, newest first, running ones too."""
    query = (
        select(*(sync_logs.c[name] for name in SyncLog.__dataclass_fields__))
        .where(sync_logs.c.tenant_id == tenant_id, sync_logs.c.configuration_id == configuration_id)
        .order_by(sync_logs.c.started_at.desc(), sync_logs.c.id)
        .limit(limit)
    )
    return [SyncLog(**row._mapping) for row in connection.execute(query)]


def newest(
    connection: Connection, *, is_finished: bool, configuration_id: UUID | None = None
) -> dict[UUID, dict[str, Any]]:
    """Of each configuration the last sync with its figures, and up to when everything has been read.

    Args:
        is_finished: the last one that has ended.
        configuration_id: of this one alone.
    """
    parameters = {"is_finished": is_finished, "configuration_id": configuration_id}
    rows: Iterable[Any] = connection.execute(_NEWEST, parameters)
    return {row.configuration_id: dict(row._mapping) for row in rows}


def add_seconds(connection: Connection, sync_ids: Collection[UUID], seconds: Mapping[str, float]) -> None:
    """Notes how long steps took that came after the syncs had ended."""
    connection.execute(
        update(sync_logs)
        .where(sync_logs.c.id.in_(sync_ids))
        .values(
            seconds=func.coalesce(sync_logs.c.seconds, cast({}, JSONB)).concat(cast(dict(seconds), JSONB))
        )
    )


def prune(connection: Connection) -> int:
    """Removes rows that are older than `KEPT_FOR`, but for the last success of each configuration.

    Returns:
        How many.
    """
    return connection.execute(_PRUNE, {"age": KEPT_FOR}).rowcount
