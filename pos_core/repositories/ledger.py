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


def forget(
    connection: Connection,
    configuration_id: UUID,
    streams: Sequence[str],
    since: datetime,
    until: datetime | None,
) -> None:
    """Has a range of streams count as not read, so that it is read again; until now where it has no end.

    The last second before the end of what was read stays: the next poll begins there in any case, and how
    far the sales have been read is still known.
    """
    connection.execute(
        text("""
            with newest as (
                select stream, external_location_id, max(window_to) - interval '1 second' as until
                from pos_sync_windows
                where configuration_id = :configuration_id and stream = any(:streams)
                group by stream, external_location_id
            ),
            cut as (
                delete from pos_sync_windows as ledger using newest
                where ledger.configuration_id = :configuration_id and ledger.stream = newest.stream
                    and ledger.external_location_id = newest.external_location_id
                    and ledger.window_to > :since and ledger.window_from < least(newest.until, :until)
                returning ledger.*, least(newest.until, :until) as forgotten_to
            )
            insert into pos_sync_windows (
                tenant_id, configuration_id, stream, external_location_id, window_from, window_to, sync_id,
                committed_at
            )
            select tenant_id, configuration_id, stream, external_location_id, window_from, :since, sync_id,
                committed_at
            from cut where window_from < :since
            union all
            select tenant_id, configuration_id, stream, external_location_id, forgotten_to, window_to,
                sync_id, committed_at
            from cut where window_to > forgotten_to
        """),
        {
            "configuration_id": configuration_id,
            "streams": list(streams),
            "since": since,
            "until": until,
        },
    )
