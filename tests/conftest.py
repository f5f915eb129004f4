"""What every test stands on: a real PostgreSQL, the project's schema and models in it, and a sandbox.

Each worker has a server of its own, with one database that is emptied before each test that uses it.
"""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from pipelines.normalise import Normalised, normalise
from pipelines.replay import replay
from pipelines.sync import Context, Report, sync
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import embedded_server, get_engine, get_service_engine
from pos_core.database.embedded import EmbeddedServer
from pos_core.database.migrate import migrate
from pos_core.database.roles import API_ROLE, SERVICE_LOGIN, WEBHOOK_ROLE
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.sync_logs import SyncCounts
from pos_core.settings import get_settings
from pos_core.vault import Vault, load_vault
from sandbox.engine import Options
from sandbox.square.driver import Driver, serving

_KEPT = ("pos_schema_version", "pos_model_builds", "pos_webhook_gate")


def pytest_configure() -> None:
    """Has Ctrl-C heard where a shell, that started the tests in the background, had it ignored.

    The processes that tests start would inherit that, and one that is told to stop by it would never end.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Iterator[DatabaseAddress]:
    """A PostgreSQL server for this worker.

    Not below pytest's own folder: the next pytest closes that to the server's user, if it runs as root.
    """
    with TemporaryDirectory(prefix="pos-test-", ignore_cleanup_errors=True) as home:
        embedded = EmbeddedServer(Path(home))
        address = embedded.acquire()
        _do_not_wait_for_the_disk(address)
        yield address
        embedded.release()


@dataclass(frozen=True)
class Project:
    """A database with the project's tables and models, and what a process syncs with."""

    engine: Engine
    address: DatabaseAddress
    home: Path
    vault: Vault

    @property
    def context(self) -> Context:
        """As the Dagster resource makes it."""
        return Context(self.engine, self.address, self.vault, self.home / "work", workers=4)

    def sync(self, *configurations: Configuration, **options: Any) -> Report:
        """Reads and lands; nothing is normalised."""
        return sync(self.context, [each.id for each in configurations], **options)

    def normalise(self) -> Normalised:
        """Brings the marts up to date."""
        return normalise(self.engine, self.address, self.home / "dbt")

    def replay(
        self, configuration: Configuration, stream: str, saved: Any, read_at: Any = None
    ) -> SyncCounts:
        """Lands documents as from a file; nothing is normalised."""
        return replay(self.context, configuration.id, stream, saved, read_at)

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query), parameters)]

    def value(self, query: str, **parameters: Any) -> Any:
        """The one value of a query."""
        with self.engine.connect() as connection:
            return connection.execute(text(query), parameters).scalar_one()

    def execute(self, statement: str, **parameters: Any) -> None:
        """Runs a statement."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def marts(self) -> dict[str, list[str]]:
        """All rows of the marts but for our own times, sorted, to compare two states."""
        ours = "- 'normalized_at' - 'first_received_at' - 'source'"
        return {
            table: [
                json.dumps(row["content"], sort_keys=True)
                for row in self.rows(f"select to_jsonb(t) {ours} as content from {table} as t order by 1")
            ]
            for table in ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")
        }


@pytest.fixture(scope="session")
def built_project(server: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project's database, made once per worker: migrated, models built while it is empty."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    _enter(patch, home, server)
    engine = get_engine()
    migrate(engine)
    project = Project(engine, server, home, load_vault(get_settings()))
    project.normalise()
    yield project
    engine.dispose()
    patch.undo()
    _forget()


@pytest.fixture
def project(built_project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project over an empty database; `Settings` point to it."""
    _enter(monkeypatch, built_project.home, built_project.address)
    _empty(built_project)
    yield built_project
    _forget()


@pytest.fixture
def sandbox() -> Iterator[Driver]:
    """A small sandbox of one's own."""
    with serving(Options(scale="small")) as driver:
        yield driver


@pytest.fixture
def connected(project: Project, sandbox: Driver, monkeypatch: pytest.MonkeyPatch) -> list[Configuration]:
    """The sandbox's accounts as configurations, not synced yet."""
    for name, value in sandbox_environment(sandbox.url).items():
        monkeypatch.setenv(name, value)
    return [configuration for _, configuration in connect_accounts(sandbox.url)]


def _empty(project: Project) -> None:
    """Takes all rows out; only tables with something in their files are touched, since each costs time."""
    written = project.rows(
        "select nspname || '.' || quote_ident(relname) as name "
        "from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where relkind = 'r' and (nspname in ('public', 'pos_work') or nspname like 'raw\\_%') "
        "and relname <> all(:kept) and relname not like '%currency%' "
        "and pg_relation_size(pg_class.oid) > 0 order by 1",
        kept=list(_KEPT),
    )
    if written:
        project.execute("truncate " + ", ".join(row["name"] for row in written) + " cascade")
    project.execute("update pos_webhook_gate set is_active = false, is_dirty = false")


def _do_not_wait_for_the_disk(address: DatabaseAddress) -> None:
    """What a commit waits for only matters to a machine that loses its power."""
    with psycopg.connect(address.libpq(), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")


def _enter(patch: pytest.MonkeyPatch, home: Path, address: DatabaseAddress) -> None:
    patch.setenv("POS_HOME", str(home))
    patch.setenv("POS_DATABASE_URL", address.libpq())
    patch.setenv("POS_API_DATABASE_URL", replace(address, user=SERVICE_LOGIN).libpq())
    for name in ("POS_ENCRYPTION_KEYS", "POS_ENVIRONMENT", "WEBHOOK_BASE_URL"):
        patch.delenv(name, raising=False)
    _forget()


def _forget() -> None:
    """What this process has remembered of another test's settings."""
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    for role in (API_ROLE, WEBHOOK_ROLE) if get_service_engine.cache_info().currsize else ():
        get_service_engine(role).dispose()
    for cached in (get_settings, embedded_server, get_engine, get_service_engine):
        cached.cache_clear()
