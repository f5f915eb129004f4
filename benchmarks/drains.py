"""From the acknowledgement of a webhook to its sale in the tables, with the whole stack up."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.deliveries import Capture, Sent
from benchmarks.load import send
from benchmarks.machine import Figure, Measured, measured
from benchmarks.runs import WARM, dagster
from benchmarks.serving import start_service
from pos_cli.setup import Ready, dagster_environment
from pos_core.database.connect import get_engine
from pos_core.settings import get_settings

_PER_SECOND = 20
_CONNECTIONS = 8
_LONGEST_WAIT_SECONDS = 120
_FIGURES = """
    select
        count(*) as events,
        percentile_cont(0.50) within group (order by extract(epoch from visible_at - received_at)) as p50,
        percentile_cont(0.95) within group (order by extract(epoch from visible_at - received_at)) as p95
    from pos_webhook_logs where received_at >= :since
"""
_RUNS = """
    select count(distinct run_id) from pos_sync_logs where source = 'webhook' and started_at >= :since
"""
_NEW_SALES = "select count(*) from pos_transactions where first_received_at >= :since"


def measure_drains(ready: Ready, capture: Capture, configurations: int, seconds: int) -> Measured:
    """Sends what new sales are told by, so many a second, to configurations that have been synced once.

    Args:
        capture: sells in them and keeps what is sent.
        configurations: how many there are.
        seconds: for how long.
    """
    first, *sent = _mixed(capture, _PER_SECOND * seconds + 1)
    data = ready.home / "postgres"
    with _stack(ready) as processes:
        _deliver([first])
        _wait_until_visible()  # until this one is through, the servers are still starting
        since = _one("select now() as now")["now"]
        title = f"webhooks, {_PER_SECOND} a second over {configurations} configurations, to the tables"
        with measured(title, len(sent), "webhooks", data, processes) as result:
            _deliver(sent)
            _wait_until_visible()
    result.figures = _figures(since)
    return result


def _mixed(capture: Capture, count: int) -> list[Sent]:
    """So many deliveries of new sales, of all configurations in any order, the same each time."""
    found: list[Sent] = []
    while len(found) < count:
        found += capture.sold(1)
    random.Random(count).shuffle(found)
    return found[:count]


def _deliver(sent: Sequence[Sent]) -> None:
    requests = [each.request() for each in sent]
    load = send(get_settings().api_port, requests, _CONNECTIONS, per_second=_PER_SECOND)
    if load.statuses.keys() != {200} or load.unanswered:
        raise SystemExit(f"Not all webhooks were acknowledged: {dict(load.statuses)}.")


def _wait_until_visible() -> None:
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    query = """
        select count(*) as left from pos_webhook_logs
        where outcome = 'pending' or (outcome = 'processed' and visible_at is null)
    """
    while _one(query)["left"]:
        if time.monotonic() > deadline:
            raise SystemExit("Webhooks were not worked off.")
        time.sleep(0.2)


def _figures(since: datetime) -> list[Figure]:
    found = _one(_FIGURES, since=since)
    return [
        Figure("p50", float(found["p50"]), "s"),
        Figure("p95", float(found["p95"]), "s", below=3),
        Figure("events", found["events"]),
        Figure("new sales", _one(_NEW_SALES, since=since)["count"]),
        Figure("drain runs", _one(_RUNS, since=since)["count"]),
    ]


def _one(query: str, **parameters: Any) -> dict[str, Any]:
    with get_engine().connect() as connection:
        return dict(connection.execute(text(query), parameters).mappings().one())


@contextmanager
def _stack(ready: Ready) -> Iterator[list[psutil.Process]]:
    """What `pos up` starts; yields its processes."""
    with dagster(ready, WARM) as supervisor:
        environment = dagster_environment(ready)
        workspace = str(ready.home / "workspace.yaml")
        daemon = [sys.executable, "-m", "dagster._daemon", "run", "-w", workspace]
        supervisor.start("daemon", daemon, environment)
        start_service(supervisor, environment)
        yield [psutil.Process(process.pid) for _, process in supervisor.parts]
