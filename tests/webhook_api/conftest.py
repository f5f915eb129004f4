"""The service over real HTTP, in a thread of the test's process, so that it has the test's settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from pos_cli.sandbox import accounts, control, sandbox_environment
from pos_core.database.connect import get_engine, get_service_engine
from pos_core.database.embedded import EmbeddedServer
from pos_core.database.roles import API_ROLE
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from sandbox.engine import Options
from sandbox.hosting import in_thread, served
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.sales import Sales
from webhook_api.auth import ADMIN, READ, WRITE, mint
from webhook_api.main import create_app

Bearer = Callable[..., dict[str, str]]


@dataclass(frozen=True)
class Vendors:
    """A sandbox of every POS."""

    url: str

    def accounts(self, pos_system: str) -> list[dict[str, Any]]:
        """Its accounts of one POS, with the newest tokens."""
        return [each for each in accounts(self.url) if each["pos_system"] == pos_system]

    def control(self, route: str, **body: Any) -> Any:
        """One of the sandbox's own routes."""
        return control(self.url, "POST", route, body)

    def calls(self, path: str) -> int:
        """How often a path was asked."""
        return sum(each["count"] for each in control(self.url, "GET", "calls") if each["path"] == path)


@pytest.fixture
def vendors(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """A small sandbox of every POS; the operator's settings point to it."""
    with in_thread(Options(scale="small")) as url:
        for name in ("SQUARE", "TOAST", "LIGHTSPEED"):
            for setting in ("APPLICATION_ID", "APPLICATION_SECRET", "CLIENT_ID", "CLIENT_SECRET"):
                monkeypatch.delenv(f"{name}_{setting}", raising=False)
        for name, value in sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        yield Vendors(url)


@pytest.fixture
def tenant(project: Project, client: httpx.Client) -> TenantCaller:
    """A tenant who may do what tenants may."""
    return TenantCaller(client)


@contextmanager
def serving(application: FastAPI) -> Iterator[httpx.Client]:
    """A client of an application on a free loopback port, served as `python -m webhook_api` does."""
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    with (
        served(config) as address,
        httpx.Client(base_url=address, timeout=60, trust_env=False, verify=False) as client,
    ):
        yield client


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client of a new application on a free loopback port."""
    with serving(create_app()) as client:
        yield client


@pytest.fixture
def settings_of_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A POS_HOME of its own without a database; what the test sets is read, and forgotten after it."""
    for name in ("POS_DATABASE_URL", "POS_API_DATABASE_URL", "POS_ENVIRONMENT", "POS_JWKS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POS_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.fixture
def tenant_id() -> UUID:
    """A tenant that no other test has."""
    return uuid4()


@pytest.fixture
def bearer(tenant_id: UUID) -> Bearer:
    """Makes the header of a caller: of the tenant, unless another is given, with these scopes."""

    def header(*scopes: str, of: UUID = tenant_id) -> dict[str, str]:
        granted = frozenset(scopes or (READ, WRITE, ADMIN))
        return {"Authorization": f"Bearer {mint(get_settings(), of, granted, timedelta(minutes=5))}"}

    return header


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedServer]:
    """A database server that a test may stop; `Settings` point to it."""
    server = EmbeddedServer(tmp_path)
    monkeypatch.setenv("POS_HOME", str(tmp_path))
    monkeypatch.setenv("POS_DATABASE_URL", server.acquire().libpq())
    monkeypatch.delenv("POS_API_DATABASE_URL", raising=False)
    forget()
    yield server
    forget()
    server.release()


def forget() -> None:
    """What this process has remembered of another database and its settings."""
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    if get_service_engine.cache_info().currsize:
        get_service_engine(API_ROLE).dispose()
    for cached in (get_engine, get_service_engine, get_settings):
        cached.cache_clear()


@pytest.fixture
def sales(
    project: Project,
    connected: list[Configuration],
    client: httpx.Client,
    bearer: Bearer,
) -> Sales:
    """The first tenant's sales, read from the sandbox and normalised; there are others' beside them."""
    project.sync(*connected)
    project.normalise()
    return Sales(project, connected[0], client, bearer(READ, of=connected[0].tenant_id))
