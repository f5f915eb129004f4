"""The process of one run, forked from the fork server and made fit to be a run's."""

import ctypes
import logging
import os
import signal
from multiprocessing import forkserver, popen_forkserver, popen_spawn_posix
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from typing import Any

from dagster import DagsterInstance

from pos_core.database.connect import close_database

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, of prctl(2)
_NO_TIMEOUT = 0
_RECYCLE_SECONDS = 3600
_MORE_CONNECTIONS = 5

logger = logging.getLogger("dagster.code_server")


class RunProcess(ForkServerProcess):
    """A run's process. It starts cold when the fork server cannot be reached."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - multiprocessing's name
        try:
            return popen_forkserver.Popen(process_obj)
        except (OSError, EOFError) as error:
            logger.warning("The fork server does not answer (%r): this run starts cold.", error)
            return popen_spawn_posix.Popen(process_obj)

    def run(self) -> None:
        """Does what Dagster does in a run's process, in one that is prepared for it."""
        # The fork server has to ignore this signal, by which Dagster ends a run.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _end_with_fork_server()
        _keep_connections()
        try:
            super().run()
        finally:
            close_database()  # the end of a forked process runs no exit handlers


class RunContext(ForkServerContext):
    """What makes the code server's processes, queues and events."""

    Process = RunProcess


def _end_with_fork_server() -> None:
    """When the fork server is killed, its runs are reported as failed; so they must not go on."""
    if forkserver.get_inherited_fds() is None:  # started cold
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _keep_connections() -> None:
    """Dagster's storage connects anew for each event, unless it is told to work as in the webserver."""
    opened = DagsterInstance.from_ref

    def from_ref(*given: Any, **options: Any) -> DagsterInstance:
        instance = opened(*given, **options)
        instance.optimize_for_webserver(_NO_TIMEOUT, _RECYCLE_SECONDS, _MORE_CONNECTIONS)
        return instance

    DagsterInstance.from_ref = from_ref  # type: ignore[method-assign]
