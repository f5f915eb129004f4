"""A sandbox that speaks Toast's API, and its accounts as configurations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_core.repositories.configurations import Configuration
from sandbox.engine import Options
from sandbox.toast.driver import Driver, serving
from tests.conftest import Project


@pytest.fixture
def vendor() -> Iterator[Driver]:
    """A small sandbox of one's own."""
    with serving(Options(scale="small")) as driver:
        yield driver


@pytest.fixture
def addressed(project: Project, vendor: Driver, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """The sandbox, with the operator's settings pointing to it."""
    for name, value in sandbox_environment(vendor.url).items():
        monkeypatch.setenv(name, value)
    return vendor


@pytest.fixture
def accounts(addressed: Driver) -> list[Configuration]:
    """The sandbox's accounts, not synced yet."""
    return [configuration for _, configuration in connect_accounts(addressed.url)]
