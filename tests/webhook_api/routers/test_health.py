"""Live says that the process answers, ready that its database does."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pos_core.database.connect import get_engine
from pos_core.database.embedded import EmbeddedServer
from pos_core.settings import get_settings
from tests.conftest import Project


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedServer]:
    """A database server that a test may stop; `Settings` point to it."""
    server = EmbeddedServer(tmp_path)
    monkeypatch.setenv("POS_HOME", str(tmp_path))
    monkeypatch.setenv("POS_DATABASE_URL", server.acquire().libpq())
    _forget()
    yield server
    _forget()
    server.release()


def _forget() -> None:
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    get_engine.cache_clear()
    get_settings.cache_clear()


def test_live_is_ok(client: httpx.Client) -> None:
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_is_ok_when_the_database_answers(project: Project, client: httpx.Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_follows_the_database_down_and_up_again(
    own_server: EmbeddedServer, client: httpx.Client
) -> None:
    assert client.get("/health/ready").status_code == 200
    own_server.release()
    down = client.get("/health/ready")
    assert (down.status_code, down.json()) == (503, {"status": "unavailable"})
    assert client.get("/health/live").status_code == 200
    own_server.acquire()
    assert client.get("/health/ready").status_code == 200


def test_ready_is_503_when_the_database_never_answered(
    own_server: EmbeddedServer, client: httpx.Client
) -> None:
    own_server.release()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


def test_ready_is_503_when_a_setting_is_wrong(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("POS_HOME", str(tmp_path))
    monkeypatch.setenv("POS_DATABASE_URL", "mysql://user:hidden@127.0.0.1/pos")
    _forget()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert "hidden" not in answer.text
    monkeypatch.undo()
    _forget()
