"""The real code server over the test's database, and runs launched through it as the webserver does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._cli.job import _create_run
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget

from pos_cli.setup import Ready, dagster_environment
from pos_cli.stack import LOCATION, code_options
from pos_cli.supervisor import stop_trees
from pos_core.settings import PROJECT_ROOT
from tests.conftest import Project

JOB = "sync_configurations"
_WAIT_SECONDS = 60
# As a shell without a terminal starts what it puts into the background.
_IN_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")


def wait_until(reached: Callable[[], Any]) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        answer = reached()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


@dataclass(frozen=True)
class Served:
    """A code server, and an instance of Dagster that launches runs on it."""

    server: psutil.Process
    log: Path
    instance: DagsterInstance
    workspace: WorkspaceProcessContext

    def launch(self) -> str:
        """Starts a run over the configurations that are due; returns its id."""
        request = self.workspace.create_request_context()
        location = request.get_code_location(LOCATION)
        [repository] = location.get_repositories().values()
        job = repository.get_full_job(JOB)
        run = _create_run(self.instance, location, repository, job, {}, None, None, None)
        return self.instance.submit_run(run.run_id, request).run_id

    def run(self, run_id: str) -> DagsterRun:
        """What is known of a run."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def process(self, run_id: str) -> psutil.Process:
        """The process in which a run is at its step."""

        def started() -> Any:
            assert not self.run(run_id).is_finished, self.said()
            return self.instance.all_logs(run_id, of_type=DagsterEventType.STEP_START)

        [event] = wait_until(started)
        return psutil.Process(event.get_dagster_event().pid)

    def ended(self, run_id: str) -> DagsterRunStatus:
        """How a run ended; waits for it."""
        return wait_until(lambda: (run := self.run(run_id)).is_finished and run.status)  # type: ignore[no-any-return]

    def fork_server(self) -> psutil.Process:
        """The process of which runs are forked."""
        [found] = wait_until(
            lambda: [each for each in self.server.children() if "forkserver" in "".join(each.cmdline())]
        )
        assert isinstance(found, psutil.Process)
        return found

    def said(self) -> str:
        """What the code server, the fork server and the runs have written."""
        return self.log.read_text(encoding="utf-8")


@contextmanager
def serving(project: Project, **environment: str) -> Iterator[Served]:
    """A code server with these variables set; it and what it started are gone when the block ends."""
    ready = Ready(project.home, project.address, migrated=False)
    variables = dagster_environment(ready)
    with TemporaryDirectory(prefix="pos-code-") as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        socket, log = Path(folder) / "code.sock", Path(folder) / "code.log"
        process = _start(socket, log, {**os.environ, **variables, **environment})
        try:
            target = GrpcServerTarget("localhost", None, str(socket), LOCATION)
            wait_until(lambda: process.poll() is not None or socket.exists())
            with DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as workspace:
                yield Served(psutil.Process(process.pid), log, instance, workspace)
        finally:
            stop_trees([process.pid])
            process.wait()


def _start(socket: Path, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with open(log, "wb") as output:
        return subprocess.Popen(
            [*_IN_BACKGROUND, sys.executable, "-m", "dagster_project.server", *code_options(socket)],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def code_server(built_project: Project) -> Iterator[Served]:
    """One code server for the tests of a module that leave it alive."""
    with serving(built_project) as served:
        yield served


@pytest.fixture
def served(project: Project, code_server: Served) -> Served:
    """That server, over an empty database."""
    return code_server
