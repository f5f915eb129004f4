"""The whole job on made-up data, from a sandbox to the marts, in a POS_HOME of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pos_cli.output import ReportedError, compact_table, console, errors, print_json, say
from pos_core.database.connect import embedded_server, get_engine
from pos_core.errors import SettingsError, StackError
from pos_core.settings import get_settings, prepare_home

_SETTINGS_OF_THE_USER = ("POS_DATABASE_URL", "POS_ENCRYPTION_KEYS", "POS_ENVIRONMENT")
_START_TIMEOUT_SECONDS = 60
_SCALES = ("demo", "small")


class DemoFailedError(ReportedError):
    """The demo's figures are not those of the sandbox."""


@dataclass
class Steps:
    """How long each step took, in seconds, for people to read."""

    is_quiet: bool
    started: float = field(default_factory=time.monotonic)
    taken: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Times a step; shows it while it runs where somebody watches."""
        began = time.monotonic()
        if errors.is_terminal and not self.is_quiet:
            with errors.status(title):
                yield
        else:
            yield
        self.taken.append((title, time.monotonic() - began))
        if not self.is_quiet:
            console.print(f"  [green]✓[/green] {title} [dim]{self.taken[-1][1]:.1f} s[/dim]")

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self.started, 1)


def run_demo(as_json: bool, scale: str) -> None:
    """Sells, syncs, changes, syncs again twice, compares every figure, and stops what it started.

    Raises:
        DemoFailedError: a figure differs from what the sandbox says it sold.
        SettingsError: there is no such scale.
    """
    if scale not in _SCALES:
        raise SettingsError(f"--scale {scale!r} is none; choose one of: {', '.join(_SCALES)}.")
    steps = Steps(is_quiet=as_json)
    home = _fresh_home()
    if not as_json:
        console.print("[bold]Bakery sales, from the vendors' APIs to the marts[/bold]")
    sandbox = None
    try:
        with steps.step("Baking: a sandbox with seeded shops and their sales"):
            sandbox, url = _start_sandbox(home, scale)
        report = _run_steps(steps, url, as_json)
    finally:
        if sandbox is not None:
            sandbox.send_signal(signal.SIGTERM)
            sandbox.wait(_START_TIMEOUT_SECONDS)
        server = embedded_server()
        if server is not None:
            get_engine().dispose()
            server.release()
    report["seconds"] = steps.total
    if not as_json:
        _print_where_next(home, scale)
    print_json(report)
    if not report["ok"]:
        raise DemoFailedError(
            f"{report['tie_out_differences']} figures differ from the sandbox's own, and the third sync "
            f"landed {report['third_sync_landed']} documents; both should be 0."
        )


def _run_steps(steps: Steps, url: str, as_json: bool) -> dict[str, Any]:
    from pos_cli.commands.database import normalise_now
    from pos_cli.demo import summary
    from pos_cli.demo.tie_out import compare
    from pos_cli.runs import load_jobs, run_job, run_sync
    from pos_cli.sandbox import connect_accounts, control, sandbox_environment
    from pos_cli.setup import initialise

    with steps.step("Preparing PostgreSQL, its tables, the models and Dagster"):
        ready = initialise()
        normalise_now(ready)
        load_jobs(ready)
    os.environ.update(sandbox_environment(url))
    with steps.step("Connecting the accounts"):
        ids: list[UUID] = [configuration.id for _, configuration in connect_accounts(url)]
    with steps.step("First sync: everything there is"):
        run_sync(ready, ids)
    before = summary.snapshot(get_engine())
    with steps.step("A day later: late edits, refunds, offline sales"):
        control(url, "POST", "edits", {"round": 1})
    with steps.step("Second sync: what changed"):
        run_sync(ready, ids)
    after = summary.snapshot(get_engine())
    with steps.step("Third sync: nothing new"):
        third = sum(each.landed for each in run_sync(ready, ids))
    with steps.step("Every data test over the marts"):
        checks = run_job(ready, "check_marts").checks
    with steps.step("Comparing every figure with what the sandbox sold"):
        differences = compare(get_engine(), control(url, "GET", "truth"))
    if not as_json:
        summary.print_days(get_engine())
        summary.print_systems(get_engine())
        summary.print_changes(before, after)
        _print_steps(steps, checks)
        for line in differences[:10]:
            console.print(f"[red]differs[/red] {line}")
    return {
        "ok": not differences and third == 0 and not checks["failed"],
        "configurations": len(ids),
        **summary.counts(get_engine()),
        "second_sync_changed": len(summary.changed(before, after)),
        "third_sync_landed": third,
        "tie_out_differences": len(differences),
    }


def _fresh_home() -> Path:
    """A home of its own below the user's, made new; what an earlier demo left is stopped and removed."""
    home = prepare_home(get_settings()) / "demo"
    if home.exists():
        from pos_core.database.embedded import EmbeddedServer

        old = EmbeddedServer(home)
        old.keep_running(False)
        if old.is_running():
            old.acquire()
            old.release()
        shutil.rmtree(home)
    for name in _SETTINGS_OF_THE_USER:
        os.environ.pop(name, None)
    os.environ["POS_HOME"] = str(home)
    get_settings.cache_clear()
    embedded_server.cache_clear()
    get_engine.cache_clear()
    return prepare_home(get_settings())


def _start_sandbox(home: Path, scale: str) -> tuple[subprocess.Popen[bytes], str]:
    from pos_cli.sandbox import sandbox_command
    from pos_cli.supervisor import signals_wait

    ready_file = home / "sandbox.json"
    log_path = home / "sandbox.log"
    process: subprocess.Popen[bytes] | None = None
    try:
        with open(log_path, "wb") as log, signals_wait():
            process = subprocess.Popen(
                sandbox_command(0, home, ticking=False, ready_file=ready_file, scale=scale),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not ready_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"The sandbox did not start; see {log_path}.")
            time.sleep(0.05)
    except BaseException:
        if process is not None:
            process.kill()
            process.wait()
        raise
    return process, json.loads(ready_file.read_text(encoding="utf-8"))["url"]


def _print_steps(steps: Steps, checks: dict[str, int]) -> None:
    table = compact_table("How long it took", "step", right=("seconds",))
    for title, seconds in steps.taken:
        table.add_row(title, f"{seconds:.1f}")
    console.print(table)
    console.print(f"Data tests: {checks['passed']} passed, {checks['failed']} failed.")


def _print_where_next(home: Path, scale: str) -> None:
    called = f"POS_HOME={os.path.relpath(home)} {os.path.relpath(sys.argv[0])}"
    say("Where to look next")
    if scale == _SCALES[0]:  # the stack's sandbox sells at this scale
        say(f"  {called} up --sandbox   this data in Dagster's UI, with its lineage")
    say(f"  {called} database-url   the tables, with psql")
    say("  README.md   how to connect a real account")
