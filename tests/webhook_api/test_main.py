"""The application as a whole: its document, and where its server listens."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import pytest

from pos_core.settings import PROJECT_ROOT


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The service as its module says to serve it, on a free port and with nothing else said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-m", "webhook_api"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "POS_HOME": str(tmp_path), "POS_API_PORT": port},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = next(line for line in process.stderr if "running on" in line)
            address = next(word for word in said.split() if word.startswith("http://"))
            yield address, process
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


def test_the_server_listens_on_loopback_alone_and_needs_no_database_to_live(
    server: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    address, process = server
    assert httpx.get(f"{address}/health/live", trust_env=False).json() == {"status": "ok"}
    # Whoever reaches it directly is believed to be nobody but himself.
    forwarded = {"X-Forwarded-For": "198.51.100.9", "X-Request-ID": "request-0003"}
    assert httpx.get(f"{address}/nothing?code=hidden", headers=forwarded, trust_env=False).status_code == 404
    assert process.stderr is not None
    line = next(each for each in process.stderr if "/nothing" in each)
    assert re.search(
        r"INFO webhook_api\.access \[request-0003\] GET /nothing 404 .+ from 127\.0\.0\.1 ", line
    )
    assert "hidden" not in line
    listening = [
        each for each in psutil.Process(process.pid).net_connections() if each.status == psutil.CONN_LISTEN
    ]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
    assert list(tmp_path.iterdir()) == []
