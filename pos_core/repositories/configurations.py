"""Configurations: one tenant's connection to one POS account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from pos_core.database.tables import (
    configuration_locations,
    configurations,
    touched_documents,
)
from pos_core.errors import ConfigurationError, ConfigurationInUseError, UnknownConfigurationError
from pos_core.repositories import audit
from pos_core.repositories.audit import Actor
from pos_core.vault import Vault, fingerprint, hint


@dataclass(frozen=True)
class Configuration:
    """A configuration without its secret."""

    id: UUID
    tenant_id: UUID
    pos_system: str
    name: str
    account_id: str
    account_name: str | None
    base_url: str
    credentials_fingerprint: str | None
    credentials_hint: dict[str, str] | None
    status: str
    status_reason: str | None
    day_starts_at: time
    history_from: datetime | None
    sync_interval_seconds: int
    next_sync_at: datetime
    last_succeeded_at: datetime | None
    consecutive_failures: int
    open_hours: list[int] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class NewConfiguration:
    """What is known of a configuration when it is made; account and locations are the vendor's answer."""

    tenant_id: UUID
    pos_system: str
    name: str
    account_id: str
    account_name: str
    base_url: str
    history_from: datetime
    locations: Sequence[tuple[str, str]]
    sync_interval_seconds: int
    day_starts_at: time | None = None


_COLUMNS = [configurations.c[name] for name in Configuration.__dataclass_fields__]


def create_or_revive(
    connection: Connection,
    vault: Vault,
    new: NewConfiguration,
    credentials: Mapping[str, Any],
    actor: Actor,
) -> tuple[Configuration, bool]:
    """Makes a configuration, or brings back the one this tenant had for the same account.

    Returns:
        The configuration, and whether it was there before.

    Raises:
        ConfigurationInUseError: another live configuration of the tenant has one of the locations.
        ConfigurationError: the account's old configuration was made for another vendor address.
    """
    old = _find_account(connection, new)
    if old is not None and old.base_url != new.base_url:
        raise ConfigurationError(
            f"Account {new.account_id} is configuration {old.id}, made for {old.base_url}; "
            f"this process is set to {new.base_url}."
        )
    configuration_id = old.id if old else uuid4()
    values = _connected(new, vault.seal(new.tenant_id, configuration_id, credentials), credentials)
    if old is None:
        connection.execute(
            configurations.insert().values(
                id=configuration_id,
                tenant_id=new.tenant_id,
                pos_system=new.pos_system,
                account_id=new.account_id,
                base_url=new.base_url,
                history_from=new.history_from,
                **values,
            )
        )
    else:
        connection.execute(update(configurations).where(configurations.c.id == old.id).values(**values))
        if new.day_starts_at is not None and new.day_starts_at != old.day_starts_at:
            _touch(connection, old.id)
        free_locations(connection, old.id)
    set_locations(connection, new.tenant_id, configuration_id, new.pos_system, new.locations)
    action = "configuration.revived" if old else "configuration.created"
    made = get(connection, configuration_id)
    before = as_audited(old) if old else None
    audit.record(connection, new.tenant_id, made.id, actor, action, before, as_audited(made))
    return made, old is not None


