"""A first sync of one large account, normalised, against reading and copying its pages alone."""

import os
import resource
import sys
from pathlib import Path

import psycopg

from benchmarks.machine import Figure, Measured, measured
from benchmarks.sandboxes import made_up_shops
from benchmarks.shops import own_database
from pipelines import json_text
from pipelines.connector import Connector, Page, ReadRequest
from pipelines.credentials import StoredKeeper
from pipelines.normalise import normalise
from pipelines.registry import connectors
from pipelines.rounds import sync_rounds, together
from pipelines.sync import Context
from pipelines.windows import Plan
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_cli.setup import Ready, initialise
from pos_core.database.connect import get_engine
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import load_vault

_MOST_CPU, _MOST_WALL, _MOST_MEGABYTES = 3, 2, 500


def measure_backfills(orders: int) -> list[Measured]:
    """An account of so many orders of each POS in turn; for each the pages alone, and the sync."""
    return [row for connector in connectors().values() for row in _backfill(connector, orders)]


def _backfill(connector: Connector, orders: int) -> list[Measured]:
    number = [*connectors()].index(connector.pos_system) + 1
    with own_database() as home, made_up_shops(home, 1, orders, connector.pos_system) as url:
        ready, data = initialise(), home / "postgres"
        os.environ.update(sandbox_environment(url))
        [(_, configuration)] = connect_accounts(url)
        normalise(get_engine(), ready.address, home / "dbt")
        # Once before anything is measured: the sandbox makes its sales when it is first asked for them.
        _copy_pages(ready, connector, configuration, "first")
        with measured(f"system {number}: pages copied", orders, "orders", data) as copied:
            documents = _copy_pages(ready, connector, configuration, "second")
        with measured(f"system {number}: backfill, normalised", orders, "orders", data) as synced:
            _sync(ready, home, configuration)
    times_cpu = (synced.cpu_seconds or 0) / (copied.cpu_seconds or 1)
    synced.figures = [
        Figure("documents on pages", documents),
        Figure("CPU", times_cpu, "times", below=_MOST_CPU),
        Figure("wall", synced.wall_seconds / copied.wall_seconds, "times", below=_MOST_WALL),
        Figure("peak memory of the process", _peak_megabytes(), "MB", below=_MOST_MEGABYTES),
    ]
    return [copied, synced]


def _copy_pages(ready: Ready, connector: Connector, configuration: Configuration, name: str) -> int:
    """What cannot be saved: the pages of a first sync within the vendor's limits, each document as one text.

    Args:
        name: of the table that is made.

    Returns:
        How many documents were on the pages, those that are on several of them as often.
    """
    assert configuration.history_from is not None
    keeper = StoredKeeper(get_engine(), load_vault(get_settings()), configuration)
    plan, copied = Plan(configuration.history_from), 0
    with (
        psycopg.connect(ready.address.libpq()) as connection,
        connector.open_http(configuration.base_url, keeper) as http,
    ):
        connection.execute(f"create table {name} (document json)".encode())
        request = ReadRequest(configuration.id, configuration.account_id, keeper.current, http, plan)
        for event in connector.read(request):
            if isinstance(event, Page):
                with connection.cursor().copy(f"copy {name} from stdin".encode()) as copy:
                    for document in event.documents:
                        copy.write_row((json_text.canonical(document),))
                copied += len(event.documents)
    return copied


def _sync(ready: Ready, home: Path, configuration: Configuration) -> None:
    """Until nothing is missing, and normalised."""
    context = Context(get_engine(), ready.address, load_vault(get_settings()), home / "work")
    done = together(list(sync_rounds(context, home / "dbt", [configuration.id])))
    assert not done.report.failed, done.report.failed[0].error


def _peak_megabytes() -> float:
    """The most memory that this process has had, since it began."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024 if sys.platform == "linux" else kilobytes / 1024**2
