"""A hundred tenants in one run, one of them with a document that cannot be read."""

import json

import pytest

from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import connect_accounts, sandbox_environment
from sandbox.engine import Options
from sandbox.square.driver import serving
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster, inject, sync_checks

TENANTS = 100
POISONED = 41  # by its place


def test_poisoned_documents_among_a_hundred_tenants_stop_none_of_them(
    project: Project, dagster: Dagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Options(scale="large", merchants=TENANTS, orders=4 * TENANTS)) as sandbox:
        for name, value in sandbox_environment(sandbox.url).items():
            monkeypatch.setenv(name, value)
        configurations = [each for _, each in connect_accounts(sandbox.url)]
        poisoned = configurations[POISONED]
        order = {"location_id": sandbox.locations(POISONED)[0], "state": "COMPLETED"}
        for document in (
            {**order, "id": "TEXT", "total_money": {"amount": "12", "currency": "USD"}},
            {**order, "id": "NUL", "source": {"name": "\x00"}},
            order,
        ):
            inject(sandbox, POISONED, json.dumps(document))
        result = dagster.sync(*configurations)
        assert result.success
        assert {key for key, each in sync_checks(result).items() if each.passed} == {
            str(each.id) for each in configurations
        }
        assert compare(project.engine, sandbox.truth()) == []
    assert project.value("select count(distinct configuration_id) from pos_transactions") == TENANTS
    listed = project.rows("select configuration_id, external_id, reason from pos_quarantined_documents")
    assert {row["configuration_id"] for row in listed} == {poisoned.id}
    assert {"TEXT", "NUL", None} == {row["external_id"] for row in listed}
    assert all(row["reason"] for row in listed)
