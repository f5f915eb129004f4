"""Configurations: connecting an account, listing, disabling."""

import json
from datetime import time
from pathlib import Path
from typing import Any
from uuid import UUID

from pos_cli.actor import command_line_actor
from pos_cli.inputs import read_json
from pos_cli.output import print_json, print_table, progress, say
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.errors import CredentialsError
from pos_core.repositories import configurations
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import load_vault

NONE_YET = "No configurations yet; `pos configurations create` makes one."


def create_configuration(
    tenant: UUID, pos: str, name: str, credentials: Path, day_starts_at: time | None, as_json: bool
) -> None:
    """Asks the vendor whose credentials they are and stores them sealed."""
    initialise()
    with progress("Asking the vendor"):
        created, was_there = connect_account(
            tenant, pos, name, read_json(credentials, CredentialsError), day_starts_at
        )
    if as_json:
        print_json({"id": str(created.id), "account_id": created.account_id, "revived": was_there})
    else:
        word = "Connected again" if was_there else "Connected"
        say(f"{word}: {created.name}, account {created.account_id}. Its id is {created.id}.")
        say(f"`pos sync --configuration {created.id}` reads its sales.")


def connect_account(
    tenant: UUID, pos: str, name: str, given: Any, day_starts_at: time | None = None
) -> tuple[Configuration, bool]:
    """Makes or revives the configuration of the account that the credentials belong to.

    Raises:
        CredentialsError: the file lacks something.
        VendorError: the vendor cannot be asked, or refuses.
        ConfigurationError: the name is empty, or a location is live under another configuration.
    """
    from pipelines.connect import Request
    from pipelines.connect import connect_account as connect

    settings = get_settings()
    request = Request(
        tenant_id=tenant,
        pos_system=pos,
        name=name,
        given=given,
        actor=command_line_actor(),
        sync_interval_seconds=settings.sync_interval_seconds,
        day_starts_at=day_starts_at,
    )
    return connect(get_engine(), load_vault(settings), request)


def show_configurations(tenant: UUID | None, as_json: bool) -> None:
    """Lists configurations, without secrets."""
    initialise()
    with get_engine().connect() as connection:
        found = configurations.listed(connection, tenant)
    if as_json:
        print_json([as_dict(each) for each in found])
    elif not found:
        say(NONE_YET)
    else:
        print_table(
            ("id", "tenant", "POS", "name", "account", "status"),
            [(e.id, e.tenant_id, e.pos_system, e.name, e.account_id, e.status) for e in found],
        )


def disable(configuration_id: UUID, reason: str, as_json: bool) -> None:
    """Stops syncing a configuration."""
    initialise()
    with get_engine().begin() as connection:
        disabled = configurations.disable(connection, configuration_id, reason, command_line_actor())
    if as_json:
        print_json(as_dict(disabled))
    else:
        say(f"{disabled.name} is disabled; its rows stay.")


def as_dict(configuration: Configuration) -> dict[str, Any]:
    """A configuration as JSON shows it."""
    return json.loads(json.dumps(vars(configuration), default=str))  # type: ignore[no-any-return]
