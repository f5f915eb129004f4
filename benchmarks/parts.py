"""The parts of which `make bench` consists, each to be run in a process and a home of its own."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.backfill import measure_backfills
from benchmarks.crashes import measure_crashes
from benchmarks.faults import measure_faults
from benchmarks.flood import measure_flood
from benchmarks.growth import measure_growth
from benchmarks.landing import measure_landing
from benchmarks.machine import Measured
from benchmarks.reading import measure_reading
from benchmarks.serving import free_ports
from benchmarks.syncs import measure_syncs
from benchmarks.tick import measure_tick
from benchmarks.webhooks import measure_webhooks

_PORTS = ("POS_API_PORT", "POS_DAGSTER_PORT")
_SET_FROM_OUTSIDE = ("POS_DATABASE_URL", "POS_API_DATABASE_URL", "POS_DAGSTER_URL", "WEBHOOK_BASE_URL")
PARTS: dict[str, Callable[[Path, argparse.Namespace], list[Measured]]] = {
    "syncs": lambda home, given: measure_syncs(home, given.configurations, given.orders, given.rotating),
    "landing": lambda _home, given: measure_landing(given.documents),
    "tick": lambda _home, given: [measure_tick(given.idle)],
    "backfill": lambda _home, given: measure_backfills(given.backfilled),
    "growth": lambda _home, given: measure_growth(given.transactions, given.changed),
    "reading": lambda home, given: measure_reading(home, given.sales, given.requests),
    "webhooks": lambda home, given: measure_webhooks(home, given.listening, given.deliveries, given.seconds),
    "crashes": lambda _home, given: measure_crashes(given.kills),
    "faults": lambda _home, given: measure_faults(given.stormy),
    "flood": lambda home, given: measure_flood(home, given.mutations),
}
"""By name: what measures, given a home and the options of the command line."""


def measure(name: str, home: Path, given: argparse.Namespace) -> list[Measured]:
    """Runs one part: over an embedded database in `home`, on ports that nobody has.

    Args:
        given: the options of the command line.
    """
    for variable in _SET_FROM_OUTSIDE:
        os.environ.pop(variable, None)
    os.environ["POS_HOME"] = str(home)
    for variable, port in zip(_PORTS, free_ports(len(_PORTS)), strict=True):
        os.environ[variable] = str(port)
    return PARTS[name](home, given)
