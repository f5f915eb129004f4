"""`dagster dev -w workspace.yaml` in a clone: nothing is set but POS_HOME."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from pipelines.requests import Launch
from pos_core.database.embedded import EmbeddedServer
from pos_core.settings import PROJECT_ROOT
from webhook_api.services.runs import _JOB, NotLaunchedError, launch

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
      results { name sensorState { ticks(limit: 1, statuses: [SKIPPED, SUCCESS, FAILURE]) { status } } }
    }
  }
  assetNodes { assetKey { path } isExecutable isPartitioned }
}
"""
_RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status tags { key value } } } }"
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
    said = " ".join(word for each in family if each.is_running() for word in each.cmdline())
    made_by_dagster = set(re.findall(r"\.tmp_dagster_home_\w+", said))
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=_WAIT_SECONDS)
    for each in alive:
        each.kill()
    for name in made_by_dagster:  # a part that stops late makes the folder anew that was removed
        shutil.rmtree(PROJECT_ROOT / name, ignore_errors=True)
    assert not alive, "dagster dev left processes behind"
    assert not EmbeddedServer(home).is_running(), "dagster dev left its database running"


def _loaded(address: str, log: Path) -> Any:
    """The answer of the first query in which the code location is loaded and its sensors have run."""
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        for _ in range(_WAIT_SECONDS * 5):
            try:
                data = client.post("/graphql", json={"query": _ASSETS}).json()["data"]
            except (httpx.TransportError, ValueError, KeyError):
                data = None
            if data and data["assetNodes"] and _ticks(data):
                return {**data, "address": address}
            time.sleep(0.2)
    pytest.fail(f"dagster dev does not answer with assets:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _ticks(data: Any) -> dict[str, str]:
    """How the last tick of each sensor ended; empty until each has had one."""
    sensors = {each["name"]: each["sensorState"]["ticks"] for each in data["sensorsOrError"]["results"]}
    return {name: ticks[0]["status"] for name, ticks in sensors.items()} if all(sensors.values()) else {}


def test_every_asset_is_loaded_and_can_be_materialized_per_configuration(served: Any) -> None:
    [location] = served["workspaceOrError"]["locationEntries"]
    assert (location["name"], location["loadStatus"]) == ("pos_integration", "LOADED")
    paths = {"/".join(node["assetKey"]["path"]) for node in served["assetNodes"]}
    assert {"raw_square/orders", "pos_transactions"} <= paths
    assert all(node["isExecutable"] and node["isPartitioned"] for node in served["assetNodes"])


def test_the_sensors_find_a_database_with_its_tables_though_nobody_made_one(served: Any) -> None:
    names = ("configuration_partitions", "requested_syncs", "waiting_events", "webhook_subscriptions")
    assert _ticks(served) == dict.fromkeys(names, "SKIPPED")


def test_the_service_launches_a_run_here_that_leaves_out_what_nobody_asks_for_any_more(served: Any) -> None:
    """The configuration is unknown, so a run that did not leave it out would fail."""
    wanted = Launch((uuid4(),), (uuid4(),), datetime(2026, 3, 1, tzinfo=UTC), None)
    run_id = launch(served["address"], wanted, timeout_seconds=_WAIT_SECONDS)
    with httpx.Client(base_url=served["address"], timeout=_WAIT_SECONDS, trust_env=False) as client:
        query = {"query": _RUN, "variables": {"id": run_id}}
        for _ in range(_WAIT_SECONDS * 5):
            run = client.post("/graphql", json=query).json()["data"]["runOrError"]
            if run["status"] in {"SUCCESS", "FAILURE", "CANCELED"}:
                break
            time.sleep(0.2)
    assert run["status"] == "SUCCESS"
    assert {"key": "pos/requested", "value": "true"} in run["tags"]


def test_a_run_that_dagster_refuses_is_told_as_not_launched(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Launch((uuid4(),), (uuid4(),), None, None)
    monkeypatch.setitem(_JOB, "jobName", "no_such_job")
    with pytest.raises(NotLaunchedError, match="PipelineNotFoundError"):
        launch(served["address"], wanted, timeout_seconds=_WAIT_SECONDS)
