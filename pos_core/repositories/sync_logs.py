"""The log of syncs: one row per configuration and sync."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, select, update

from pos_core.database.tables import sync_logs
from pos_core.repositories import sync_requests

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
    documents_skipped: int = 0
    documents_quarantined: int = 0
    documents_waiting: int = 0
    unknown_values: dict[str, int] = field(default_factory=dict)
    changes_announced: int = 0
    changes_unannounced: int = 0
    changes_unpolled: int = 0

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
    retries: int
    documents_read: int
    documents_landed: int
    documents_skipped: int
    documents_quarantined: int
    documents_waiting: int
    seconds: dict[str, Any] | None
    error_class: str | None
    error: str | None


INTERRUPTED = ("interrupted", "The process that ran this sync ended; nothing of it counts.")


def start(
    connection: Connection, tenant_id: UUID, configuration_id: UUID, run_id: str | None, source: str
) -> UUID:
    """Opens a log row; rows that a dead run left open are closed as failed, what they were to do is queued.

    To be called while the configuration's lock is held: no other sync of it can be running.
    """
    error_class, error = INTERRUPTED
    dead = connection.execute(
        update(sync_logs)
        .where(sync_logs.c.configuration_id == configuration_id, sync_logs.c.status == "running")
        .values(status="failed", finished_at=func.now(), error_class=error_class, error=error)
        .returning(sync_logs.c.id)
    )
    sync_requests.release(connection, list(dead.scalars()))
    sync_id = uuid4()
    connection.execute(
        sync_logs.insert().values(
            id=sync_id,
            tenant_id=tenant_id,
            configuration_id=configuration_id,
            run_id=run_id,
            source=source,
        )
    )
    return sync_id


def finish(
    connection: Connection,
    sync_id: UUID,
    counts: SyncCounts,
    seconds: Mapping[str, float],
    error: tuple[str, str] | None,
    has_more: bool = False,
) -> None:
    """Closes a log row and the requests that the sync took.

    Args:
        error: (class, message in plain words).
        has_more: what was asked for is not all done; the requests wait for the next sync.
    """
    values: dict[str, Any] = {
        **asdict(counts),
        "seconds": dict(seconds),
        "status": "failed" if error else "succeeded",
        "finished_at": func.now(),
    }
    if error:
        error_class, message = error
        values |= {"error_class": error_class, "error": _USER_INFO.sub("", message)}
    connection.execute(update(sync_logs).where(sync_logs.c.id == sync_id).values(**values))
    if has_more and not error:
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
