"""Logins at a vendor that were begun; each can be ended once, and those that are over are forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, update

from pos_core.database.tables import connect_states


def begin(connection: Connection, tenant_id: UUID, state_id: UUID, expires_at: datetime) -> None:
    """Notes that a login was begun, and forgets those of the tenant that have expired."""
    expired = connect_states.c.expires_at <= func.now()
    connection.execute(connect_states.delete().where(connect_states.c.tenant_id == tenant_id, expired))
    connection.execute(
        connect_states.insert().values(id=state_id, tenant_id=tenant_id, expires_at=expires_at)
    )


def use(connection: Connection, tenant_id: UUID, state_id: UUID) -> bool:
    """Ends a login.

    Returns:
        Whether it can be ended: it was begun, has not expired, and nobody else has ended it.
    """
    used = connection.execute(
        update(connect_states)
        .where(
            connect_states.c.id == state_id,
            connect_states.c.tenant_id == tenant_id,
            connect_states.c.used_at.is_(None),
            connect_states.c.expires_at > func.now(),
        )
        .values(used_at=func.now())
    )
    return used.rowcount == 1
