"""Syncs of many configurations: the first, with a few new sales, with nothing new, while keys are rotated."""

import os
from pathlib import Path

from benchmarks.machine import Measured, measured
from benchmarks.rotation import measure_rotation
from benchmarks.runs import measure_runs
from benchmarks.sandboxes import made_up_shops
from pos_cli.runs import run_sync
from pos_cli.sandbox import accounts, connect_accounts, control, sandbox_environment
from pos_cli.setup import initialise

_CHANGED_SHOPS = 10


def measure_syncs(home: Path, configurations: int, orders: int, while_rotating: int) -> list[Measured]:
    """Three syncs through Dagster runs in this process, some more while keys are rotated, and launched runs.

    The sandbox's own time does not count.

    Args:
        configurations: how many accounts the sandbox has per POS.
        orders: how many orders they have in all, per POS.
        while_rotating: how many configurations are synced, at least, while keys are rotated.
    """
    with made_up_shops(home, configurations, orders) as url:
        ready = initialise()
        os.environ.update(sandbox_environment(url))
        ids = [configuration.id for _, configuration in connect_accounts(url)]
        data = home / "postgres"
        with measured("first sync, marts built", len(ids), "configurations", data) as first:
            run_sync(ready, ids)
        for account in accounts(url)[:_CHANGED_SHOPS]:
            control(url, "POST", "sell", {"merchant_id": account["account_id"], "count": 5})
        with measured(
            f"sync, {_CHANGED_SHOPS} of them sold 5 more", len(ids), "configurations", data
        ) as some:
            run_sync(ready, ids)
        with measured("sync, nothing new", len(ids), "configurations", data) as idle:
            run_sync(ready, ids)
        rotated = measure_rotation(ready, url, ids, while_rotating)
        return [first, some, idle, rotated, *measure_runs(ready, ids[0])]