def _connected(new: NewConfiguration, sealed: str, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """What connecting sets, whether the configuration is new or revived."""
    values: dict[str, Any] = {
        "name": new.name,
        "account_name": new.account_name,
        "credentials_sealed": sealed,
        "credentials_fingerprint": fingerprint(credentials),
        "credentials_hint": hint(credentials),
        "status": "active",
        "status_reason": None,
        "consecutive_failures": 0,
        "sync_interval_seconds": new.sync_interval_seconds,
        "next_sync_at": func.now(),
        "updated_at": func.now(),
    }
    if new.day_starts_at is not None:
        values["day_starts_at"] = new.day_starts_at
    return values


def set_locations(
    connection: Connection,
    tenant_id: UUID,
    configuration_id: UUID,
    pos_system: str,
    locations: Sequence[tuple[str, str]],
) -> None:
    """Records locations that the vendor confirmed: live ones, unless the configuration is disabled.

    Raises:
        ConfigurationInUseError: one of them is live under another configuration of the tenant.
    """
    if not locations:
        return
    # Locked, so that a sync that ends while somebody disables its configuration does not undo that.
    query = select(configurations.c.status).where(configurations.c.id == configuration_id)
    status: str = connection.execute(query.with_for_update(read=True)).scalar_one()
    rows = [
        {
            "configuration_id": configuration_id,
            "tenant_id": tenant_id,
            "pos_system": pos_system,
            "external_location_id": external_id,
            "name": name,
            "is_live": status == "active",
        }
        for external_id, name in sorted(locations)  # one order for all, so that waiting cannot deadlock
    ]
    statement = insert(configuration_locations)
    statement = statement.on_conflict_do_update(
        index_elements=["configuration_id", "external_location_id"],
        set_={"name": statement.excluded.name, "is_live": statement.excluded.is_live},
    )
    try:
        with connection.begin_nested():
            connection.execute(statement, rows)
    except IntegrityError:
        raise ConfigurationInUseError(
            "A location of this account is already live under another configuration of the tenant; "
            "disable that one first."
        ) from None


def get(connection: Connection, configuration_id: UUID, is_locked: bool = False) -> Configuration:
    """One configuration.

    Args:
        is_locked: nobody else changes it until the transaction ends.

    Raises:
        UnknownConfigurationError: there is none with this id.
    """
    query = select(*_COLUMNS).where(configurations.c.id == configuration_id)
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    if row is None:
        raise UnknownConfigurationError(f"There is no configuration {configuration_id}.")
    return _read(row)


def get_all(connection: Connection, ids: Sequence[UUID]) -> list[Configuration]:
    """Several configurations, in the order of the ids.

    Raises:
        UnknownConfigurationError: there is none with one of them.
    """
    rows = connection.execute(select(*_COLUMNS).where(configurations.c.id.in_(ids)))
    found = {row.id: _read(row) for row in rows}
    for each in ids:
        if each not in found:
            raise UnknownConfigurationError(f"There is no configuration {each}.")
    return [found[each] for each in ids]


def listed(connection: Connection, tenant_id: UUID | None = None) -> list[Configuration]:
    """All configurations, or those of one tenant, by age."""
    query = select(*_COLUMNS).order_by(configurations.c.created_at, configurations.c.id)
    if tenant_id is not None:
        query = query.where(configurations.c.tenant_id == tenant_id)
    return [_read(row) for row in connection.execute(query)]


def due_ids(connection: Connection) -> list[UUID]:
    """The active configurations whose time has come, the longest waiting first."""
    query = (
        select(configurations.c.id)
        .where(configurations.c.status == "active", configurations.c.next_sync_at <= func.now())
        .order_by(configurations.c.next_sync_at, configurations.c.id)
    )
    return list(connection.execute(query).scalars())


def active_ids(connection: Connection) -> list[UUID]:
    """The active configurations, by id."""
    query = select(configurations.c.id).where(configurations.c.status == "active")
    return sorted(connection.execute(query).scalars())


def open_credentials(
    connection: Connection, vault: Vault, configuration: Configuration, *, is_locked: bool = False
) -> dict[str, object]:
    """The credentials of a configuration.

    Args:
        is_locked: nobody else can change or destroy them until the transaction ends.

    Raises:
        ConfigurationError: they were destroyed.
        VaultError: they do not open.
    """
    query = select(configurations.c.credentials_sealed).where(configurations.c.id == configuration.id)
    sealed: str | None = connection.execute(query.with_for_update() if is_locked else query).scalar_one()
    if sealed is None:
        raise ConfigurationError(f"Configuration {configuration.id} has no credentials; connect it again.")
    return vault.open(configuration.tenant_id, configuration.id, sealed)


def store_credentials(
    connection: Connection, vault: Vault, configuration: Configuration, credentials: Mapping[str, Any]
) -> None:
    """Puts renewed credentials in the place of those before."""
    connection.execute(
        update(configurations)
        .where(configurations.c.id == configuration.id)
        .values(
            credentials_sealed=vault.seal(configuration.tenant_id, configuration.id, credentials),
            credentials_fingerprint=fingerprint(credentials),
            credentials_hint=hint(credentials),
            updated_at=func.now(),
        )
    )


def disable(connection: Connection, configuration_id: UUID, reason: str, actor: Actor) -> Configuration:
    """Stops syncing a configuration; its rows stay, its locations are free for another.

    Raises:
        UnknownConfigurationError: there is none with this id.
    """
    if get(connection, configuration_id, is_locked=True).status == "deleted":
        raise UnknownConfigurationError(f"Configuration {configuration_id} is deleted.")
    values = {"status": "disabled", "status_reason": reason}
    return change(connection, configuration_id, values, "configuration.disabled", actor)


def delete(connection: Connection, configuration_id: UUID, actor: Actor) -> Configuration:
    """Stops syncing a configuration for good and destroys its credentials; its rows stay.

    Raises:
        UnknownConfigurationError: there is none with this id.
    """
    values = {
        "status": "deleted",
        "status_reason": "deleted",
        "credentials_sealed": None,
        "credentials_fingerprint": None,
        "credentials_hint": None,
    }
    return change(connection, configuration_id, values, "configuration.deleted", actor)


def change(
    connection: Connection,
    configuration_id: UUID,
    values: Mapping[str, Any],
    action: str,
    actor: Actor,
) -> Configuration:
    """Sets columns of a configuration and records what they were; if inactive, it lets its locations go.

    Raises:
        UnknownConfigurationError: there is none with this id.
    """
    before = get(connection, configuration_id, is_locked=True)
    connection.execute(
        update(configurations)
        .where(configurations.c.id == configuration_id)
        .values(**values, updated_at=func.now())
    )
    after = get(connection, configuration_id)
    if after.status != "active":
        free_locations(connection, configuration_id)
    if after.day_starts_at != before.day_starts_at:
        _touch(connection, configuration_id)
    audit.record(
        connection, before.tenant_id, before.id, actor, action, as_audited(before), as_audited(after)
    )
    return after


def as_audited(configuration: Configuration) -> dict[str, Any]:
    """What the audit trail keeps of a configuration: no secret, only its fingerprint."""
    return {
        "name": configuration.name,
        "account_id": configuration.account_id,
        "status": configuration.status,
        "status_reason": configuration.status_reason,
        "day_starts_at": configuration.day_starts_at.isoformat("minutes"),
        "sync_interval_seconds": configuration.sync_interval_seconds,
        "credentials_fingerprint": configuration.credentials_fingerprint,
    }


def free_locations(connection: Connection, configuration_id: UUID) -> None:
    """Lets all locations of a configuration go, so that another may have them."""
    connection.execute(
        update(configuration_locations)
        .where(configuration_locations.c.configuration_id == configuration_id)
        .values(is_live=False)
    )


def _touch(connection: Connection, configuration_id: UUID) -> None:
    """Has every document normalised again; without asking for the row's id, which not everybody may read."""
    connection.execute(touched_documents.insert().inline().values(configuration_id=configuration_id))


def _find_account(connection: Connection, new: NewConfiguration) -> Configuration | None:
    """The configuration of the account; until the transaction ends nobody else can make or change it."""
    key = f"pos-account:{new.tenant_id}:{new.pos_system}:{new.account_id}"
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    row = connection.execute(
        select(*_COLUMNS)
        .where(
            and_(
                configurations.c.tenant_id == new.tenant_id,
                configurations.c.pos_system == new.pos_system,
                configurations.c.account_id == new.account_id,
            )
        )
        .with_for_update()
    ).one_or_none()
    return _read(row) if row else None


def _read(row: Row[Any]) -> Configuration:
    return Configuration(**row._mapping)
