"""Runs every benchmark and prints a table for people and one JSON line for programs."""

import argparse
import json
import os
import tempfile
from pathlib import Path

from benchmarks.crashes import measure_crashes
from benchmarks.faults import measure_faults
from benchmarks.landing import measure_landing
from benchmarks.machine import Measured
from benchmarks.reading import measure_reading
from benchmarks.syncs import measure_syncs
from pos_cli.output import compact_table, console


def main() -> None:
    """Entry point of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--configurations", type=int, default=100, help="made-up accounts to sync")
    parser.add_argument("--orders", type=int, default=4_000, help="orders they have in all")
    parser.add_argument("--rotating", type=int, default=1_000, help="syncs while keys are rotated")
    parser.add_argument("--documents", type=int, default=20_000, help="documents to land")
    parser.add_argument("--sales", type=int, default=1_000_000, help="sales to read pages of")
    parser.add_argument("--requests", type=int, default=200, help="pages to read of each kind")
    parser.add_argument("--kills", type=int, default=200, help="syncs and drains to kill")
    parser.add_argument(
        "--stormy", type=int, default=2_000, help="orders of each account read through faults"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pos-bench-") as home:
        os.environ["POS_HOME"] = home
        os.environ.pop("POS_DATABASE_URL", None)
        rows = [
            *measure_syncs(Path(home), options.configurations, options.orders, options.rotating),
            *measure_landing(Path(home), options.documents),
            *measure_reading(Path(home), options.sales, options.requests),
            *measure_crashes(options.kills),
            *measure_faults(options.stormy),
        ]
    _print(rows)


def _print(rows: list[Measured]) -> None:
    table = compact_table("On this machine", "what", right=("wall s", "CPU s", "of", "CPU ms each"))
    for row in rows:
        table.add_row(
            row.title,
            f"{row.wall_seconds:.2f}",
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.2f}",
            f"{row.count:,} {row.unit}",
            "" if row.cpu_seconds is None else f"{1000 * row.cpu_seconds / row.count:,.2f}",
        )
    console.print(table)
    print(json.dumps([row.as_dict() for row in rows]))


if __name__ == "__main__":
    main()
