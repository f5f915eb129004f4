"""Connecting a tenant's POS account: the vendor says whose credentials they are, then they are stored."""

from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from pipelines.credentials import NewKeeper
from pipelines.registry import get_connector
from pos_core.errors import ConfigurationError, CredentialsError
from pos_core.repositories import configurations
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
    """

    tenant_id: UUID
    pos_system: str
    name: str
    given: Any
    actor: Actor
    sync_interval_seconds: int
    day_starts_at: time | None = None


def connect_account(engine: Engine, vault: Vault, request: Request) -> tuple[Configuration, bool]:
    """Makes or revives the configuration of the account that the credentials belong to.

    Returns:
        The configuration, and whether it was there before.

    Raises:
        CredentialsError: something is missing, or the vendor says that they belong to another account.
        VendorError: the vendor cannot be asked, or refuses.
        ConfigurationError: the name is empty, or a location is live under another configuration.
    """
    connector = get_connector(request.pos_system)
    if not request.name.strip():
        raise ConfigurationError("The name of a configuration must not be empty.")
    if not isinstance(request.given, dict):
        raise CredentialsError("The credentials must be one JSON object.")
    base_url = connector.base_url()
    keeper = NewKeeper(engine, vault, connector.read_credentials(request.given))
    with connector.open_http(base_url, keeper) as http:
        account = connector.confirm(http, keeper.current)
    new = NewConfiguration(
        tenant_id=request.tenant_id,
        pos_system=connector.pos_system,
        name=request.name.strip(),
        account_id=account.account_id,
        account_name=account.name,
        base_url=base_url,
        history_from=account.opened_at,
        locations=[(each.external_id, each.name) for each in account.locations],
        sync_interval_seconds=request.sync_interval_seconds,
        day_starts_at=request.day_starts_at,
    )
    with engine.begin() as connection:
        return configurations.create_or_revive(connection, vault, new, keeper.current, request.actor)
