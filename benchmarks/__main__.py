"""Runs every benchmark and prints a table for people and one JSON line for programs."""

import argparse
import json
import os
import tempfile
from pathlib import Path

from benchmarks.backfill import measure_backfills
from benchmarks.growth import measure_growth
from benchmarks.landing import measure_landing
from benchmarks.machine import Measured
from benchmarks.reading import measure_reading
from benchmarks.syncs import measure_syncs
from benchmarks.tick import measure_tick
from pos_cli.output import compact_table, console


def main() -> None:
    """Entry point of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--configurations", type=int, default=100, help="made-up accounts to sync")
    parser.add_argument("--orders", type=int, default=4_000, help="orders they have in all")
    parser.add_argument("--rotating", type=int, default=1_000, help="syncs while keys are rotated")
    parser.add_argument("--documents", type=int, default=20_000, help="documents to land, per POS")
    parser.add_argument("--sales", type=int, default=1_000_000, help="sales to read pages of")
    parser.add_argument("--requests", type=int, default=200, help="pages to read of each kind")
    parser.add_argument("--idle", type=int, default=1_000, help="accounts of a tick with nothing new")
    parser.add_argument("--backfilled", type=int, default=100_000, help="orders to backfill, per POS")
    parser.add_argument("--transactions", type=int, default=1_000_000, help="among which some change")
    parser.add_argument("--changed", type=int, default=1_000, help="orders that change")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pos-bench-") as home:
        os.environ["POS_HOME"] = home
        os.environ.pop("POS_DATABASE_URL", None)
        rows = [
            *measure_syncs(Path(home), options.configurations, options.orders, options.rotating),
            *measure_reading(Path(home), options.sales, options.requests),
        ]
    rows += [
        *measure_landing(options.documents),
        measure_tick(options.idle),
        *measure_backfills(options.backfilled),
        *measure_growth(options.transactions, options.changed),
    ]
    _print(rows)


def _print(rows: list[Measured]) -> None:
    table = compact_table(
        "On this machine", "what", right=("wall s", "CPU s", "of", "CPU ms each", "figures", "budget")
    )
    for row in rows:
        table.add_row(
            row.title,
            f"{row.wall_seconds:.2f}",
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.2f}",
            f"{row.count:,} {row.unit}",
            "" if row.cpu_seconds is None else f"{1000 * row.cpu_seconds / row.count:,.2f}",
        )
    console.print(table)
    promised = compact_table("Against what was promised", "what", "found", "at most")
    for row in rows:
        if row.budget:
            found = ", ".join(f"{value:,.2f} {name}" for name, value in row.figures.items())
            promised.add_row(row.title, found, row.budget)
    console.print(promised)
    print(json.dumps([row.as_dict() for row in rows]))


if __name__ == "__main__":
    main()
