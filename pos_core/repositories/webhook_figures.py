"""What became of a POS's webhooks: how many, how fast, what waits, and what was never announced.

Whose they are is not asked here: the transaction sees one tenant's events, or all of them for an operator.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from pos_core.database.tables import webhook_subscriptions


@dataclass(frozen=True)
class Counts:
    """Events of a stretch of time, by what became of them and by type."""

    by_outcome: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """The state of one POS's webhooks.

    Args:
        row_after_p50_seconds: from the vendor's time stamp (or the receipt, where there is none) to the row
            in the marts, of the last day's events; None where there were none.
        oldest_pending_at: when the oldest event that still waits was received.
    """

    last_event_at: datetime | None
    last_hour: Counts
    last_day: Counts
    row_after_p50_seconds: float | None
    row_after_p95_seconds: float | None
    pending: int
    oldest_pending_at: datetime | None


@dataclass(frozen=True)
class Loss:
    """Of one configuration and the last day's polls, the changes they compared with the webhooks.

    Args:
        announced: changes found that a webhook had told of.
        unannounced: changes found that no webhook had told of.
        unpolled: sales that a webhook told of and the poll after it did not return.
    """

    configuration_id: UUID
    name: str
    last_event_at: datetime | None
    announced: int
    unannounced: int
    unpolled: int


@dataclass(frozen=True)
class Subscription:
    """A subscription that is made by the vendor's API, without its signature keys.

    Args:
        external_id: None where the vendor has none yet; of the rest only `problem` means something then.
        problem: why the last attempt to look after it failed.
        checked_at: when the vendor has confirmed it last.
    """

    external_id: str | None
    url: str
    is_enabled: bool
    problem: str | None
    checked_at: datetime


def figures(connection: Connection, pos_system: str) -> Figures:
    """The figures of the events that this transaction may see."""
    of_system = {"pos_system": pos_system}
    query = text("""
        select
            max(received_at) as last_event_at,
            count(*) filter (where outcome = 'pending') as pending,
            min(received_at) filter (where outcome = 'pending') as oldest_pending_at
        from pos_webhook_logs where pos_system = :pos_system
    """)
    state = connection.execute(query, of_system).one()
    query = text("""
        select percentile_cont(array[0.5, 0.95]) within group (
            order by extract(epoch from visible_at - coalesce(vendor_sent_at, received_at))
        )
        from pos_webhook_logs
        where pos_system = :pos_system and received_at > now() - interval '1 day' and visible_at is not null
    """)
    delays = connection.execute(query, of_system).scalar() or (None, None)
    return Figures(
        last_event_at=state.last_event_at,
        last_hour=_counts(connection, pos_system, "1 hour"),
        last_day=_counts(connection, pos_system, "1 day"),
        row_after_p50_seconds=delays[0],
        row_after_p95_seconds=delays[1],
        pending=state.pending,
        oldest_pending_at=state.oldest_pending_at,
    )


def uncounted(connection: Connection, pos_system: str) -> dict[str, int]:
    """Deliveries of the last day of which nothing was stored: refused, malformed, repeated."""
    query = text("""
        select outcome, sum(events)::bigint as events from pos_webhook_counts
        where pos_system = :pos_system and hour > now() - interval '1 day' group by 1 order by 1
    """)
    rows: Iterable[Any] = connection.execute(query, {"pos_system": pos_system})
    return {row.outcome: row.events for row in rows}


def subscription(connection: Connection, pos_system: str, base_url: str) -> Subscription | None:
    """The operator's subscription at a vendor address; None where none was ever tried."""
    table = webhook_subscriptions
    columns = [table.c[name] for name in Subscription.__dataclass_fields__]
    query = select(*columns).where(table.c.pos_system == pos_system, table.c.base_url == base_url)
    row = connection.execute(query).one_or_none()
    return Subscription(**row._mapping) if row else None


def losses(connection: Connection, tenant_id: UUID | None, pos_system: str) -> list[Loss]:
    """The loss meter of live configurations: a tenant's, or with None all that the transaction may see."""
    query = text("""
        select c.id, c.name, e.last_event_at,
            coalesce(s.announced, 0), coalesce(s.unannounced, 0), coalesce(s.unpolled, 0)
        from pos_configurations as c
        left join lateral (
            select max(received_at) as last_event_at from pos_webhook_logs where configuration_id = c.id
        ) as e on true
        left join lateral (
            select sum(changes_announced)::bigint as announced,
                sum(changes_unannounced)::bigint as unannounced,
                sum(changes_unpolled)::bigint as unpolled
            from pos_sync_logs
            where configuration_id = c.id and started_at > now() - interval '1 day'
        ) as s on true
        where c.pos_system = :pos_system and c.status = 'active'
            and (cast(:tenant_id as uuid) is null or c.tenant_id = :tenant_id)
        order by c.created_at, c.id
    """)
    rows: Iterable[Any] = connection.execute(query, {"tenant_id": tenant_id, "pos_system": pos_system})
    return [Loss(*row) for row in rows]


def _counts(connection: Connection, pos_system: str, age: str) -> Counts:
    query = text("""
        select outcome, event_type, count(*) from pos_webhook_logs
        where pos_system = :pos_system and received_at > now() - cast(:age as interval) group by 1, 2
    """)
    by_outcome: dict[str, int] = defaultdict(int)
    by_type: dict[str, int] = defaultdict(int)
    rows: Iterable[Any] = connection.execute(query, {"pos_system": pos_system, "age": age})
    for outcome, event_type, events in rows:
        by_outcome[outcome] += events
        by_type[event_type or "untold"] += events
    return Counts(dict(by_outcome), dict(by_type))
