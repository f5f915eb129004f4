"""Syncs of many configurations: the first, with a few new sales, with nothing new, while keys are rotated."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import Measured, measured
from benchmarks.rotation import measure_rotation
from benchmarks.runs import measure_runs
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


@contextmanager
def made_up_shops(home: Path, merchants: int, orders: int) -> Iterator[str]:
    """A sandbox in a process of its own.

    Args:
        home: where it notes its address.
        merchants: accounts per POS.
        orders: how many they have in all, per POS, before anything is sold.

    Yields:
        Its address.
    """
    ready_file = home / "sandbox.json"
    command = [
        sys.executable, "-m", "sandbox", "--port", "0", "--ready-file", str(ready_file), "--clock", "ticking",
        "--scale", "large", "--merchants", str(merchants), "--orders", str(orders),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            while not ready_file.exists():
                if process.poll() is not None:
                    raise SystemExit("The sandbox did not start.")
                time.sleep(0.05)
            yield _url(ready_file)
        finally:
            process.terminate()


def _url(ready_file: Path) -> str:
    return str(json.loads(ready_file.read_text(encoding="utf-8"))["url"])
