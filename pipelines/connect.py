"""Connecting a tenant's POS account: the vendor says whose credentials they are, then they are stored."""

from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from pipelines.connector import Account, Connector, Credentials
from pipelines.credentials import Keeper, NewKeeper
from pipelines.registry import get_connector
from pos_core.errors import AccessDeniedError, ConfigurationError, CredentialsError
from pos_core.repositories import configurations, tenant_configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration, NewConfiguration
from pos_core.vault import Vault


@dataclass(frozen=True)
class Request:
    """Who wants to connect what.

    Args:
        given: the customer's credentials as parsed JSON.
        actor: for the audit trail.
        day_starts_at: when the business day begins; None for the default, or what it was.
        speaks_for_operator: whether the actor vouches for shops that credentials merely name.
    """

    tenant_id: UUID
    pos_system: str
    name: str
    given: Any
    actor: Actor
    sync_interval_seconds: int
    day_starts_at: time | None = None
    speaks_for_operator: bool = True


def connect_account(engine: Engine, vault: Vault, request: Request) -> tuple[Configuration, bool]:
    """Makes or revives the configuration of the account that the credentials belong to.

    Returns:
        The configuration, and whether it was there before.

    Raises:
        CredentialsError: something is missing, or the vendor says that they belong to another account.
        AccessDeniedError: they only name shops, and the actor does not speak for the operator.
        VendorError: the vendor cannot be asked, or refuses.
        ConfigurationError: the name is empty, or a location is live under another configuration.
    """
    connector = get_connector(request.pos_system)
    if not request.name.strip():
        raise ConfigurationError("The name of a configuration must not be empty.")
    credentials = read_credentials(connector, request.given, request.speaks_for_operator)
    return store_account(engine, vault, request, credentials)


def store_account(
    engine: Engine, vault: Vault, request: Request, credentials: Credentials
) -> tuple[Configuration, bool]:
    """The same for credentials that were read, or that the vendor has just given out."""
    connector = get_connector(request.pos_system)
    base_url = connector.base_url()
    keeper = NewKeeper(engine, vault, credentials)
    account = ask_account(connector, base_url, keeper)
    new = NewConfiguration(
        tenant_id=request.tenant_id,
        pos_system=connector.pos_system,
        name=request.name.strip(),
        account_id=account.account_id,
        account_name=account.name,
        base_url=base_url,
        history_from=account.opened_at,
        locations=locations_of(account),
        sync_interval_seconds=request.sync_interval_seconds,
        day_starts_at=request.day_starts_at,
    )
    with engine.begin() as connection:
        if connector.leans_on_operator(keeper.current):
            ids = [each.external_id for each in account.locations]
            tenant_configurations.refuse_live_elsewhere(
                connection, request.tenant_id, connector.pos_system, ids
            )
        return configurations.create_or_revive(connection, vault, new, keeper.current, request.actor)


def read_credentials(connector: Connector, given: Any, speaks_for_operator: bool) -> dict[str, Any]:
    """The credentials in what somebody gave.

    Raises:
        CredentialsError: something is missing or of the wrong kind.
        AccessDeniedError: they only name shops, and whoever gave them does not speak for the operator.
    """
    if not isinstance(given, dict):
        raise CredentialsError("The credentials must be one JSON object.")
    credentials = connector.read_credentials(given)
    if connector.leans_on_operator(credentials) and not speaks_for_operator:
        raise AccessDeniedError(
            f"These {connector.title} credentials only name shops, which does not prove whose they are; give "
            "the account's own credentials, or have the operator connect it."
        )
    return credentials


def ask_account(connector: Connector, base_url: str, keeper: Keeper) -> Account:
    """The vendor's answer to whose credentials these are.

    Raises:
        CredentialsError: they name another account, or several.
        VendorError: the vendor cannot be asked, or refuses.
    """
    with connector.open_http(base_url, keeper) as http:
        return connector.confirm(http, keeper.current)


def locations_of(account: Account) -> list[tuple[str, str]]:
    """The shops of an account as (id, name)."""
    return [(each.external_id, each.name) for each in account.locations]
