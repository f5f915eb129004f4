"""What a batch reads does not grow with the log."""

from __future__ import annotations

import re

import pytest

from pipelines.registry import connectors
from tests.models.history import CONFIGURATION, History


@pytest.mark.parametrize("pos_system", connectors())
def test_documents_asked_for_are_each_found_by_their_key(history: History, pos_system: str) -> None:
    """Never by comparing each of the list with every document of the log."""
    plan = history.plan(f"stg_{pos_system}__touched")
    assert re.search(r"Index Cond: .*external_id = t\.external_id", plan), plan


@pytest.mark.parametrize("named", [["a"], ["a", "a"], [None], [None, "b"], ["of no document"], []])
def test_documents_asked_for_are_the_named_ones_or_all(history: History, named: list[str | None]) -> None:
    history.land("orders", [{"id": "a"}, {"id": "b"}])
    history.normalise()
    for each in named:
        history.connection.execute(
            "insert into pos_touched_documents (configuration_id, external_id) values (%s, %s)",
            (CONFIGURATION, each),
        )
    history.normalise()
    expected = {"a", "b"} if None in named else {"a"} & set(named)
    rows = history.query("select external_id from pos_work.int_documents_touched order by 1")
    assert [row["external_id"] for row in rows] == sorted(expected)
