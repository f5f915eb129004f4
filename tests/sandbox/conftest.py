"""Fixtures: one small sandbox for tests that only read, a fresh one for tests that change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.engine import Options
from sandbox.square.driver import Driver, running, serving
from tests.sandbox.hooked import Hooked, hooked


@pytest.fixture(scope="session")
def shared() -> Iterator[Driver]:
    """A small sandbox in its own process; nobody changes its world."""
    with running("--scale", "small") as driver:
        yield driver


@pytest.fixture
def fresh() -> Iterator[Driver]:
    """A small sandbox of one's own."""
    with serving(Options(scale="small")) as driver:
        yield driver


@pytest.fixture(scope="session")
def shared_hooked() -> Iterator[Hooked]:
    """A small sandbox and a receiver for tests that make no event."""
    with hooked() as world:
        yield world
