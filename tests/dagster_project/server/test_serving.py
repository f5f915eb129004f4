"""Runs that are forked: what they come from, how they end, and what a kill does to them."""

import inspect
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from dagster import DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._grpc.server import DagsterApiServer

from dagster_project.server.serving import CONTEXT
from pos_core.repositories.locks import held_normalising
from tests.conftest import Project
from tests.dagster_project.server.conftest import Served, serving, wait_until

_BREAK_IN_FORK_SERVER = """
import sys
if "multiprocessing.forkserver" in " ".join(sys.orig_argv):
    {breaks}
"""
_RAISE_ONCE = """
    class Broken:
        def find_spec(self, name, *rest):
            if name == "pipelines.landing":
                sys.meta_path.remove(self)
                raise RuntimeError("made up")
    sys.meta_path.insert(0, Broken())
"""


@contextmanager
def _blocked_run(project: Project, served: Served) -> Iterator[tuple[str, psutil.Process]]:
    """A run that is at its step, and waits there until the block ends."""
    with held_normalising(project.engine):
        run_id = served.launch()
        yield run_id, served.process(run_id)


def test_dagster_still_makes_its_processes_of_what_we_replace() -> None:
    assert f"self.{CONTEXT}.Process(" in inspect.getsource(DagsterApiServer.StartRun)


def test_runs_are_forked_from_the_fork_server_which_has_nothing_open(
    project: Project, served: Served
) -> None:
    fork_server = served.fork_server()
    with _blocked_run(project, served) as (first, process):
        second = served.launch()
        assert {process.ppid(), served.process(second).ppid()} == {fork_server.pid}
        handles = [os.readlink(each) for each in Path(f"/proc/{fork_server.pid}/fd").iterdir()]
        assert len([each for each in handles if each.startswith("socket:")]) == 1  # where it is asked to fork
    assert {served.ended(first), served.ended(second)} == {DagsterRunStatus.SUCCESS}
    assert "Runs start warm" in served.said()
    assert "WARNING" not in served.said()


def test_a_killed_run_is_marked_as_failed(project: Project, served: Served) -> None:
    with _blocked_run(project, served) as (run_id, process):
        process.kill()
        assert served.ended(run_id) == DagsterRunStatus.FAILURE


def test_a_run_can_be_terminated_though_a_shell_had_interrupts_ignored(
    project: Project, served: Served
) -> None:
    with _blocked_run(project, served) as (run_id, process):
        assert signal.SIGINT not in _ignored(process)
        assert served.instance.run_coordinator.cancel_run(run_id)
        assert served.ended(run_id) == DagsterRunStatus.CANCELED
        process.wait(timeout=30)


def test_a_killed_fork_server_takes_its_runs_along_and_the_next_run_has_a_new_one(
    project: Project, served: Served
) -> None:
    fork_server = served.fork_server()
    with _blocked_run(project, served) as (run_id, process):
        fork_server.kill()
        assert served.ended(run_id) == DagsterRunStatus.FAILURE
        wait_until(lambda: not process.is_running())
    with _blocked_run(project, served) as (run_id, process):
        assert process.ppid() == served.fork_server().pid != fork_server.pid
    assert served.ended(run_id) == DagsterRunStatus.SUCCESS


def test_a_run_outlives_its_code_server_and_monitoring_sees_when_it_dies(project: Project) -> None:
    with serving(project) as served:
        with _blocked_run(project, served) as (first, _):
            second = served.launch()
            killed = served.process(second)
            served.server.kill()
            served.server.wait()
            killed.kill()
            wait_until(lambda: _health(served, second) == WorkerStatus.FAILED)
            assert served.instance.run_launcher.supports_check_run_worker_health
            assert _health(served, first) == WorkerStatus.RUNNING
        assert served.ended(first) == DagsterRunStatus.SUCCESS
        assert served.run(second).status == DagsterRunStatus.STARTED


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        (_RAISE_ONCE.strip(), "Runs start cold: warming up failed with RuntimeError('made up')"),
        ("import os; os._exit(3)", "this run starts cold"),
    ],
    ids=["raises", "ends"],
)
def test_a_fork_server_that_cannot_warm_up_leaves_runs_cold_and_working(
    project: Project, tmp_path: Path, breaks: str, words: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_BREAK_IN_FORK_SERVER.format(breaks=breaks))
    with serving(project, PYTHONPATH=str(tmp_path)) as served:
        assert served.ended(served.launch()) == DagsterRunStatus.SUCCESS
        assert words in served.said()


def _health(served: Served, run_id: str) -> WorkerStatus:
    return served.instance.run_launcher.check_run_worker_health(served.run(run_id)).status


def _ignored(process: psutil.Process) -> set[int]:
    """The signals that a process ignores."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")]
    return {number for number in range(1, 65) if int(mask, 16) >> (number - 1) & 1}
