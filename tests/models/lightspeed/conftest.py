"""The models over a log of Lightspeed's documents."""

from __future__ import annotations

import pytest

from tests.models.history import History


@pytest.fixture
def history(built_models: History) -> History:
    """The models over a log without documents."""
    built_models.clear("lightspeed")
    return built_models
