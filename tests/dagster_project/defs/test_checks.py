"""dbt's data tests and the acceptance of documents, as asset checks over the real marts."""

from dagster import AssetCheckSeverity

from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster, inject


def _checks(dagster: Dagster) -> dict[str, bool]:
    result = dagster.run("check_marts", {})
    assert result.success
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_the_check_job_runs_every_data_test_and_all_pass(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.sync(*connected)
    checks = _checks(dagster)
    assert len(checks) == 19
    assert all(checks.values())


def test_a_broken_row_turns_its_check_red_and_no_other(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.sync(connected[0])
    project.execute(
        "update pos_transactions set item_count = item_count + 1 "
        "where transaction_id = (select min(transaction_id::text)::uuid from pos_transactions)"
    )
    result = dagster.run("check_marts", {})
    [red] = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert red.check_name == "transactions_count_their_items"
    assert red.severity is AssetCheckSeverity.ERROR
    assert red.metadata["failures"].value == 1


def test_a_document_that_is_not_accepted_is_listed_with_its_reason(
    project: Project, sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    location = sandbox.locations(0)[0]
    inject(sandbox, 0, f'{{"id": "POISON", "location_id": "{location}", "line_items": "none"}}')
    dagster.sync(connected[0])
    result = dagster.run("check_marts", {})
    [red] = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert red.check_name == "every_document_accepted"
    assert red.severity is AssetCheckSeverity.WARN
    assert red.metadata["quarantined"].value == 1
    assert "orders POISON: " in str(red.metadata["newest"].value)
