"""A run of one configuration as the web page launches it: forked from a warm process, and started cold."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil

from benchmarks.machine import Measured, measured
from pos_cli.setup import Ready, dagster_environment
from pos_cli.stack import LOCATION, code_options, write_workspace
from pos_cli.supervisor import HOST, Supervisor, require_free
from pos_core.settings import get_settings

_LAUNCHES = 10
WARM = ["dagster_project.server"]
"""The module of the code server whose runs start warm."""
_SERVERS = {"warm": WARM, "cold": ["dagster", "api", "grpc"]}
_LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) { ... on LaunchRunSuccess { run { runId } } }
}
"""
_STATUS = """
query ($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }
"""


def measure_runs(ready: Ready, configuration_id: UUID) -> list[Measured]:
    """Launches runs over GraphQL, through the code server of `pos up` and through Dagster's own.

    Times are medians, from asking for a run on.
    """
    rows = []
    for name, module in _SERVERS.items():
        with dagster(ready, module) as supervisor, _client() as client:
            processes = [psutil.Process(process.pid) for _, process in supervisor.parts]
            _run(client, configuration_id)  # until this one is through, the servers are still starting
            title = f"run of one configuration, {name}"
            with measured(title, _LAUNCHES, "runs", ready.home / "postgres", processes) as whole:
                seconds = [_run(client, configuration_id) for _ in range(_LAUNCHES)]
        started, ended = (statistics.median(each) for each in zip(*seconds, strict=True))
        rows += [
            whole,
            Measured(f"{title}: until it starts", 1, "run", started),
            Measured(f"{title}: until it succeeds", 1, "run", ended),
        ]
    return rows


@contextmanager
def dagster(ready: Ready, module: list[str]) -> Iterator[Supervisor]:
    """A code server and Dagster's web page, while the block runs.

    Args:
        module: of the code server, with what it is told first.

    Yields:
        The supervisor of both, which may start more.
    """
    port = get_settings().dagster_port
    require_free({"POS_DAGSTER_PORT": port})
    environment = dagster_environment(ready)
    supervisor = Supervisor(ready.home, lambda _parts: None)
    with tempfile.TemporaryDirectory(prefix="pos-bench-code-") as folder:
        socket = Path(folder) / "code.sock"
        where = ["-w", str(write_workspace(ready.home, socket)), "-h", HOST, "-p", str(port)]
        python = [sys.executable, "-m"]
        try:
            supervisor.start("code", [*python, *module, *code_options(socket)], environment)
            supervisor.wait_for_socket("code", socket)
            supervisor.start("webserver", [*python, "dagster_webserver", *where], environment)
            supervisor.wait_for_url("webserver", f"http://{HOST}:{port}/server_info")
            yield supervisor
        finally:
            supervisor.stop()


def _client() -> httpx.Client:
    """A client of Dagster's web page."""
    return httpx.Client(base_url=get_settings().dagster_address, timeout=120, trust_env=False)


def _run(client: httpx.Client, configuration_id: UUID) -> tuple[float, float]:
    """One run to its end; the seconds from asking for it to its start and to its success."""
    parameters = {
        "selector": {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "pipelineName": "sync_configurations",
        },
        "runConfigData": {"ops": {"sync": {"config": {"configuration_ids": [str(configuration_id)]}}}},
    }
    asked = time.time()
    run_id = _ask(client, _LAUNCH, {"parameters": parameters})["launchRun"]["run"]["runId"]
    while True:
        run = _ask(client, _STATUS, {"id": run_id})["runOrError"]
        if run["status"] == "SUCCESS":
            return run["startTime"] - asked, run["endTime"] - asked
        if run["status"] in {"FAILURE", "CANCELED"}:
            raise SystemExit(f"The run {run_id} did not succeed.")
        time.sleep(0.05)


def _ask(client: httpx.Client, query: str, variables: dict[str, Any]) -> Any:
    return client.post("/graphql", json={"query": query, "variables": variables}).json()["data"]
