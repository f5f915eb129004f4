"""How runs are launched: as by default, plus a look whether the process of a run is still there.

The code server notices by itself when a run's process ends; this is for what it cannot notice: that it was
killed first. Dagster's run monitoring asks every few seconds.
"""

import json
from pathlib import Path

import psutil
from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

_CLOCK_STEP_SECONDS = 2  # by which the start of a process may seem to move when the clock is set


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, whose runs fail when their process is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks `check_run_worker_health` about each run that has started."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a run's process is alive; that of a run that was not launched here counts as alive."""
        if not _is_of_this_machine(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        for start in self._instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_START):
            pid = start.get_dagster_event().pid
            if pid is not None and not _is_alive(pid, start.timestamp):
                return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {pid} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _is_of_this_machine(run: DagsterRun) -> bool:
    """Whether it was launched through a socket that is here."""
    socket = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("socket")
    return bool(socket) and Path(socket).exists()


def _is_alive(pid: int, was_alive_at: float) -> bool:
    """Whether a process is there that was there at that time (seconds since 1970)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(process.create_time() < was_alive_at + _CLOCK_STEP_SECONDS)
    except psutil.NoSuchProcess:
        return False
