"""The Lightspeed sandbox alone, its accounts as configurations, and a server that answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from pipelines.connector import Page, ReadRequest, WindowRead
from pipelines.credentials import NewKeeper
from pipelines.http import VendorHttp
from pipelines.lightspeed import CONNECTOR
from pipelines.windows import Interval, Plan
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_core.repositories.configurations import Configuration
from sandbox.engine import Options
from sandbox.lightspeed.driver import Driver, serving
from tests.conftest import Project

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
OPERATOR = ("BASE_URL", "AUTH_URL", "CLIENT_ID", "CLIENT_SECRET")


@pytest.fixture
def bakery() -> Iterator[Driver]:
    """A small sandbox of one's own."""
    with serving(Options(scale="small")) as driver:
        yield driver


@pytest.fixture
def bakery_settings(bakery: Driver, project: Project, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """The operator's settings point to the sandbox."""
    for name in OPERATOR:
        monkeypatch.delenv(f"LIGHTSPEED_{name}", raising=False)
    for name, value in sandbox_environment(bakery.url).items():
        monkeypatch.setenv(name, value)
    return bakery


@pytest.fixture
def bakeries(bakery_settings: Driver) -> list[Configuration]:
    """The sandbox's accounts as configurations, not synced yet."""
    return [configuration for _, configuration in connect_accounts(bakery_settings.url)]


@dataclass
class Reader:
    """Reads an address with some credentials, as a sync does, and keeps what came."""

    project: Project
    opened: ExitStack
    base_url: str
    credentials: dict[str, Any]
    account_id: str

    def http(self) -> VendorHttp:
        """A client with these credentials."""
        keeper = NewKeeper(self.project.engine, self.project.vault, self.credentials)
        return self.opened.enter_context(CONNECTOR.open_http(self.base_url, keeper))

    def read(
        self,
        history_from: str = "2018-01-01",
        covered: Mapping[tuple[str, str], Sequence[Interval]] | None = None,
    ) -> list[Page | WindowRead]:
        """All events of one reading."""
        plan = Plan(datetime.fromisoformat(f"{history_from}T00:00:00+00:00"), covered or {})
        request = ReadRequest(UUID(int=9), self.account_id, self.credentials, self.http(), plan)
        return list(CONNECTOR.read(request))


@pytest.fixture
def reader_of(project: Project) -> Iterator[Callable[[str, dict[str, Any], str], Reader]]:
    """Makes readers whose clients are closed in the end."""
    with ExitStack() as opened:
        yield lambda url, credentials, account_id: Reader(project, opened, url, credentials, account_id)


Answer = tuple[int, Any]


@dataclass
class OddServer:
    """Answers each path with what a function of its parameters says; `asked` is what it was asked."""

    url: str = ""
    answers: dict[str, Callable[[dict[str, str]], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def says(self, path: str, body: Any) -> None:
        """Answers a path with one body, whatever it is asked with."""
        self.answers[path] = lambda _given: (200, body)

    def answer(self, address: str) -> Answer:
        """The answer to a request; 404 with an empty body where nothing is said."""
        parts = urlsplit(address)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, given))
        for path, say in self.answers.items():
            if parts.path.startswith(path):
                return say(given)
        return 404, None


@pytest.fixture
def odd_server() -> Iterator[OddServer]:
    """A server on loopback for answers that the sandbox does not give."""
    odd = OddServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = odd.answer(self.path)
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def date_time_string(self, timestamp: float | None = None) -> str:
            """The vendor's own time, by which windows end."""
            return format_datetime(NOW, usegmt=True)

        def log_message(self, *_arguments: object) -> None:
            """Nothing, so that the tests stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    odd.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield odd
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
