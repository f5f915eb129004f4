"""What the fork server does before it serves: it imports this module, and a run finds all of it done.

Whatever goes wrong here is said in the log and costs time alone: a run does itself what is missing.
"""

import gc
import importlib
import sys
import tempfile
import threading
import time
from pathlib import Path

from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import close_database

# What a run imports when it first needs it: Dagster its storage, dlt its loader, httpx its transport.
_IMPORTED_LATE = (
    "adbc_driver_postgresql",
    "adbc_driver_manager._lib",
    "dagster._core.execution.api",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.utility_ops",
    "dagster._grpc.impl",
    "dagster_postgres",
    "dagster_project.lib.launcher",
    "dagster_project.server.forking",
    "dlt.destinations.impl.postgres.postgres",
    "dlt.sources.helpers.requests",
    "httpcore",
    "psycopg2.extras",
    "upath.implementations.local",
    "watchdog.observers.polling",
)


def warm_up() -> None:
    """Imports, loads and tries everything that can be, without the database, and leaves nothing open."""
    from dagster_project.definitions import defs
    from pipelines.landing import land
    from pipelines.registry import connectors

    defs.get_repository_def().get_all_jobs()
    nowhere = DatabaseAddress("", 0, "", "", "")
    with tempfile.TemporaryDirectory(prefix="pos-preload-") as folder:
        for pos_system in connectors():
            land(nowhere, pos_system, [], Path(folder))  # without documents it makes no connection
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    close_database()
    gc.collect()
    gc.freeze()  # so that the collector of a run copies none of these pages


def _say(level: str, text: str) -> None:
    """Without logging, which runs would inherit as it is set up here."""
    now = time.strftime("%Y-%m-%d %H:%M:%S %z")
    print(f"{now} - fork server - {level} - {text}", file=sys.stderr, flush=True)


def _main() -> None:
    started = time.monotonic()
    try:
        warm_up()
    except Exception as error:
        _say("ERROR", f"Runs start cold: warming up failed with {error!r}.")
        return
    threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if threads:
        _say("WARNING", f"Runs are forked without these threads: {', '.join(threads)}.")
    _say("INFO", f"Runs start warm, after {time.monotonic() - started:.1f} s.")


_main()
