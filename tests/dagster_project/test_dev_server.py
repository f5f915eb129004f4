"""`dagster dev -w workspace.yaml` in a clone: nothing is set but POS_HOME."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pos_core.database.embedded import EmbeddedServer
from pos_core.settings import PROJECT_ROOT

_ASSETS = """
{
  workspaceOrError {
    ... on Workspace {
      locationEntries { name loadStatus locationOrLoadError { ... on PythonError { message } } }
    }
  }
  sensorsOrError(repositorySelector: {
    repositoryLocationName: "pos_integration", repositoryName: "__repository__"
  }) {
    ... on Sensors {
      results { sensorState { ticks(limit: 1, statuses: [SKIPPED, SUCCESS, FAILURE]) { status } } }
    }
  }
  assetNodes { assetKey { path } isExecutable isPartitioned }
}
"""
_WAIT_SECONDS = 120
_NOT_SET = ("POS_", "DAGSTER_", "PYTEST_", "SQUARE_")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What `dagster dev`, started from the repository's root, answers; it is stopped with its children."""
    folder = tmp_path_factory.mktemp("dev")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_SET)}
    environment |= {"POS_HOME": str(folder / "home"), "DO_NOT_TRACK": "1"}
    with open(folder / "dev.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _loaded(f"http://127.0.0.1:{port}", folder / "dev.log")
    finally:
        _stop(process, folder / "home")


def _stop(process: subprocess.Popen[bytes], home: Path) -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=_WAIT_SECONDS)
    for each in alive:
        each.kill()
    assert not alive, "dagster dev left processes behind"
    assert not EmbeddedServer(home).is_running(), "dagster dev left its database running"


def _loaded(address: str, log: Path) -> Any:
    """The answer of the first query in which the code location is loaded and its sensor has run."""
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        for _ in range(_WAIT_SECONDS * 5):
            try:
                data = client.post("/graphql", json={"query": _ASSETS}).json()["data"]
            except (httpx.TransportError, ValueError, KeyError):
                data = None
            if data and data["assetNodes"] and _ticks(data):
                return data
            time.sleep(0.2)
    pytest.fail(f"dagster dev does not answer with assets:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _ticks(data: Any) -> list[str]:
    [sensor] = data["sensorsOrError"]["results"]
    return [tick["status"] for tick in sensor["sensorState"]["ticks"]]


def test_every_asset_is_loaded_and_can_be_materialized_per_configuration(served: Any) -> None:
    [location] = served["workspaceOrError"]["locationEntries"]
    assert (location["name"], location["loadStatus"]) == ("pos_integration", "LOADED")
    paths = {"/".join(node["assetKey"]["path"]) for node in served["assetNodes"]}
    assert {"raw_square/orders", "pos_transactions"} <= paths
    assert all(node["isExecutable"] and node["isPartitioned"] for node in served["assetNodes"])


def test_the_sensor_finds_a_database_with_its_tables_though_nobody_made_one(served: Any) -> None:
    assert _ticks(served) == ["SKIPPED"]
