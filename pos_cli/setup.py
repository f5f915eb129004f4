"""Makes POS_HOME and the databases ready; every command that needs them calls it first."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import database_address, get_engine
from pos_core.database.migrate import migrate
from pos_core.settings import get_settings, prepare_home
from pos_core.vault import load_vault

_DAGSTER_SCHEMA = "dagster"
_LOCK_KEY = 0x706F735F646167
_DAGSTER_YAML = """\
# Written by `pos`; Dagster's own storage is in the project's PostgreSQL.
storage:
  postgres:
    postgres_url:
      env: POS_DAGSTER_DATABASE_URL
nux:
  enabled: false
telemetry:
  enabled: false
python_logs:
  python_log_level: INFO
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
run_launcher:
  module: dagster_project.lib.launcher
  class: WatchedRunLauncher
run_monitoring:
  enabled: true
  poll_interval_seconds: 10
  max_runtime_seconds: 86400
schedules:
  use_threads: true
  num_workers: 4
sensors:
  use_threads: true
  num_workers: 4
"""


@dataclass(frozen=True)
class Ready:
    """What `initialise` found or made."""

    home: Path
    address: DatabaseAddress
    migrated: bool


def initialise() -> Ready:
    """Starts or finds the database, runs missing migrations, makes the vault's key; safe to repeat.

    Raises:
        PosError: something is in the way; the message says what to do.
    """
    settings = get_settings()
    home = prepare_home(settings)
    load_vault(settings)
    engine = get_engine()
    return Ready(home, database_address(), migrate(engine))


def dagster_environment(ready: Ready) -> dict[str, str]:
    """The variables with which Dagster's processes find their home and storage; makes both."""
    folder = ready.home / "dagster"
    folder.mkdir(exist_ok=True)
    path = folder / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != _DAGSTER_YAML:
        path.write_text(_DAGSTER_YAML, encoding="utf-8")
    return {
        "DAGSTER_HOME": str(folder),
        "POS_DAGSTER_DATABASE_URL": _dagster_url(ready.address),
        "POS_HOME": str(ready.home),
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DO_NOT_TRACK": "1",
    }


def enter_dagster(ready: Ready) -> None:
    """Makes this process one of Dagster's."""
    os.environ.update(dagster_environment(ready))


def _dagster_url(address: DatabaseAddress) -> str:
    """Dagster's own database beside ours, or a schema in ours where the user may not create databases.

    The driver is named because Dagster's storage works with psycopg2 alone.
    """
    name = f"{address.database}_dagster"
    if _has_database(address, name):
        url = address.with_database(name).sqlalchemy("psycopg2")
    else:
        with get_engine().begin() as connection:
            connection.execute(text(f"create schema if not exists {_DAGSTER_SCHEMA}"))
        url = address.sqlalchemy("psycopg2").update_query_dict(
            {"options": f"-csearch_path={_DAGSTER_SCHEMA}"}
        )
    return url.render_as_string(hide_password=False)


def _has_database(address: DatabaseAddress, name: str) -> bool:
    """Finds or creates the database; False when the user may not."""
    engine = create_engine(address.sqlalchemy(), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
            query = text("select 1 from pg_database where datname = :name")
            if connection.execute(query, {"name": name}).scalar() is None:
                quoted = engine.dialect.identifier_preparer.quote(name)
                connection.execute(text(f"create database {quoted}"))
        return True
    except DBAPIError:
        return False
    finally:
        engine.dispose()
