"""Fixtures: one sandbox of this vendor for tests that only read, a fresh one for tests that change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.engine import Options
from sandbox.toast.driver import Driver, running, serving


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
def grown() -> Iterator[Driver]:
    """Every recipe, two rounds of edits and some sales; nobody changes it any more."""
    with serving(Options(merchants=2, orders=420)) as driver:
        for _ in range(2):
            driver.control("edits")
        for account in range(2):
            driver.control("sell", {"merchant_id": driver.account_id(account), "count": 8})
        driver.forget_tokens()
        yield driver
