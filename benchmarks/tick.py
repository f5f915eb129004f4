"""One tick of the schedule over many configurations that have nothing new."""

import os

from benchmarks.homes import own_home
from benchmarks.machine import Measured, measured
from benchmarks.sandboxes import serving
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
    with own_home() as home, serving(home, per_pos, per_pos * _ORDERS_EACH) as url:
        ready = initialise()
        os.environ.update(sandbox_environment(url))
        ids = [configuration.id for _, configuration in connect_accounts(url)]
        run_sync(ready, ids)
        with measured("one tick, nothing new", len(ids), "configurations", home / "postgres") as tick:
            results = run_sync(ready, ids)
    assert all(each.status == "succeeded" and not each.landed for each in results)
    most_seconds = len(ids) * _MOST_CPU_SECONDS_EACH
    tick.figures = {"CPU seconds each": (tick.cpu_seconds or 0) / len(ids)}
    tick.budget = f"wall {most_seconds:.0f} s, CPU {_MOST_CPU_SECONDS_EACH} s each"
    return tick
