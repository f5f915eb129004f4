"""How late the changes of a configuration were seen to come, and how far back its polls therefore reach."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from pos_core.database.tables import lateness

ONE_MISSED_IN = 10_000
"""Of so many changes the overlap may miss one; the daily reading finds that."""
WIDEST = timedelta(hours=6)


def record(
    connection: Connection, tenant_id: UUID, configuration_id: UUID, changes: Mapping[tuple[str, int], int]
) -> None:
    """Adds the changes that a sync found, by (stream, bucket)."""
    if not changes:
        return
    statement = insert(lateness)
    statement = statement.on_conflict_do_update(
        index_elements=["configuration_id", "stream", "bucket"],
        set_={"changes": lateness.c.changes + statement.excluded.changes},
    )
    connection.execute(
        statement,
        [
            {
                "tenant_id": tenant_id,
                "configuration_id": configuration_id,
                "stream": stream,
                "bucket": bucket,
                "changes": count,
            }
            for (stream, bucket), count in sorted(changes.items())
        ],
    )


def overlaps(connection: Connection, configuration_id: UUID) -> dict[str, timedelta]:
    """Per stream, how far back a poll has to reach to miss no more than one change in `ONE_MISSED_IN`."""
    query = select(lateness.c.stream, lateness.c.bucket, lateness.c.changes).where(
        lateness.c.configuration_id == configuration_id
    )
    streams: dict[str, dict[int, int]] = defaultdict(dict)
    rows: Iterable[Any] = connection.execute(query)
    for stream, bucket, changes in rows:
        streams[stream][bucket] = changes
    return {stream: needed(buckets) for stream, buckets in streams.items()}


def needed(buckets: Mapping[int, int]) -> timedelta:
    """The overlap for changes counted by bucket: 2 to its power, in seconds; below 0 they were in time."""
    missed, allowed = 0, sum(buckets.values()) // ONE_MISSED_IN
    for bucket in sorted((each for each in buckets if each >= 0), reverse=True):
        missed += buckets[bucket]
        if missed > allowed:
            return min(WIDEST, timedelta(seconds=2**bucket))
    return timedelta(0)
