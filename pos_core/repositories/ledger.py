"""The coverage ledger: which intervals have been read completely."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from pos_core.database.tables import sync_windows


@dataclass(frozen=True)
class Window:
    """A half-open interval [window_from, window_to) of one stream; location id '' is the whole account."""

    stream: str
    external_location_id: str
    window_from: datetime
    window_to: datetime


def covered(
    connection: Connection, configuration_id: UUID
) -> dict[tuple[str, str], list[tuple[datetime, datetime]]]:
    """The intervals read of a configuration, by (stream, location id)."""
    query = select(
        sync_windows.c.stream,
        sync_windows.c.external_location_id,
        sync_windows.c.window_from,
        sync_windows.c.window_to,
    ).where(sync_windows.c.configuration_id == configuration_id)
    intervals: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    rows: Iterable[Any] = connection.execute(query)
    for stream, location_id, window_from, window_to in rows:
        intervals[stream, location_id].append((window_from, window_to))
    return dict(intervals)


def commit(
    connection: Connection,
    tenant_id: UUID,
    configuration_id: UUID,
    sync_id: UUID,
    windows: Sequence[Window],
) -> None:
    """Records windows, to be called once what they hold has been loaded; touching rows become one."""
    statement = text("""
        with absorbed as (
            delete from pos_sync_windows
            where configuration_id = :configuration_id and stream = :stream
                and external_location_id = :location
                and window_from <= :window_to and window_to >= :window_from
            returning window_from, window_to
        )
        insert into pos_sync_windows
            (tenant_id, configuration_id, stream, external_location_id, window_from, window_to, sync_id)
        select
            :tenant_id, :configuration_id, :stream, :location,
            least(min(window_from), :window_from), greatest(max(window_to), :window_to), :sync_id
        from absorbed
    """)
    for window in windows:
        connection.execute(
            statement,
            {
                "tenant_id": tenant_id,
                "configuration_id": configuration_id,
                "stream": window.stream,
                "location": window.external_location_id,
                "window_from": window.window_from,
                "window_to": window.window_to,
                "sync_id": sync_id,
            },
        )
