"""Dagster's gRPC code server with one difference: the processes of its runs are forked from a warm one.

Stock Dagster spawns an interpreter for each run, which imports Dagster, dlt and the definitions anew. Here
the code server keeps a fork server that has done so once. Launching, logs, termination and the watch for runs
that die stay Dagster's own (docs/decisions/0010-warm-runs.md).
"""

import logging
import signal
import sys
import time
from multiprocessing import forkserver
from typing import Any

import dagster._grpc.server
from dagster._cli.api import grpc_command
from dagster._grpc.server import DagsterApiServer

from dagster_project.server.forking import RunContext

CONTEXT = "_mp_ctx"
"""The private attribute in which Dagster's code server keeps what makes its processes."""
_PRELOAD = "dagster_project.server.preload"
_LOOK_SECONDS = 60.0  # between looks; a fork server that dies of warming up must not keep a core busy


class WarmServer(DagsterApiServer):
    """Dagster's code server; where forking is not safe, its runs start cold, as in any other."""

    def __init__(self, *, logger: logging.Logger, **options: Any) -> None:
        self._looked_at: float | None = None
        obstacle = _obstacle()
        if obstacle is None:
            self._ensure_fork_server()  # first of all: it warms up while this process loads the definitions
        super().__init__(logger=logger, **options)
        if obstacle is None and not hasattr(self, CONTEXT):
            obstacle = "this version of Dagster makes their processes in another way"
        if obstacle is None:
            setattr(self, CONTEXT, RunContext())
        else:
            self._looked_at = None
            logger.warning("Runs start cold: %s.", obstacle)

    def _check_for_orphaned_runs(self) -> None:
        """Dagster does it twice a second; here it also starts a fork server again that was killed."""
        super()._check_for_orphaned_runs()
        if self._looked_at is not None and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._ensure_fork_server()

    def _ensure_fork_server(self) -> None:
        self._looked_at = time.monotonic()
        forkserver.set_forkserver_preload([_PRELOAD])
        forkserver.ensure_running()


def main() -> None:
    """Serves until it is told to stop; the options are those of `dagster api grpc`."""
    # A shell that starts a program in the background has it ignore this signal, and all its children after
    # it: Dagster stops its server and its runs by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    dagster._grpc.server.DagsterApiServer = WarmServer  # type: ignore[assignment,misc]
    grpc_command()


def _obstacle() -> str | None:
    """Why runs cannot be forked here, or None."""
    # On macOS system libraries start threads that a forked process has lost.
    return None if sys.platform == "linux" else f"forking is not safe on {sys.platform}"
