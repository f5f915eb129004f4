"""A scripted vendor, and retries that do not wait."""

from collections.abc import Iterator

import pytest
import stamina

from tests.pipelines.scripted import ScriptedVendor, scripted


@pytest.fixture(autouse=True)
def _retries_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


@pytest.fixture
def vendor() -> Iterator[ScriptedVendor]:
    """A vendor that answers what the test says."""
    with scripted() as vendor:
        yield vendor
