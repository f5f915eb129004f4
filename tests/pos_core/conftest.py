"""Databases for tests of the core: an empty one, one with the tables, and one whose changes are undone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import embedded_server, get_engine
from pos_core.database.migrate import migrate
from pos_core.settings import get_settings


@pytest.fixture
def settings_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A POS_HOME of its own and nothing else set; what the test sets is read, and forgotten after it."""
    for name in ("POS_DATABASE_URL", "POS_ENCRYPTION_KEYS", "POS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POS_HOME", str(tmp_path / "home"))
    _forget()
    yield monkeypatch
    _forget()


@pytest.fixture
def database(server: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """An empty database."""
    with _new_database(server) as address:
        yield address


@pytest.fixture
def empty(database: DatabaseAddress) -> Iterator[Engine]:
    """An engine over an empty database."""
    engine = create_engine(database.sqlalchemy())
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(server: DatabaseAddress) -> Iterator[Engine]:
    """An engine over a database with the tables; who commits to it uses `engine`."""
    with _new_database(server) as address:
        engine = create_engine(address.sqlalchemy())
        migrate(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(migrated: Engine) -> Iterator[Engine]:
    """An engine over a database with empty tables, emptied again after the test."""
    yield migrated
    with migrated.begin() as connection:
        # Only those with something in their files: each costs time.
        written: Sequence[str] = (
            connection.execute(
                text(
                    "select quote_ident(relname) from pg_class where relkind = 'r' "
                    "and relnamespace = 'public'::regnamespace and relname <> 'pos_schema_version' "
                    "and pg_relation_size(oid) > 0"
                )
            )
            .scalars()
            .all()
        )
        if written:
            connection.execute(text(f"truncate {', '.join(written)} cascade"))


@pytest.fixture
def connection(migrated: Engine) -> Iterator[Connection]:
    """One transaction over empty tables, rolled back after the test; so its `now()` stands still."""
    with migrated.connect() as connection:
        yield connection


@contextmanager
def _new_database(server: DatabaseAddress) -> Iterator[DatabaseAddress]:
    name = f"test_{uuid4().hex}"
    admin = create_engine(server.sqlalchemy(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
        yield server.with_database(name)
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


def _forget() -> None:
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    for cached in (get_settings, embedded_server, get_engine):
        cached.cache_clear()
