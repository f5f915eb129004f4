"""Runs every benchmark and prints tables for people and one JSON line for programs."""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.machine import Measured
from benchmarks.parts import PARTS, measure
from pos_cli.output import compact_table, console, progress


def main() -> None:
    """Entry point of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--configurations", type=int, default=100, help="made-up accounts to sync")
    parser.add_argument("--orders", type=int, default=4_000, help="orders they have in all")
    parser.add_argument("--rotating", type=int, default=1_000, help="syncs while keys are rotated")
    parser.add_argument("--documents", type=int, default=20_000, help="documents to land, per POS")
    parser.add_argument("--sales", type=int, default=1_000_000, help="sales to read pages of")
    parser.add_argument("--requests", type=int, default=200, help="pages to read of each kind")
    parser.add_argument("--listening", type=int, default=200, help="accounts that send webhooks")
    parser.add_argument("--deliveries", type=int, default=8_000, help="webhooks to acknowledge")
    parser.add_argument("--seconds", type=int, default=30, help="how long webhooks come to the whole stack")
    parser.add_argument("--mutations", type=int, default=1_000_000, help="mutated webhooks to refuse")
    parser.add_argument("--idle", type=int, default=1_000, help="accounts of a tick with nothing new")
    parser.add_argument("--backfilled", type=int, default=100_000, help="orders to backfill, per POS")
    parser.add_argument("--transactions", type=int, default=1_000_000, help="among which some change")
    parser.add_argument("--changed", type=int, default=1_000, help="orders that change")
    parser.add_argument("--kills", type=int, default=200, help="syncs and drains to kill")
    parser.add_argument("--stormy", type=int, default=2_000, help="orders of each account, read in faults")
    given = parser.parse_args()
    rows = []
    for name in given.only:
        # Each in a process and a home of its own: what one leaves behind must not slow the next one down.
        with (
            progress(f"Measuring {name}"),
            tempfile.TemporaryDirectory(prefix="pos-bench-") as home,
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        ):
            rows += pool.submit(measure, name, Path(home), given).result()
    _print(rows)


def _parts(names: str) -> list[str]:
    wanted = names.split(",")
    if unknown := [each for each in wanted if each not in PARTS]:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return wanted


def _print(rows: list[Measured]) -> None:
    table = compact_table("On this machine", "what", right=("wall s", "CPU s", "of", "CPU ms each"))
    figures = compact_table("Figures", "of", "what", right=("found", "budget", "kept"))
    for row in rows:
        table.add_row(
            row.title,
            f"{row.wall_seconds:.2f}",
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.2f}",
            f"{row.count:,} {row.unit}",
            "" if row.cpu_seconds is None else f"{1000 * row.cpu_seconds / row.count:,.2f}",
        )
        for each in row.figures:
            kept = "" if not each.budget else "yes" if each.is_kept else "no"
            found = f"{each.value:,.2f}".removesuffix(".00")
            figures.add_row(row.title, each.name, f"{found} {each.unit}".rstrip(), each.budget, kept)
    console.print(table)
    if figures.rows:
        console.print(figures)
    print(json.dumps([row.as_dict() for row in rows]))


if __name__ == "__main__":
    main()
