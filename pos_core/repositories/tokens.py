"""Tokens that several configurations share, sealed; found by a hash of the credential they belong to."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from pos_core.database.tables import shared_tokens
from pos_core.errors import VaultError
from pos_core.vault import NOBODY, Vault


def read(connection: Connection, vault: Vault, key: str) -> dict[str, Any] | None:
    """The token of a credential; None where there is none, or it was sealed with a key that is gone."""
    query = select(shared_tokens.c.token_sealed).where(shared_tokens.c.key_hash == _hash(key))
    sealed = connection.execute(query).scalar_one_or_none()
    if sealed is None:
        return None
    try:
        return vault.open(NOBODY, owner(_hash(key)), sealed)
    except VaultError:
        return None


def store(connection: Connection, vault: Vault, key: str, token: Mapping[str, Any]) -> None:
    """Keeps the token in place of the one before."""
    statement = insert(shared_tokens).values(
        key_hash=_hash(key), token_sealed=vault.seal(NOBODY, owner(_hash(key)), token)
    )
    statement = statement.on_conflict_do_update(
        index_elements=["key_hash"],
        set_={"token_sealed": statement.excluded.token_sealed, "renewed_at": func.now()},
    )
    connection.execute(statement)


def owner(key_hash: str) -> UUID:
    """What stands in the place of a configuration when the token of a credential is sealed.

    Args:
        key_hash: the primary key of its row.
    """
    return uuid5(NAMESPACE_OID, key_hash)


def _hash(key: str) -> str:
    return hashlib.sha256(b"pos-shared-token:" + key.encode()).hexdigest()
