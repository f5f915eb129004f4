"""The comparison with what was sold finds whatever differs."""

import copy
from typing import Any

import pytest

from pos_cli.demo.tie_out import AMOUNTS, compare
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project


@pytest.fixture
def truth(project: Project, connected: list[Configuration], sandbox: Driver) -> dict[str, Any]:
    """What was sold, all of it synced."""
    project.sync(*connected)
    project.normalise()
    sold = sandbox.truth()
    assert compare(project.engine, sold) == []
    return sold


def test_each_figure_each_word_and_each_transaction_is_compared(
    project: Project, truth: dict[str, Any]
) -> None:
    first = truth["transactions"][0]
    for name in AMOUNTS:
        changed = copy.deepcopy(truth)
        changed["transactions"][0][name] = "123456.78"
        (line,) = compare(project.engine, changed)
        assert line.startswith(f"{first['external_id']} {name}: ")
    for name in ("kind", "status", "business_date", "currency", "item_count", "payment_count"):
        changed = copy.deepcopy(truth)
        changed["transactions"][0][name] = "other"
        (line,) = compare(project.engine, changed)
        assert line.endswith(", sold other")
    changed = copy.deepcopy(truth)
    del changed["transactions"][0]
    assert compare(project.engine, changed) == [f"{first['external_id']} was never sold"]
    changed = {**truth, "transactions": [*truth["transactions"], {**first, "external_id": "lost"}]}
    assert compare(project.engine, changed) == ["lost is missing"]


def test_the_sums_of_each_day_are_compared_on_their_own(project: Project, truth: dict[str, Any]) -> None:
    truth["days"][0]["tip_amount"] = "0.01"
    (line,) = compare(project.engine, truth)
    assert "tip_amount" in line
    truth["days"] = []
    assert len(compare(project.engine, truth)) > 10
