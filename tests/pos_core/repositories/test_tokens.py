"""Tokens that configurations share are sealed, and found only by who has their credential."""

from sqlalchemy import Connection, text

from pos_core.repositories import tokens
from pos_core.vault import Vault
from tests.pos_core.given import VAULT


def test_a_token_is_read_by_who_has_the_credential_alone(connection: Connection) -> None:
    tokens.store(connection, VAULT, "client:secret", {"access_token": "croissant"})
    assert tokens.read(connection, VAULT, "client:secret") == {"access_token": "croissant"}
    assert tokens.read(connection, VAULT, "client:another") is None


def test_the_last_token_counts(connection: Connection) -> None:
    for token in ("stale", "fresh"):
        tokens.store(connection, VAULT, "key", {"access_token": token})
    assert tokens.read(connection, VAULT, "key") == {"access_token": "fresh"}
    assert connection.execute(text("select count(*) from pos_shared_tokens")).scalar() == 1


def test_neither_token_nor_credential_can_be_read_from_the_table(connection: Connection) -> None:
    tokens.store(connection, VAULT, "client:secret", {"access_token": "croissant"})
    query = text("select string_agg(t::text, ' ') from pos_shared_tokens as t")
    written: str = connection.execute(query).scalar_one()
    assert "secret" not in written
    assert "croissant" not in written


def test_a_token_that_no_longer_opens_or_was_copied_is_none(connection: Connection) -> None:
    tokens.store(connection, VAULT, "one", {"access_token": "1"})
    assert tokens.read(connection, Vault({"other": b"\x01" * 32}), "one") is None
    tokens.store(connection, VAULT, "two", {"access_token": "2"})
    swap = "update pos_shared_tokens as a set token_sealed = b.token_sealed from pos_shared_tokens as b"
    connection.execute(text(f"{swap} where a.key_hash <> b.key_hash"))
    assert tokens.read(connection, VAULT, "one") is None
    assert tokens.read(connection, VAULT, "two") is None
