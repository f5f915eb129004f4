"""The models over a log of Toast documents."""

from __future__ import annotations

import pytest

from tests.models.history import History


@pytest.fixture
def history(built_models: History) -> History:
    """The models over a log without documents."""
    built_models.clear("toast")
    return built_models
