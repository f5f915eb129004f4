"""What the ledger lacks: until when each stream of a configuration was read, and the gaps before that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UndefinedTable
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

_COVERAGE = text("""
    with configuration as (
        select id, tenant_id, history_from from pos_configurations
        where id = :configuration_id and tenant_id = :tenant_id
    ),
    expected as (
        select stream, '' as location_id, cast(null as text) as location_name
        from configuration cross join unnest(cast(:account_streams as text[])) as stream
        union all
        select stream, place.external_location_id, place.name
        from configuration
        inner join pos_configuration_locations as place
            on place.configuration_id = configuration.id and place.is_live
        cross join unnest(cast(:location_streams as text[])) as stream
    ),
    known as (
        select expected.*, ledger.window_from, ledger.window_to,
            coalesce(
                lag(ledger.window_to) over (
                    partition by expected.stream, expected.location_id order by ledger.window_from
                ),
                configuration.history_from,
                ledger.window_from
            ) as read_before
        from expected cross join configuration
        left join pos_sync_windows as ledger
            on ledger.configuration_id = configuration.id and ledger.tenant_id = configuration.tenant_id
                and ledger.stream = expected.stream
                and ledger.external_location_id = expected.location_id
    ),
    ranked as (
        select known.*, read_before < window_from as is_gap, row_number() over (
            partition by stream, location_id, read_before < window_from order by window_from desc
        ) as place
        from known
    )
    select stream, location_id, location_name, max(window_to) as read_until,
        count(*) filter (where is_gap) as gap_count,
        array_agg(read_before order by window_from) filter (where is_gap and place <= :most) as starts,
        array_agg(window_from order by window_from) filter (where is_gap and place <= :most) as ends
    from ranked
    group by stream, location_id, location_name
    order by stream, location_id
""")


@dataclass(frozen=True)
class Coverage:
    """How far one stream has been read.

    Args:
        external_location_id: empty for a stream of the whole account.
        read_until: None when nothing has been read.
        gap_count: intervals between the beginning of the history and `read_until` that were not read.
        gaps: the newest of them, half-open, in order of time.
    """

    stream: str
    external_location_id: str
    location_name: str | None
    read_until: datetime | None
    gap_count: int
    gaps: tuple[tuple[datetime, datetime], ...]


def coverage(
    connection: Connection,
    tenant_id: UUID,
    configuration_id: UUID,
    account_streams: Sequence[str],
    location_streams: Sequence[str],
    most_gaps: int = 20,
) -> list[Coverage]:
    """Each stream of the account, and of each live location, with what it lacks.

    Args:
        account_streams: the streams whose windows are the whole account's.
        location_streams: those that have windows per location.
        most_gaps: how many gaps of each are listed; all are counted.
    """
    rows: Iterable[Any] = connection.execute(
        _COVERAGE,
        {
            "tenant_id": tenant_id,
            "configuration_id": configuration_id,
            "account_streams": list(account_streams),
            "location_streams": list(location_streams),
            "most": most_gaps,
        },
    )
    return [
        Coverage(
            row.stream,
            row.location_id,
            row.location_name,
            row.read_until,
            row.gap_count,
            tuple(zip(row.starts or (), row.ends or (), strict=True)),
        )
        for row in rows
    ]


def newest_change_at(connection: Connection, tenant_id: UUID, configuration_id: UUID) -> datetime | None:
    """When a document of the configuration's newest business day last changed, by the vendor's clock."""
    query = text("""
        select max(coalesce(external_updated_at, occurred_at)) from pos_transactions
        where tenant_id = :tenant_id and configuration_id = :configuration_id and business_date = (
            select business_date from pos_transactions
            where tenant_id = :tenant_id and configuration_id = :configuration_id
            order by business_date desc limit 1
        )
    """)
    parameters = {"tenant_id": tenant_id, "configuration_id": configuration_id}
    try:
        with connection.begin_nested():
            found: datetime | None = connection.execute(query, parameters).scalar_one()
    except ProgrammingError as error:
        if isinstance(error.orig, UndefinedTable):  # nothing has been normalised yet
            return None
        raise
    return found
