"""Webhooks: how fast they are acknowledged, also beside syncs, and how soon their sales are in the tables."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import psutil
from sqlalchemy import text

from benchmarks.deliveries import Capture, Sent, capturing, connect_shops
from benchmarks.drains import measure_drains
from benchmarks.load import Load, send
from benchmarks.machine import Figure, Measured, cpu_seconds, server_of
from benchmarks.sandboxes import made_up_shops
from benchmarks.serving import service
from pipelines.registry import connectors
from pos_cli.commands.database import normalise_now
from pos_cli.sandbox import sandbox_environment
from pos_cli.setup import Ready, initialise
from pos_core.database.connect import get_engine
from pos_core.settings import PROJECT_ROOT, get_settings

_CONNECTIONS = 8
_ORDERS_EACH = 10
_ACKNOWLEDGED = 200


def measure_webhooks(home: Path, configurations: int, deliveries: int, seconds: int) -> list[Measured]:
    """Acknowledgements by the service alone and during a first sync, then the whole stack at a steady rate.

    Args:
        configurations: how many accounts are connected.
        deliveries: how many different ones are acknowledged, at least.
        seconds: for how long the whole stack is watched.
    """
    os.environ["WEBHOOK_SECRET"] = operator_secret = secrets.token_hex(16)
    ready = initialise()
    normalise_now(ready)
    per_pos = -(-configurations // len(connectors()))
    with made_up_shops(home, per_pos, _ORDERS_EACH * per_pos) as url:
        os.environ.update(sandbox_environment(url))
        shops = connect_shops(url, operator_secret, configurations)
        with capturing(url, shops) as capture:
            sent = _captured(capture, deliveries)
            with service(home) as process:
                alone = _alone(ready, process, sent)
                forget_events()
                syncing = _while_syncing(ready, process, sent)
                forget_events()
            return [alone, syncing, measure_drains(ready, capture, len(shops), seconds)]


def forget_events() -> None:
    """Empties the log of webhooks, so that the same deliveries are new again."""
    with get_engine().begin() as connection:
        connection.execute(text("truncate pos_webhook_logs"))


def _captured(capture: Capture, count: int) -> list[Sent]:
    """So many deliveries or a few more, of the same sales in a row as they came."""
    sent = capture.sold(1)
    missing = count - len(sent)
    return sent + capture.sold(-(-missing // len(sent))) if missing > 0 else sent


def _alone(ready: Ready, service: psutil.Process, sent: Sequence[Sent]) -> Measured:
    """As many as are acknowledged, while nothing else runs."""
    postgres = server_of(ready.home / "postgres")
    requests = [each.request() for each in sent]
    before = cpu_seconds(service), cpu_seconds(postgres)
    load = send(get_settings().api_port, requests, _CONNECTIONS)
    used = cpu_seconds(service) - before[0], cpu_seconds(postgres) - before[1]
    result = _measured(f"webhooks at {_CONNECTIONS} connections", load, 50)
    result.cpu_seconds = sum(used)
    acknowledged = load.statuses[_ACKNOWLEDGED]
    result.figures += [
        Figure("acknowledged a second", acknowledged / load.wall_seconds, at_least=1_200),
        Figure("acknowledged, not committed", acknowledged - _committed(), below=1),
        Figure("CPU of the service", 1000 * used[0] / len(sent), "ms each"),
        Figure("CPU of PostgreSQL", 1000 * used[1] / len(sent), "ms each"),
    ]
    return result


def _while_syncing(ready: Ready, service: psutil.Process, sent: Sequence[Sent]) -> Measured:
    """The same while all configurations are read for the first time, by a process of its own."""
    requests = [each.request() for each in sent]
    command = [sys.executable, "-m", "pos_cli.main", "sync"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL) as syncing:
        while not _is_syncing():
            if syncing.poll() is not None:
                raise SystemExit("The sync did not begin.")
            time.sleep(0.05)
        while_it_runs = takewhile(lambda _: syncing.poll() is None, requests)
        load = send(get_settings().api_port, while_it_runs, _CONNECTIONS)
    if syncing.returncode:
        raise SystemExit("The sync beside which webhooks were acknowledged failed.")
    result = _measured("webhooks while a first sync runs", load, 200)
    result.figures.append(Figure("acknowledged a second", load.statuses[_ACKNOWLEDGED] / load.wall_seconds))
    return result


def _measured(title: str, load: Load, milliseconds: int) -> Measured:
    """What a load has shown.

    Args:
        milliseconds: below which the 99th percentile of the acknowledgements has to be.
    """
    count = load.statuses.total() + load.unanswered
    figures = [
        Figure("p50", load.milliseconds(0.50), "ms"),
        Figure("p99", load.milliseconds(0.99), "ms", below=milliseconds),
        Figure("not acknowledged", count - load.statuses[_ACKNOWLEDGED], below=1),
    ]
    return Measured(title, count, "webhooks", load.wall_seconds, figures=figures)


def _committed() -> int:
    with get_engine().connect() as connection:
        query = text("select count(distinct (pos_system, event_id)) from pos_webhook_logs")
        return int(connection.execute(query).scalar_one())


def _is_syncing() -> bool:
    with get_engine().connect() as connection:
        query = text("select exists (select from pos_sync_logs where status = 'running')")
        return bool(connection.execute(query).scalar_one())
