"""The service and the drains are killed while the vendors send: nothing that was acknowledged is missing."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from pos_cli.sandbox import control, sandbox_environment
from pos_core.settings import PROJECT_ROOT, get_settings
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project
from tests.pipelines.deliveries import SIGNED
from tests.sandbox.hooked import SECRETS
from tests.webhook_api.test_webhooks_end_to_end import POS_SYSTEMS, Shops

_ROUNDS = 4
_DRAIN = """
from dagster_project.defs.resources import Pos
from pipelines.drain import drain

pos = Pos()
for _ in drain(pos.context, pos.dbt_folder, None, 60):
    pass
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _service(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process of its own, answering when the block begins; killed at its end."""
    environment = {**os.environ, "POS_API_PORT": str(port)}
    command = [sys.executable, "-m", "webhook_api"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.fixture
def shops(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shops]:
    """All accounts connected, synced and listening; nobody receives yet."""
    address = f"http://127.0.0.1:{_free_port()}"
    monkeypatch.setenv("WEBHOOK_BASE_URL", address)
    monkeypatch.setenv("SQUARE_WEBHOOK_SIGNATURE_KEY", SECRETS["square"])
    monkeypatch.setenv("TOAST_WEBHOOK_SECRET", SECRETS["toast"])
    get_settings.cache_clear()
    with in_thread(Options(seed=7, scale="small")) as url:
        for name, value in sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        made = Shops(project, url, address)
        project.sync(*made.configurations.values())
        project.normalise()
        made.listen()
        yield made


def test_kills_lose_nothing_that_was_acknowledged(shops: Shops) -> None:
    """In each round the vendors send while a drain runs; both processes die somewhere in between."""
    chance = random.Random(11)
    port = int(shops.service.rpartition(":")[2])
    faults = {"drop": 0.1, "duplicate": 0.2, "is_shuffled": True, "minute_seconds": 0.2, "connections": 4}
    control(shops.url, "POST", "webhooks", faults)
    for _ in range(_ROUNDS):
        with _service(port) as service, _draining() as drains:
            for pos_system in POS_SYSTEMS:
                shops.sell(pos_system, 2)
            time.sleep(chance.uniform(0.0, 1.5))
            for victim in chance.sample([service, drains], 2):
                victim.kill()
                victim.wait()
                time.sleep(chance.uniform(0.0, 0.3))
    with _service(port):
        journal = shops.journal()
    acknowledged = {
        each["event_id"]
        for each in journal["events"]
        if each["state"] == "acknowledged" and each["pos_system"] in SIGNED  # the others' events have no id
    }
    kept = {row["event_id"] for row in shops.project.rows("select event_id from pos_webhook_logs")}
    assert acknowledged
    assert acknowledged <= kept
    shops.project.execute("update pos_webhook_logs set available_at = now() where outcome = 'pending'")
    shops.drain()
    shops.project.sync(*shops.configurations.values())
    shops.project.normalise()
    assert shops.differences() == []
    assert shops.project.rows("select * from pos_webhook_logs where outcome = 'pending'") == []
    assert shops.project.rows("select * from pos_sync_logs where status = 'running'") == []


@contextmanager
def _draining() -> Iterator[subprocess.Popen[bytes]]:
    """A process that works off what waits, as a run does."""
    command = [sys.executable, "-c", _DRAIN]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()
