"""The log of syncs: one row per configuration and sync."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, update

from pos_core.database.tables import sync_logs


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


def start(
    connection: Connection, tenant_id: UUID, configuration_id: UUID, run_id: str | None, source: str
) -> UUID:
    """Opens a log row; rows that a dead run left open are closed as failed.

    To be called while the configuration's lock is held: no other sync of it can be running.
    """
    connection.execute(
        update(sync_logs)
        .where(sync_logs.c.configuration_id == configuration_id, sync_logs.c.status == "running")
        .values(
            status="failed",
            finished_at=func.now(),
            error_class="interrupted",
            error="The process that ran this sync ended; nothing of it counts.",
        )
    )
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
) -> None:
    """Closes a log row; `error` is (class, message in plain words)."""
    values: dict[str, Any] = {
        **asdict(counts),
        "seconds": dict(seconds),
        "status": "failed" if error else "succeeded",
        "finished_at": func.now(),
    }
    if error:
        values["error_class"], values["error"] = error
    connection.execute(update(sync_logs).where(sync_logs.c.id == sync_id).values(**values))
