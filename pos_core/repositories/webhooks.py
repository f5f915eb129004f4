"""The inbox of webhooks as the pipeline reads it: what waits, what became of it, the gate of the drain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update

from pos_core.database.tables import configurations, webhook_gate, webhook_logs
from pos_core.repositories.locks import is_free

DRAIN_LOCK = "pos-webhook-drain"
_ATTEMPTS = 12
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=10)


@dataclass(frozen=True)
class Pending:
    """An event that waits to be worked off."""

    id: int
    configuration_id: UUID
    event_id: str
    event_type: str
    received_at: datetime
    attempts: int
    body: bytes = field(repr=False)


_COLUMNS = [webhook_logs.c[name] for name in Pending.__dataclass_fields__]


def take(connection: Connection, limit: int) -> list[Pending]:
    """The events whose time has come, the oldest first; also says that they were looked at."""
    connection.execute(update(webhook_gate).values(is_dirty=False))
    query = (
        select(*_COLUMNS)
        .where(
            webhook_logs.c.outcome == "pending",
            webhook_logs.c.available_at <= func.now(),
            webhook_logs.c.configuration_id.is_not(None),
        )
        .order_by(webhook_logs.c.id)
        .limit(limit)
    )
    return [Pending(**row._mapping) for row in connection.execute(query)]


def close_gate(connection: Connection) -> bool:
    """Ends a drain unless events came since it last looked; returns whether it may end."""
    statement = update(webhook_gate).where(~webhook_gate.c.is_dirty).values(is_active=False)
    return bool(connection.execute(statement).rowcount)


def open_gate(connection: Connection) -> None:
    """The next event may ask for a drain: this one ends although something waits."""
    connection.execute(update(webhook_gate).values(is_active=False))


def is_due(connection: Connection) -> bool:
    """Whether the time of an event has come."""
    return has_forgotten(connection, timedelta(0))


def waits_until(connection: Connection, span: timedelta) -> bool:
    """Whether an event is to be tried within `span`."""
    return has_forgotten(connection, -span)


def take_over(connection: Connection, grace: timedelta) -> bool:
    """Whether events wait that nobody works off; then the gate says that a drain was asked for.

    Args:
        grace: for how long they are left to whoever was told of them, and to a drain that was asked for.
    """
    if not has_forgotten(connection, grace) or not is_free(connection, DRAIN_LOCK):
        return False
    statement = (
        update(webhook_gate)
        .where(~webhook_gate.c.is_active | (webhook_gate.c.knocked_at < func.now() - grace))
        .values(is_active=True, is_dirty=True, knocked_at=func.now())
    )
    return bool(connection.execute(statement).rowcount)


def has_forgotten(connection: Connection, age: timedelta) -> bool:
    """Whether events have been waiting for longer than `age` beyond their time."""
    query = select(func.count()).where(
        webhook_logs.c.outcome == "pending", webhook_logs.c.available_at < func.now() - age
    )
    return bool(connection.execute(query).scalar_one())


def finish(connection: Connection, ids: Sequence[int], outcome: str = "processed") -> None:
    """Events are done; to be called in the transaction that makes it true."""
    if ids:
        connection.execute(
            update(webhook_logs)
            .where(webhook_logs.c.id.in_(ids))
            .values(outcome=outcome, processed_at=func.now(), reason=None)
        )


def mark_visible(connection: Connection, ids: Sequence[int]) -> None:
    """The rows of those of the events that are done are in the marts."""
    connection.execute(
        update(webhook_logs)
        .where(webhook_logs.c.id.in_(ids), webhook_logs.c.outcome == "processed")
        .values(visible_at=func.now())
    )


def announced(
    connection: Connection, configuration_id: UUID, since: datetime
) -> dict[str, tuple[datetime, str]]:
    """The sales that events received since then have told of: when the first was sent, and its outcome."""
    query = text("""
        select distinct on (told.id) told.id, coalesce(e.vendor_sent_at, e.received_at), e.outcome
        from pos_webhook_logs as e cross join unnest(e.external_ids) as told (id)
        where e.configuration_id = :configuration_id and e.received_at >= :since
        order by told.id, e.received_at
    """)
    parameters = {"configuration_id": configuration_id, "since": since}
    rows: Iterable[Any] = connection.execute(query, parameters)
    return {external_id: (sent_at, outcome) for external_id, sent_at, outcome in rows}


def defer(connection: Connection, ids: Sequence[int], wait: timedelta | datetime) -> None:
    """Events have to wait for somebody else, for some time or until an instant; that is no attempt."""
    if ids:
        values = {"available_at": func.now() + wait if isinstance(wait, timedelta) else wait}
        connection.execute(update(webhook_logs).where(webhook_logs.c.id.in_(ids)).values(values))


def postpone(connection: Connection, events: Sequence[Pending], reason: str) -> None:
    """Events could not be worked off; they are tried again after twice as long each time.

    After the last attempt they are given up and their configurations are read as a whole: nothing is lost.
    """
    given_up = [each for each in events if each.attempts + 1 >= _ATTEMPTS]
    for each in events:
        wait = min(_FIRST_WAIT * 2**each.attempts, _LONGEST_WAIT)
        values: dict[str, Any] = {
            "attempts": each.attempts + 1,
            "available_at": func.now() + wait,
            "reason": reason,
        }
        if each in given_up:
            values |= {"outcome": "given_up", "processed_at": func.now()}
        connection.execute(update(webhook_logs).where(webhook_logs.c.id == each.id).values(**values))
    if given_up:
        connection.execute(
            update(configurations)
            .where(configurations.c.id.in_({each.configuration_id for each in given_up}))
            .values(next_sync_at=func.least(configurations.c.next_sync_at, func.now()))
        )


def forget_bodies(connection: Connection, keep: timedelta) -> int:
    """Empties the bodies of events that were done longer ago than `keep`; returns how many."""
    statement = (
        update(webhook_logs)
        .where(webhook_logs.c.body.is_not(None), webhook_logs.c.processed_at < func.now() - keep)
        .values(body=None)
    )
    return connection.execute(statement).rowcount
