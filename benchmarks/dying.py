"""Syncs and drains that are killed where they commit, or after some time, each in a process of its own.

`python -m benchmarks.dying` is the process that those are forked from: it has imported everything and opened
nothing. It reads one order a line and answers each when the process that carried it out has ended.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from pos_core.settings import PROJECT_ROOT

_POLL_SECONDS = 0.002
_WRITES = ("insert", "update", "delete", "create", "alter", "drop", "truncate")
_OURS = ("pipelines", "pos_core")
_IMPORTED_LATE = (
    "adbc_driver_postgresql.dbapi",
    "dlt.destinations.impl.postgres.postgres",
    "httpcore",
    "pipelines.drain",
    "psycopg2.extras",
)


@dataclass(frozen=True)
class Order:
    """What a process is to do, and when it is killed.

    Args:
        work: `sync` reads, lands and normalises the configurations; `drain` works off events.
        point: the commit that is its last, and `number`, which time it comes there.
        is_after: whether it dies when that is committed, or right before.
        after_seconds: when it is killed wherever it is.
        environment: set on top of what the process began with.
    """

    work: str
    ids: Sequence[str] = ()
    point: str | None = None
    number: int = 1
    is_after: bool = False
    after_seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code or the signal, negative; and the commits that it came to."""

    code: int
    points: list[tuple[str, int]] = field(default_factory=list)

    @property
    def was_killed(self) -> bool:
        """Whether it died before its work was done."""
        return self.code == -signal.SIGKILL


class Mortals:
    """Starts what is to die."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, order: Order) -> Ended:
        """Has an order carried out until its process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Ended(answer["code"], [(label, number) for label, number in answer["points"]])


@contextmanager
def mortals() -> Iterator[Mortals]:
    """The process that others are forked from, for as long as the block runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dying"],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what the killed leave behind is complained of
        text=True,
    ) as process:
        try:
            yield Mortals(process)
        finally:
            process.kill()


def _main() -> None:
    _warm_up()
    for line in sys.stdin:
        print(json.dumps(asdict(_carry_out(Order(**json.loads(line))))), flush=True)


def _warm_up() -> None:
    """Imports all that is needed; without documents a load makes no connection."""
    from pipelines.landing import land
    from pipelines.registry import connectors
    from pos_core.database.address import DatabaseAddress

    with tempfile.TemporaryDirectory(prefix="pos-dying-") as folder:
        for pos_system in connectors():
            land(DatabaseAddress("", 0, "", "", ""), pos_system, [], Path(folder))
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that the collector of a child copies none of these pages


def _carry_out(order: Order) -> Ended:
    reading, writing = os.pipe()
    process_id = os.fork()
    if process_id == 0:
        code = 1
        try:
            os.close(reading)
            _watch_commits(order, lambda text: os.write(writing, f"{text}\n".encode()))
            _work(order)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    status = _wait(process_id, order.after_seconds)
    with open(reading, encoding="utf-8") as pipe:
        labels = pipe.read().splitlines()
    seen: Counter[str] = Counter()
    points = []
    for label in labels:
        seen[label] += 1
        points.append((label, seen[label]))
    return Ended(os.waitstatus_to_exitcode(status), points)


def _wait(process_id: int, after_seconds: float | None) -> int:
    """The child's status; it is killed when its time is over. Until it is waited for, its id is its own."""
    end_seconds = None if after_seconds is None else time.monotonic() + after_seconds
    while end_seconds is not None:
        found, status = os.waitpid(process_id, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= end_seconds:
            os.kill(process_id, signal.SIGKILL)
            break
        time.sleep(_POLL_SECONDS)
    return os.waitpid(process_id, 0)[1]


def _work(order: Order) -> None:
    from pipelines.drain import drain
    from pipelines.normalise import normalise
    from pipelines.sync import Context, sync
    from pos_core.database.connect import database_address, get_engine
    from pos_core.settings import get_settings, prepare_home
    from pos_core.vault import load_vault

    os.environ.update(order.environment)
    home = prepare_home(get_settings())
    context = Context(get_engine(), database_address(), load_vault(get_settings()), home / "work", workers=4)
    if order.work == "drain":
        for _ in drain(context, home / "dbt", None, 60):
            pass
    else:
        sync(context, [UUID(each) for each in order.ids], wait=True)
        normalise(context.engine, context.address, home / "dbt")


def _watch_commits(order: Order, tell: Callable[[str], object]) -> None:
    """Every commit of this process is told, and the one that the order names is the last: ours, and dlt's."""
    from adbc_driver_manager import dbapi
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
    from sqlalchemy.engine.default import DefaultDialect

    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def watch(owner: Any, name: str, commits: Callable[..., str | None]) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def watched(*given: Any, **options: Any) -> Any:
            what = commits(*given)
            if what is None:
                return original(*given, **options)
            with lock:
                label = f"{_place()} {what}"
                seen[label] += 1
                is_last = (label, seen[label]) == (order.point, order.number)
                tell(label)
            if is_last and not order.is_after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*given, **options)
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, watched)

    def statement(client: Any, sql: object, *_parameters: object) -> str | None:
        """By itself a statement of dlt's is a transaction, unless one is open."""
        words = str(sql).split("(", 1)[0].split()
        is_write = client.native_connection.autocommit and words[0].lower() in _WRITES
        return f"{words[0]} {words[-1].rpartition('.')[2]}" if is_write else None  # whichever POS it is

    watch(DefaultDialect, "do_commit", lambda _, connection: None if connection.autocommit else "commit")
    watch(Psycopg2SqlClient, "commit_transaction", lambda _: "commit")
    watch(Psycopg2SqlClient, "execute_sql", statement)
    watch(dbapi.Connection, "commit", lambda _: "commit")


def _place() -> str:
    """Where in the project it is done; what dlt does in its threads is its own."""
    frame = sys._getframe(2)
    root = str(PROJECT_ROOT)
    while frame is not None:
        path = frame.f_code.co_filename.removeprefix(root).lstrip("/")
        if path.split("/", 1)[0] in _OURS:
            return f"{path}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "dlt"


if __name__ == "__main__":
    _main()
