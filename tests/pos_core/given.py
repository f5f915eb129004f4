"""Configurations to begin with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration, NewConfiguration, create_or_revive
from pos_core.vault import Vault

VAULT = Vault({"test": b"\x07" * 32})
CREDENTIALS = {"access_token": "a-token-that-nobody-may-see"}


def new_configuration(tenant_id: UUID | None = None, **given: Any) -> NewConfiguration:
    """What is known of a bakery's account, with what the test gives."""
    return NewConfiguration(
        **{
            "tenant_id": tenant_id or uuid4(),
            "pos_system": "square",
            "name": "Bakery",
            "account_id": "M1",
            "account_name": "Bakery Ltd",
            "base_url": "http://127.0.0.1:1",
            "history_from": datetime(2026, 1, 1, tzinfo=UTC),
            "locations": [("L1", "High Street"), ("L2", "Station")],
            "sync_interval_seconds": 300,
            **given,
        }
    )


def connect(
    connection: Connection, tenant_id: UUID | None = None, credentials: Any = CREDENTIALS, **given: Any
) -> Configuration:
    """Makes or revives a configuration."""
    new = new_configuration(tenant_id, **given)
    return create_or_revive(connection, VAULT, new, credentials, Actor("tester"))[0]
