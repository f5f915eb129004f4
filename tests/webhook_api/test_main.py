"""The application as a whole: its document, and where its server listens."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import pytest

from pos_core.settings import PROJECT_ROOT
from webhook_api.main import create_app


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The service as its module says to serve it, on a free port and with nothing else said."""
    command = [sys.executable, "-m", "uvicorn", "webhook_api.main:app", "--port", "0", "--no-use-colors"]
    with subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env={**os.environ, "POS_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = next(line for line in process.stderr if "running on" in line)
            address = next(word for word in said.split() if word.startswith("http://"))
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()


def test_the_document_describes_every_route(client: httpx.Client) -> None:
    document = client.get("/openapi.json").raise_for_status().json()
    assert client.get("/docs").status_code == 200
    assert document["info"]["version"] == version("pos-integration")
    assert {"/health/live", "/health/ready"} <= document["paths"].keys()
    assert "503" in document["paths"]["/health/ready"]["get"]["responses"]


def test_the_pages_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").raise_for_status().text
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert loaded
    for address in loaded:
        assert client.get(address).raise_for_status().content


def test_every_operation_of_the_document_says_what_it_does() -> None:
    paths = create_app().openapi()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert operations
    assert all(operation["description"] and operation["tags"] for operation in operations)


def test_the_server_listens_on_loopback_alone_and_needs_no_database_to_live(
    server: tuple[str, psutil.Process], tmp_path: Path
) -> None:
    address, process = server
    assert httpx.get(f"{address}/health/live", trust_env=False).json() == {"status": "ok"}
    listening = [each for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
    assert list(tmp_path.iterdir()) == []
