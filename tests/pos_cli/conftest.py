"""Fixtures: the command line in this process, and a POS_HOME of its own for other processes."""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pos_cli.main import run
from pos_core.database.embedded import EmbeddedServer
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pos_cli.process import Ran

Pos = Callable[..., Ran]
_SET_BY_COMMANDS = (
    "DAGSTER_HOME",
    "POS_DAGSTER_DATABASE_URL",
    "DAGSTER_EVENT_BATCH_SIZE",
    "DAGSTER_DISABLE_TELEMETRY",
    "DO_NOT_TRACK",
)


@pytest.fixture
def pos(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pos:
    """Runs a command in this process, over the project's empty database."""
    for name in (*_SET_BY_COMMANDS, "SQUARE_BASE_URL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that it is put back after the test
        if not os.environ[name]:
            del os.environ[name]

    def run_here(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pos", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run_here


@pytest.fixture
def credentials(sandbox: Driver, tmp_path: Path) -> Path:
    """What the sandbox's first customer was given."""
    return write_json(tmp_path / "given.json", sandbox.accounts[0]["credentials"])


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a POS_HOME with an embedded server, on free ports; nothing of it is left running."""
    home = tmp_path_factory.mktemp("own") / "home"
    names = ("POS_API_PORT", "POS_DAGSTER_PORT", "POS_SANDBOX_PORT")
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    yield {"POS_HOME": str(home), "POS_DATABASE_URL": "", **ports}
    if home.exists():
        server = EmbeddedServer(home)
        server.keep_running(False)
        server.acquire()
        server.release()


def write_json(path: Path, value: object) -> Path:
    """Writes a file of JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
