"""The audit trail: who did what to which configuration, when and from where; rows are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from pos_core.database.tables import audit_logs


@dataclass(frozen=True)
class Actor:
    """Who acts.

    Args:
        name: such as `cli:ada` or the subject of a token.
        origin: the address or host that the request came from.
        request_id: by which logs and answers can be found.
    """

    name: str
    origin: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Entry:
    """One row of the audit trail; `before` and `after` hold no secrets, only their fingerprints."""

    id: int
    at: datetime
    actor: str
    origin: str | None
    request_id: str | None
    action: str
    configuration_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_COLUMNS = [audit_logs.c[name] for name in Entry.__dataclass_fields__]


def record(
    connection: Connection,
    tenant_id: UUID,
    configuration_id: UUID | None,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Adds an entry; to be called in the transaction that does what it tells."""
    connection.execute(
        audit_logs.insert().values(
            tenant_id=tenant_id,
            configuration_id=configuration_id,
            actor=actor.name,
            origin=actor.origin,
            request_id=actor.request_id,
            action=action,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
    )


def listed(
    connection: Connection,
    tenant_id: UUID,
    *,
    configuration_id: UUID | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """A tenant's entries, newest first.

    Args:
        before_id: only entries older than this one.
        limit: at most so many.
    """
    query = select(*_COLUMNS).where(audit_logs.c.tenant_id == tenant_id)
    if configuration_id is not None:
        query = query.where(audit_logs.c.configuration_id == configuration_id)
    if before_id is not None:
        query = query.where(audit_logs.c.id < before_id)
    rows = connection.execute(query.order_by(audit_logs.c.id.desc()).limit(limit))
    return [Entry(**row._mapping) for row in rows]
