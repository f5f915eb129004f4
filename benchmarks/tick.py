"""One tick of the schedule over many configurations that have nothing new."""

import os

from benchmarks.machine import Figure, Measured, measured
from benchmarks.sandboxes import made_up_shops
from benchmarks.shops import own_database
from pipelines.registry import connectors
from pos_cli.runs import run_sync
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_cli.setup import initialise

_MOST_CPU_SECONDS_EACH = 0.1
_ORDERS_EACH = 4


def measure_tick(configurations: int) -> Measured:
    """One run over accounts of every POS that have been synced once.

    Args:
        configurations: how many accounts, of all POS systems together.
    """
    per_pos = -(-configurations // len(connectors()))
    with own_database() as home, made_up_shops(home, per_pos, per_pos * _ORDERS_EACH) as url:
        ready = initialise()
        os.environ.update(sandbox_environment(url))
        ids = [configuration.id for _, configuration in connect_accounts(url)]
        run_sync(ready, ids)
        with measured("one tick, nothing new", len(ids), "configurations", home / "postgres") as tick:
            results = run_sync(ready, ids)
    assert all(each.status == "succeeded" and not each.landed for each in results)
    most_seconds = len(ids) * _MOST_CPU_SECONDS_EACH
    tick.figures = [
        Figure("wall", tick.wall_seconds, "s", below=most_seconds),
        Figure("CPU", (tick.cpu_seconds or 0) / len(ids), "s each", below=_MOST_CPU_SECONDS_EACH),
    ]
    return tick
