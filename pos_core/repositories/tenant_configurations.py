"""Configurations as one tenant sees and edits them; a deleted one is not there any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, cast, func, literal, select, text, tuple_

from pos_core.database.tables import configuration_locations, configurations
from pos_core.errors import ConfigurationInUseError, UnknownConfigurationError
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration, change, free_locations, set_locations
from pos_core.vault import Vault, fingerprint, hint

_COLUMNS = [configurations.c[name] for name in Configuration.__dataclass_fields__]


@dataclass(frozen=True)
class LocationState:
    """A shop of a configuration; `is_live` while its sales are read there."""

    id: str
    name: str | None
    is_live: bool


def find(
    connection: Connection, tenant_id: UUID, configuration_id: UUID, *, is_locked: bool = False
) -> Configuration:
    """A configuration of the tenant.

    Args:
        is_locked: nobody else can change it until the transaction ends.

    Raises:
        UnknownConfigurationError: the tenant has none with this id, or had it deleted.
    """
    query = select(*_COLUMNS).where(
        configurations.c.id == configuration_id,
        configurations.c.tenant_id == tenant_id,
        configurations.c.status != "deleted",
    )
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    if row is None:
        raise UnknownConfigurationError(f"There is no configuration {configuration_id}.")
    return Configuration(**row._mapping)


def page(
    connection: Connection,
    tenant_id: UUID,
    *,
    after: tuple[datetime, UUID] | None = None,
    include_deleted: bool = False,
    limit: int = 100,
) -> list[Configuration]:
    """A tenant's configurations by age.

    Args:
        after: time of making and id of the last one that is known.
        limit: at most so many.
    """
    key = tuple_(configurations.c.created_at, configurations.c.id)
    query = select(*_COLUMNS).where(configurations.c.tenant_id == tenant_id)
    if not include_deleted:
        query = query.where(configurations.c.status != "deleted")
    if after is not None:
        query = query.where(key > tuple_(literal(after[0]), literal(after[1])))
    rows = connection.execute(query.order_by(configurations.c.created_at, configurations.c.id).limit(limit))
    return [Configuration(**row._mapping) for row in rows]


def locations(
    connection: Connection, tenant_id: UUID, configuration_ids: Sequence[UUID]
) -> dict[UUID, list[LocationState]]:
    """The shops of some configurations, by name; each of them is in the answer."""
    found: dict[UUID, list[LocationState]] = {each: [] for each in configuration_ids}
    table = configuration_locations.c
    rows = connection.execute(
        select(table.configuration_id, table.external_location_id, table.name, table.is_live)
        .where(table.tenant_id == tenant_id, table.configuration_id.in_(configuration_ids))
        .order_by(table.name, table.external_location_id)
    )
    for row in rows:
        found[row.configuration_id].append(LocationState(row.external_location_id, row.name, row.is_live))
    return found


def edit(
    connection: Connection,
    vault: Vault,
    configuration: Configuration,
    values: Mapping[str, Any],
    action: str,
    actor: Actor,
    *,
    credentials: Mapping[str, Any] | None = None,
    locations: Sequence[tuple[str, str]] | None = None,
) -> Configuration:
    """Sets columns of a configuration that is locked, and records what they were.

    Args:
        credentials: put in the place of those before.
        locations: what the vendor has just confirmed; they are taken if the configuration is active, and
            those before are let go.

    Raises:
        ConfigurationInUseError: another live configuration of the tenant has one of the locations.
    """
    changes = dict(values)
    if "sync_interval_seconds" in changes:
        interval = func.make_interval(0, 0, 0, 0, 0, 0, changes["sync_interval_seconds"])
        changes["next_sync_at"] = func.least(configurations.c.next_sync_at, func.now() + interval)
    if credentials is not None:
        changes |= {
            "credentials_sealed": vault.seal(configuration.tenant_id, configuration.id, credentials),
            "credentials_fingerprint": fingerprint(credentials),
            "credentials_hint": hint(credentials),
        }
    if locations is not None:
        changes |= {"consecutive_failures": 0, "next_sync_at": func.now()}
    edited = change(connection, configuration.id, changes, action, actor)
    if locations is not None:
        free_locations(connection, edited.id)
        set_locations(connection, edited.tenant_id, edited.id, edited.pos_system, locations)
    return edited


def refuse_live_elsewhere(
    connection: Connection, tenant_id: UUID, pos_system: str, location_ids: Sequence[str]
) -> None:
    """Refuses locations that are live under another tenant.

    Until the transaction ends nobody else gets an answer about this POS, so that of two tenants who ask at
    once the second sees what the first has taken.

    Raises:
        ConfigurationInUseError: one of them is; nothing says which tenant has it.
    """
    key = {"key": f"pos-elsewhere:{pos_system}"}
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)
    ids = cast(list(location_ids), ARRAY(Text))
    if connection.execute(select(func.pos_live_elsewhere(tenant_id, pos_system, ids))).scalar_one():
        raise ConfigurationInUseError(
            "A location of this account is live under another tenant, and credentials that only name it do "
            "not prove whose it is; disconnect it there first."
        )


def is_account_elsewhere(connection: Connection, configuration_id: UUID) -> bool:
    """Whether another configuration, of whichever tenant, has credentials of the same account."""
    answer: bool = connection.execute(select(func.pos_account_elsewhere(configuration_id))).scalar_one()
    return answer
