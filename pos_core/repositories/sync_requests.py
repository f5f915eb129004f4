"""Syncs that somebody asked for: queued, taken by a sync, and ended with it.

A request is `launched` when a run was asked for; only a sync that holds the configuration's lock takes it.
So a launch that is lost, or one too many, does no harm: what is still queued is launched again, after a wait
that doubles each time, and a run that finds nothing queued has nothing to do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from pos_core.database.tables import configurations, sync_requests
from pos_core.errors import SyncBacklogError, UnknownResourceError
from pos_core.repositories.locks import busy_configurations

LAUNCH_AGAIN_AFTER = timedelta(minutes=1)
"""How long a run that was asked for has at least to take its request; a cold one starts in half a minute."""
MOST_OPEN = 20
"""Requests of one configuration that may be open at once."""
_MOST_LAUNCHED = 500
_MOST_RUNS, _MOST_RUNS_OF_A_TENANT = 10, 3


@dataclass(frozen=True)
class SyncRequest:
    """A sync that was asked for; without `read_from` of what is missing, without `read_to` until now."""

    id: UUID
    configuration_id: UUID
    requested_by: str
    requested_at: datetime
    read_from: datetime | None
    read_to: datetime | None
    status: str
    launched_at: datetime | None
    sync_id: UUID | None
    finished_at: datetime | None


_COLUMNS = [sync_requests.c[name] for name in SyncRequest.__dataclass_fields__]
_IS_OPEN = sync_requests.c.status.in_(["queued", "running"])
_IS_QUEUED = sync_requests.c.status == "queued"


def ask(
    connection: Connection,
    tenant_id: UUID,
    configuration_id: UUID,
    requested_by: str,
    read_from: datetime | None = None,
    read_to: datetime | None = None,
) -> tuple[SyncRequest, bool]:
    """Asks for a sync; the same again while one is open is the same one.

    Returns:
        The request, and whether it is new.

    Raises:
        SyncBacklogError: too many of the configuration's are open.
    """
    wanted = [sync_requests.c.tenant_id == tenant_id, sync_requests.c.configuration_id == configuration_id]
    same = _of_span(read_from, read_to)
    values = {
        "id": uuid4(),
        "tenant_id": tenant_id,
        "configuration_id": configuration_id,
        "requested_by": requested_by,
        "read_from": read_from,
        "read_to": read_to,
    }
    while True:
        found = connection.execute(select(*_COLUMNS).where(*wanted, same, _IS_OPEN)).one_or_none()
        if found is not None:
            return _read(found), False
        if connection.execute(select(func.count()).where(*wanted, _IS_OPEN)).scalar_one() >= MOST_OPEN:
            raise SyncBacklogError(
                f"{MOST_OPEN} syncs of this configuration were asked for and are not done yet; wait for them."
            )
        statement = insert(sync_requests).values(**values).on_conflict_do_nothing().returning(*_COLUMNS)
        made = connection.execute(statement).one_or_none()
        if made is not None:  # else somebody else asked at this moment
            return _read(made), True


def get(connection: Connection, tenant_id: UUID, configuration_id: UUID, request_id: UUID) -> SyncRequest:
    """One request.

    Raises:
        UnknownResourceError: the configuration has none with this id.
    """
    query = select(*_COLUMNS).where(
        sync_requests.c.tenant_id == tenant_id,
        sync_requests.c.configuration_id == configuration_id,
        sync_requests.c.id == request_id,
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownResourceError(f"There is no sync request {request_id} of this configuration.")
    return _read(row)


def listed_open(connection: Connection, tenant_id: UUID, configuration_id: UUID) -> list[SyncRequest]:
    """What of a configuration was asked for and is not done yet, oldest first."""
    query = (
        select(*_COLUMNS)
        .where(
            sync_requests.c.tenant_id == tenant_id,
            sync_requests.c.configuration_id == configuration_id,
            _IS_OPEN,
        )
        .order_by(sync_requests.c.requested_at, sync_requests.c.id)
    )
    return [_read(row) for row in connection.execute(query)]


def room_for_runs(connection: Connection, tenant_id: UUID | None = None) -> int:
    """How many runs more may be asked for: each is a process with connections of its own.

    Args:
        tenant_id: for this tenant, who may not take all of the room.
    """
    total: int = connection.execute(select(func.pos_runs_asked_for(LAUNCH_AGAIN_AFTER))).scalar_one()
    if tenant_id is None:
        return max(0, _MOST_RUNS - total)
    runs = func.count(
        func.distinct(tuple_(sync_requests.c.launched_at, sync_requests.c.read_from, sync_requests.c.read_to))
    )
    is_under_way = or_(
        sync_requests.c.status == "running",
        and_(_IS_QUEUED, sync_requests.c.launched_at > func.now() - LAUNCH_AGAIN_AFTER),
    )
    own: int = connection.execute(
        select(runs).where(sync_requests.c.tenant_id == tenant_id, is_under_way)
    ).scalar_one()
    return max(0, min(_MOST_RUNS - total, _MOST_RUNS_OF_A_TENANT - own))


def take_to_launch(
    connection: Connection, tenant_id: UUID | None = None, grace: timedelta = timedelta(0)
) -> list[SyncRequest]:
    """Marks as launched what is to be launched now: of each active, idle configuration one, plain ones first.

    That is what was never launched, and what was so long ago that the run must be lost. The wait is at least
    the age that a request had when it was launched last, so it doubles. Who commits this has to launch them.

    Args:
        tenant_id: only this tenant's.
        grace: leave out requests younger than this: whoever took them launches them.
    """
    other = sync_requests.alias()
    was_just_launched = exists().where(
        other.c.configuration_id == sync_requests.c.configuration_id,
        other.c.status == "queued",
        other.c.launched_at > func.now() - LAUNCH_AGAIN_AFTER,
    )
    candidates = (
        select(sync_requests.c.id, sync_requests.c.configuration_id, sync_requests.c.requested_at)
        .ext(distinct_on(sync_requests.c.configuration_id))
        .join(configurations, configurations.c.id == sync_requests.c.configuration_id)
        .where(_IS_QUEUED, configurations.c.status == "active", _is_overdue(grace), ~was_just_launched)
        .order_by(
            sync_requests.c.configuration_id,
            sync_requests.c.read_from.is_not(None),
            sync_requests.c.requested_at,
        )
    )
    if tenant_id is not None:
        candidates = candidates.where(sync_requests.c.tenant_id == tenant_id)
    ordered = candidates.subquery()
    found = connection.execute(select(ordered).order_by(ordered.c.requested_at).limit(_MOST_LAUNCHED)).all()
    busy = busy_configurations(connection, [row.configuration_id for row in found])
    ids = [row.id for row in found if row.configuration_id not in busy]
    # Asked once more while the row is locked: somebody else may have taken it meanwhile.
    statement = (
        update(sync_requests)
        .where(sync_requests.c.id.in_(ids), _IS_QUEUED, _is_overdue(grace))
        .values(launched_at=func.now())
        .returning(*_COLUMNS)
    )
    return sorted(map(_read, connection.execute(statement)), key=lambda each: each.requested_at)


def not_launched(connection: Connection, ids: Collection[UUID]) -> None:
    """Takes the mark of a launch away again: nobody launched them, for sure."""
    statement = update(sync_requests).where(sync_requests.c.id.in_(ids), _IS_QUEUED)
    connection.execute(statement.values(launched_at=None))


def launched_with(connection: Connection, configuration_ids: Collection[UUID]) -> None:
    """Marks plain requests as launched: a run over these configurations begins and will take them."""
    statement = update(sync_requests).where(
        sync_requests.c.configuration_id.in_(configuration_ids), _IS_QUEUED, _of_span(None, None)
    )
    connection.execute(statement.values(launched_at=func.now()))


def just_launched(connection: Connection) -> set[UUID]:
    """The configurations for which a plain sync was launched that has not begun yet."""
    query = select(sync_requests.c.configuration_id).where(
        _IS_QUEUED,
        _of_span(None, None),
        sync_requests.c.launched_at > func.now() - LAUNCH_AGAIN_AFTER,
    )
    return set(connection.execute(query).scalars())


def still_wanted(
    connection: Connection,
    configuration_ids: Sequence[UUID],
    read_from: datetime | None,
    read_to: datetime | None,
) -> list[UUID]:
    """Those of the configurations for which exactly this is queued."""
    query = select(sync_requests.c.configuration_id).where(
        sync_requests.c.configuration_id.in_(configuration_ids), _IS_QUEUED, _of_span(read_from, read_to)
    )
    wanted: set[UUID] = set(connection.execute(query).scalars())
    return [each for each in configuration_ids if each in wanted]


def claim(
    connection: Connection,
    configuration_id: UUID,
    sync_id: UUID,
    read_from: datetime | None,
    read_to: datetime | None,
) -> bool:
    """Has a sync take what was asked for before it began: a plain request, or one of exactly its range.

    To be called while the configuration's lock is held.

    Returns:
        Whether another sync had taken it before and left a part of it.
    """
    statement = (
        update(sync_requests)
        .where(sync_requests.c.configuration_id == configuration_id, _IS_QUEUED, _of_span(read_from, read_to))
        .values(
            status="running",
            sync_id=sync_id,
            started_at=func.coalesce(sync_requests.c.started_at, func.now()),
        )
        .returning(sync_requests.c.started_at < func.now())
    )
    return any(connection.execute(statement).scalars())


def finish(connection: Connection, sync_id: UUID, is_success: bool) -> None:
    """Ends the requests that a sync took."""
    statement = update(sync_requests).where(
        sync_requests.c.sync_id == sync_id, sync_requests.c.status == "running"
    )
    connection.execute(
        statement.values(status="succeeded" if is_success else "failed", finished_at=func.now())
    )


def release(connection: Connection, sync_ids: Collection[UUID]) -> None:
    """Queues again what dead syncs had taken."""
    statement = update(sync_requests).where(
        sync_requests.c.sync_id.in_(sync_ids), sync_requests.c.status == "running"
    )
    connection.execute(statement.values(status="queued", sync_id=None))


def release_dead(connection: Connection) -> None:
    """Queues again what syncs had taken whose process is gone, as their locks tell."""
    query = select(sync_requests.c.configuration_id, sync_requests.c.sync_id).where(
        sync_requests.c.status == "running"
    )
    running: dict[Any, Any] = {row.sync_id: row.configuration_id for row in connection.execute(query)}
    # In this order: a sync that ends in between commits before it lets its lock go, and is `running` no more.
    busy = busy_configurations(connection, list(running.values()))
    release(connection, [sync_id for sync_id, each in running.items() if each not in busy])


def refuse(connection: Connection, configuration_ids: Collection[UUID] | None = None) -> None:
    """Ends requests of configurations that were disabled or deleted since, of these or of all."""
    inactive = select(configurations.c.id).where(configurations.c.status != "active")
    if configuration_ids is not None:
        inactive = inactive.where(configurations.c.id.in_(configuration_ids))
    statement = update(sync_requests).where(_IS_QUEUED, sync_requests.c.configuration_id.in_(inactive))
    connection.execute(statement.values(status="failed", finished_at=func.now()))


def _of_span(read_from: datetime | None, read_to: datetime | None) -> ColumnElement[bool]:
    return and_(
        sync_requests.c.read_from.is_not_distinct_from(read_from),
        sync_requests.c.read_to.is_not_distinct_from(read_to),
    )


def _is_overdue(grace: timedelta) -> ColumnElement[bool]:
    launched_at, requested_at = sync_requests.c.launched_at, sync_requests.c.requested_at
    wait = func.greatest(LAUNCH_AGAIN_AFTER, launched_at - requested_at)
    return or_(
        and_(launched_at.is_(None), requested_at <= func.now() - grace), launched_at + wait <= func.now()
    )


def _read(row: Row[Any]) -> SyncRequest:
    return SyncRequest(**row._mapping)
