"""A tenant's configurations: made, changed and deleted, with the vendor asked where it has to be."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from pipelines import connect
from pipelines.connector import Account, Connector, Credentials
from pipelines.credentials import NewKeeper, StoredKeeper
from pipelines.registry import connectors, get_connector
from pos_core.errors import (
    ConfigurationChangedError,
    ConfigurationError,
    CredentialsError,
    PosError,
    SettingsError,
)
from pos_core.repositories import configurations, tenant_configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import Vault
from webhook_api.services.patience import asking_vendor

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Who acts for which tenant; transactions of the engine see that tenant alone."""

    tenant_id: UUID
    engine: Engine
    vault: Vault
    actor: Actor
    speaks_for_operator: bool


@dataclass(frozen=True)
class Change:
    """What is to become of a configuration; None leaves it as it is.

    Args:
        credentials: in place of those before, of the same account.
    """

    name: str | None = None
    day_starts_at: time | None = None
    sync_interval_seconds: int | None = None
    status: str | None = None
    status_reason: str | None = None
    credentials: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Confirmed:
    """What the vendor has just said of some credentials."""

    account: Account
    credentials: Credentials
    leans_on_operator: bool


def create(
    caller: Caller,
    pos_system: str,
    name: str,
    given: Mapping[str, Any],
    day_starts_at: time | None,
    sync_interval_seconds: int | None,
) -> tuple[Configuration, bool]:
    """Makes or revives the configuration of the account that the credentials belong to.

    Returns:
        The configuration, and whether it was there before.

    Raises:
        AccessDeniedError: the credentials only name shops, and the caller is no operator.
        ConfigurationError: what was given is wrong, or a location is live elsewhere.
        VendorError: the vendor cannot be asked, or refuses.
    """
    request = connect.Request(
        tenant_id=caller.tenant_id,
        pos_system=pos_system,
        name=name,
        given=dict(given),
        actor=caller.actor,
        sync_interval_seconds=sync_interval_seconds or get_settings().sync_interval_seconds,
        day_starts_at=day_starts_at,
        speaks_for_operator=caller.speaks_for_operator,
    )
    with asking_vendor(caller.tenant_id), set_up(get_connector(pos_system)):
        return connect.connect_account(caller.engine, caller.vault, request)


def change(
    caller: Caller, configuration_id: UUID, wanted: Change, if_match: str | None = None
) -> Configuration:
    """Changes a configuration; the vendor is asked about new credentials, and before it is enabled again.

    Args:
        if_match: as in the header of that name; the configuration must still be one of these.

    Raises:
        UnknownConfigurationError: the tenant has none with this id.
        ConfigurationChangedError: somebody else has changed it meanwhile.
        AccessDeniedError: the new credentials only name shops, and the caller is no operator.
        ConfigurationError: what was given is wrong, or a location is live elsewhere.
        VendorError: the vendor cannot be asked, or refuses.
    """
    with caller.engine.connect() as connection:
        current = tenant_configurations.find(connection, caller.tenant_id, configuration_id)
    _refuse_changed(current, if_match)
    confirmed = None
    if wanted.credentials is not None or _enables(current, wanted):
        confirmed = _confirm(caller, current, wanted.credentials)
    with caller.engine.begin() as connection:
        return _store(connection, caller, configuration_id, wanted, if_match, confirmed)


def delete(caller: Caller, configuration_id: UUID) -> None:
    """Deletes a configuration: its secret is destroyed, its history stays.

    Where nobody else uses the account, its access is given up at the vendor too; a vendor that fails then
    does not bring the configuration back.

    Raises:
        UnknownConfigurationError: the tenant has none with this id.
    """
    credentials: Credentials | None = None
    with caller.engine.begin() as connection:
        current = tenant_configurations.find(connection, caller.tenant_id, configuration_id, is_locked=True)
        if not tenant_configurations.is_account_elsewhere(connection, current.id):
            try:
                credentials = configurations.open_credentials(connection, caller.vault, current)
            except PosError as error:
                logger.warning("the access of %s is not given up: %s", current.id, error.message)
        configurations.delete(connection, current.id, caller.actor)
    if credentials is not None:
        _give_up(current, credentials)


def tag(configuration: Configuration) -> str:
    """What an editor has seen, as an entity tag; what syncs change of it is not part."""
    seen = (
        configuration.id,
        configuration.name,
        configuration.day_starts_at,
        configuration.sync_interval_seconds,
        configuration.status,
        configuration.status_reason,
    )
    return f'"{hashlib.sha256(json.dumps(seen, default=str).encode()).hexdigest()[:20]}"'


def ask_stored(
    engine: Engine, vault: Vault, connector: Connector, current: Configuration
) -> tuple[Account, Credentials]:
    """Asks the vendor with the credentials that are stored, which are renewed where that is due.

    Raises:
        SettingsError: the operator has not set the POS up.
        ConfigurationError: it was made for another address, or the answer is another account.
        VendorError: the vendor cannot be asked, or refuses.
    """
    _refuse_other_address(connector, current)
    keeper = StoredKeeper(engine, vault, current)
    with asking_vendor(current.tenant_id):
        account = connect.ask_account(connector, current.base_url, keeper)
    _refuse_other_account(connector, current, account)
    return account, keeper.current


