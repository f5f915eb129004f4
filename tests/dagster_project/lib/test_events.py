"""Events of many partitions in Dagster's own PostgreSQL storage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance
from sqlalchemy import Engine, event

from pos_cli.setup import Ready, dagster_environment
from pos_core.repositories.configurations import Configuration
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster, materializations

ASSETS = ("raw_square/orders", "pos_transactions", "pos_transaction_items", "pos_transaction_payments")


@pytest.fixture
def stored(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dagster]:
    """Dagster over the storage that the stack gives it."""
    for name, value in dagster_environment(Ready(project.home, project.address, False)).items():
        monkeypatch.setenv(name, value)
    from dagster_project.definitions import defs

    with DagsterInstance.get() as instance:
        yield Dagster(defs, instance)


@contextmanager
def _inserts() -> Iterator[list[str]]:
    """The statements of the block that add to the log of events, with more than one row each."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO event_logs") and statement.count("%(event_") > 1:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_materializations_of_a_table_are_recorded_at_once_and_each_partition_has_its_own(
    stored: Dagster, connected: list[Configuration]
) -> None:
    chosen = [each for each in connected if each.pos_system == "square"]
    assert len(chosen) > 1
    with _inserts() as statements:
        result = stored.sync(*chosen)
    assert result.success
    keys = {each.asset_key for each in materializations(result)}
    assert {AssetKey.from_user_string(each) for each in ASSETS} <= keys
    assert len(statements) == len(keys)
    for key in keys:
        wanted = {each.partition for each in materializations(result) if each.asset_key == key}
        assert stored.instance.get_materialized_partitions(key) >= wanted
        latest = stored.instance.get_latest_materialization_event(key)
        assert latest is not None
        assert latest.run_id == result.run_id
