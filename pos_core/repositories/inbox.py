"""What the receiver of webhooks asks and writes, asynchronously and in the role that may do nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

_SEPARATOR = "\x1f"  # ids are printable
# Without a conflict target: to name one takes the right to read.
_INSERT = f"""
    insert into pos_webhook_logs
        (tenant_id, configuration_id, pos_system, event_id, event_type, vendor_sent_at, outcome, body,
         external_ids, processed_at)
    select
        tenant_id, configuration_id, pos_system, event_id, event_type, vendor_sent_at, outcome, body,
        string_to_array(nullif(ids, ''), '{_SEPARATOR}'), case outcome when 'pending' then null else now() end
    from unnest(
        %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
        %s::bytea[], %s::text[]
    ) as row (
        tenant_id, configuration_id, pos_system, event_id, event_type, vendor_sent_at, outcome, body, ids
    )
    on conflict do nothing
"""


@dataclass(frozen=True)
class Received:
    """A verified event for one configuration, or for none that is known.

    Args:
        outcome: `pending`, `ignored` or `unknown_account`.
        body: without personal data; None where nobody will read it again.
        external_ids: the sales documents that it announces.
    """

    pos_system: str
    event_id: str
    event_type: str
    vendor_sent_at: datetime | None
    outcome: str
    body: bytes | None = field(repr=False)
    external_ids: Sequence[str] = ()
    configuration_id: UUID | None = None
    tenant_id: UUID | None = None


@dataclass(frozen=True)
class Recipient:
    """A configuration that an event may concern."""

    configuration_id: UUID
    tenant_id: UUID


@dataclass(frozen=True)
class Connection:
    """A configuration whose vendor signs with a secret of its own."""

    pos_system: str
    tenant_id: UUID
    account_id: str
    credentials_sealed: str = field(repr=False)


async def store(connection: AsyncConnection, rows: Sequence[Received]) -> int:
    """Writes events, each once; returns how many were new. Committed when it returns, in autocommit mode."""
    columns: Iterable[list[object]] = (
        [each.tenant_id for each in rows],
        [each.configuration_id for each in rows],
        [each.pos_system for each in rows],
        [each.event_id for each in rows],
        [each.event_type for each in rows],
        [each.vendor_sent_at for each in rows],
        [each.outcome for each in rows],
        [each.body for each in rows],
        [_SEPARATOR.join(each.external_ids) for each in rows],
    )
    cursor = await connection.execute(_INSERT, tuple(columns))
    return cursor.rowcount


async def recipients(
    connection: AsyncConnection, pos_system: str, account_ids: Sequence[str], location_ids: Sequence[str]
) -> dict[tuple[str, bool], list[Recipient]]:
    """The live configurations to which the vendor confirmed accounts or locations, by (id, is location)."""
    query = "select * from pos_webhook_recipients(%s, %s, %s)"
    cursor = await connection.execute(query, (pos_system, list(account_ids), list(location_ids)))
    found: dict[tuple[str, bool], list[Recipient]] = {}
    async for name, is_location, configuration_id, tenant_id in cursor:
        found.setdefault((name, is_location), []).append(Recipient(configuration_id, tenant_id))
    return found


async def connection_of(connection: AsyncConnection, configuration_id: UUID) -> Connection | None:
    """One live configuration with its sealed credentials, or None."""
    cursor = await connection.execute("select * from pos_webhook_connection(%s)", (configuration_id,))
    row = await cursor.fetchone()
    return Connection(*row) if row else None


async def sealed_keys(connection: AsyncConnection, pos_system: str) -> list[tuple[UUID, str, str]]:
    """The subscriptions of a POS: (id, the address as the vendor has it, sealed signature keys)."""
    cursor = await connection.execute("select * from pos_webhook_keys(%s)", (pos_system,))
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def knock(connection: AsyncConnection) -> bool:
    """Says that events wait; returns whether a drain has to be asked for."""
    cursor = await connection.execute("select pos_webhook_knock()")
    row = await cursor.fetchone()
    return bool(row and row[0])


async def unanswered(connection: AsyncConnection) -> None:
    """Says that no drain could be asked for, so that the next event tries again."""
    await connection.execute("select pos_webhook_unanswered()")


async def count(connection: AsyncConnection, pos_system: str, outcome: str, events: int) -> None:
    """Counts deliveries of which nothing is stored."""
    await connection.execute("select pos_webhook_count(%s, %s, %s)", (pos_system, outcome, events))
