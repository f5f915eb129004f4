"""Which process counts as that of a run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dagster import DagsterInstance
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test

from dagster_project.lib.launcher import WatchedRunLauncher, _is_alive


def test_a_process_that_took_over_the_number_is_not_the_run() -> None:
    started = psutil.Process().create_time()
    assert _is_alive(os.getpid(), time.time())
    assert not _is_alive(os.getpid(), started - 3600)


def test_a_process_that_has_ended_is_not_alive_though_nobody_has_heard_of_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL) as process:
        zombie = psutil.Process(process.pid)
        while zombie.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert not _is_alive(process.pid, time.time())
    assert not _is_alive(process.pid, time.time())


@pytest.mark.parametrize(
    "info", [None, '{"host": "elsewhere", "port": 4000}', '{"socket": "/nowhere/code.sock"}']
)
def test_a_run_that_was_not_launched_on_this_machine_is_left_alone(info: str | None, tmp_path: Path) -> None:
    with DagsterInstance.ephemeral() as instance:
        launcher = WatchedRunLauncher()
        launcher.register_instance(instance)
        run = create_run_for_test(instance, tags={GRPC_INFO_TAG: info} if info else {})
        assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