def _confirm(caller: Caller, current: Configuration, given: Mapping[str, Any] | None) -> _Confirmed:
    """The vendor's answer for the credentials that were given, else for those that are stored."""
    connector = get_connector(current.pos_system)
    with set_up(connector):
        if given is None:
            account, credentials = ask_stored(caller.engine, caller.vault, connector, current)
            return _Confirmed(account, credentials, connector.leans_on_operator(credentials))
        _refuse_other_address(connector, current)
        read = connect.read_credentials(connector, dict(given), caller.speaks_for_operator)
        keeper = NewKeeper(caller.engine, caller.vault, read)
        with asking_vendor(caller.tenant_id):
            account = connect.ask_account(connector, current.base_url, keeper)
        _refuse_other_account(connector, current, account)
        return _Confirmed(account, keeper.current, connector.leans_on_operator(read))


def _store(
    connection: Connection,
    caller: Caller,
    configuration_id: UUID,
    wanted: Change,
    if_match: str | None,
    confirmed: _Confirmed | None,
) -> Configuration:
    current = tenant_configurations.find(connection, caller.tenant_id, configuration_id, is_locked=True)
    _refuse_changed(current, if_match)
    if _enables(current, wanted) and confirmed is None:
        raise ConfigurationChangedError(
            f"Configuration {configuration_id} was disabled meanwhile; try again."
        )
    values = _values(current, wanted)
    if not values and confirmed is None:
        return current
    if confirmed is not None and confirmed.leans_on_operator and wanted.status != "disabled":
        ids = [each.external_id for each in confirmed.account.locations]
        tenant_configurations.refuse_live_elsewhere(connection, caller.tenant_id, current.pos_system, ids)
    return tenant_configurations.edit(
        connection,
        caller.vault,
        current,
        values,
        _action(values, wanted),
        caller.actor,
        credentials=confirmed.credentials if confirmed and wanted.credentials is not None else None,
        locations=connect.locations_of(confirmed.account) if confirmed else None,
    )


def _values(current: Configuration, wanted: Change) -> dict[str, Any]:
    """The columns that become something else."""
    values: dict[str, Any] = {
        "name": wanted.name,
        "day_starts_at": wanted.day_starts_at,
        "sync_interval_seconds": wanted.sync_interval_seconds,
        "status": wanted.status,
    }
    status = wanted.status or current.status
    if status == "active":
        reason = None
    else:
        reason = wanted.status_reason or current.status_reason or "disabled on request"
    values = {key: value for key, value in values.items() if value is not None}
    return {
        key: value
        for key, value in {**values, "status_reason": reason}.items()
        if value != getattr(current, key)
    }


def _action(values: Mapping[str, Any], wanted: Change) -> str:
    if values.get("status") == "active":
        return "configuration.enabled"
    if values.get("status") == "disabled":
        return "configuration.disabled"
    return "configuration.changed" if wanted.credentials is None else "configuration.reconnected"


def _enables(current: Configuration, wanted: Change) -> bool:
    return wanted.status == "active" and current.status != "active"


def _refuse_changed(current: Configuration, if_match: str | None) -> None:
    tags = {each.strip() for each in (if_match or "*").split(",")}
    if not tags & {"*", tag(current)}:
        raise ConfigurationChangedError(
            f"Configuration {current.id} has changed since you read it; read it again and repeat your change."
        )


def _refuse_other_address(connector: Connector, current: Configuration) -> None:
    if connector.base_url() != current.base_url:
        raise ConfigurationError(
            f"{current.name} was connected at another address of {connector.title} than this service uses "
            "now; a configuration stays with the address it was made for."
        )


def _refuse_other_account(connector: Connector, current: Configuration, account: Account) -> None:
    if account.account_id != current.account_id:
        raise CredentialsError(
            f"These credentials are of {connector.title} account {account.account_id}, this configuration is "
            f"account {current.account_id}; make a configuration of its own for the other one."
        )


def _give_up(current: Configuration, credentials: Credentials) -> None:
    connector = connectors().get(current.pos_system)
    if connector is None or connector.give_up is None:
        return
    try:
        if connector.base_url() == current.base_url:
            with asking_vendor(current.tenant_id):
                connector.give_up(current.base_url, credentials)
    except PosError as error:
        logger.warning("the access of %s could not be given up: %s", current.id, error.message)


@contextmanager
def set_up(connector: Connector) -> Iterator[None]:
    """What the operator has not set is told without the names of settings, which are for the log."""
    try:
        yield
    except SettingsError as error:
        logger.warning("%s is not set up: %s", connector.pos_system, error.message)
        raise ConfigurationError(
            f"{connector.title} is not set up on this service; its operator can do that."
        ) from None
