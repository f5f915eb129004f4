"""Syncs as Dagster runs: what they report, and what one failing configuration does to the others."""

from pathlib import Path
from uuid import uuid4

import pytest
from dagster import AssetCheckSeverity, AssetKey, DagsterInstance
from dagster_shared.serdes import serialize_value

from pos_core.repositories import breakers
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.dagster_project.conftest import (
    Dagster,
    failure,
    figures,
    materializations,
    materialized,
    sync_checks,
)

MARTS = {"pos_transactions", "pos_transaction_items", "pos_transaction_payments"}
ORDERS = "raw_square/orders"
RAW = {ORDERS, *(f"raw_square/{each}" for each in ("locations", "catalog", "payments", "refunds"))}


def _expire_token(sandbox: Driver, account: int) -> None:
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(account), "state": "expired"})


def _failed_partitions(dagster: Dagster, asset: str) -> set[str]:
    from dagster_project.lib.specs import CONFIGURATIONS

    statuses = dagster.instance.get_status_by_partition(
        AssetKey.from_user_string(asset),
        dagster.instance.get_dynamic_partitions("pos_configurations"),
        CONFIGURATIONS,
    )
    assert statuses is not None
    return {key for key, status in statuses.items() if status is not None and status.value == "FAILED"}


def test_one_partition_from_the_ui_syncs_that_configuration_alone(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    chosen = connected[0]
    result = dagster.materialize(chosen)
    assert result.success
    assert materialized(result, chosen) == RAW | MARTS
    assert {each.partition for each in materializations(result)} == {str(chosen.id)}
    synced = project.rows("select distinct configuration_id from pos_transactions")
    assert [row["configuration_id"] for row in synced] == [chosen.id]


def test_one_partition_from_the_ui_runs_the_checks_of_its_tables_too(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    for _ in range(2):  # the second time with nothing new
        result = dagster.materialize(connected[0])
        assert result.success
        assert materialized(result, connected[0]) == RAW | MARTS
        names = {each.check_name for each in result.get_asset_check_evaluations()}
        assert {"configuration_synced", "transactions_total_is_the_sum_of_its_parts"} <= names
        assert all(each.passed for each in result.get_asset_check_evaluations())


def test_a_materialization_carries_figures_that_can_be_plotted(
    project: Project, sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    chosen = connected[0]
    sandbox.control("faults", {"kind": "status", "path": "/v2/refunds", "status": 503, "count": 1})
    result = dagster.sync(chosen)
    orders = figures(result, ORDERS, chosen.id)
    landed = project.value("select count(*) from raw_square.orders")
    assert (orders["orders"], orders["new"], orders["changed"]) == (landed, landed, 0)
    assert orders["retries"] == 1
    assert orders["api_calls"] > 1
    assert orders["lag_seconds"] > 0
    day, net_sales = project.rows(
        "select business_date, sum(net_sales_amount) as amount from pos_transactions "
        "where is_revenue group by 1 order by 1 desc limit 1"
    )[0].values()
    currency = project.value("select distinct currency from pos_transactions")
    transactions = figures(result, "pos_transactions", chosen.id)
    assert transactions["business_date"] == str(day)
    assert transactions[f"net_sales_hundredths_{currency}"] == int(net_sales * 100)
    plotted = {"orders", "new", "changed", "retries", "api_calls", "lag_seconds"}
    assert all(isinstance(orders[name], int | float) for name in plotted)


def test_a_changed_order_is_counted_as_changed(
    sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.sync(*connected)
    sandbox.control("edits")
    result = dagster.sync(*connected)
    changed = [figures(result, ORDERS, each.id)["changed"] for each in connected]
    assert sum(changed) > 0


def test_a_run_over_many_reports_each_partition_and_none_without(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    result = dagster.sync(*connected)
    assert result.success
    assert {each.partition for each in materializations(result)} == {str(each.id) for each in connected}
    assert all(materialized(result, each) == RAW | MARTS for each in connected)
    assert {key: each.passed for key, each in sync_checks(result).items()} == {
        str(each.id): True for each in connected
    }
    run = dagster.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["pos/configurations"] == str(len(connected))
    assert "pos/failed" not in run.tags


def test_a_run_with_nothing_new_reports_that_it_asked_and_nothing_else(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.sync(*connected)
    result = dagster.sync(*connected)
    assert all(materialized(result, each) == {ORDERS} for each in connected)
    assert figures(result, ORDERS, connected[0].id)["orders"] == 0


def test_a_run_without_configurations_takes_those_that_are_due(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    project.execute(
        "update pos_configurations set next_sync_at = now() + interval '1 hour' where id = :id",
        id=connected[0].id,
    )
    result = dagster.sync()
    assert set(sync_checks(result)) == {str(each.id) for each in connected[1:]}


def test_a_range_of_partitions_is_one_run_that_reports_each(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    result = dagster.materialize_range(connected)
    assert result.success
    assert all(materialized(result, each) == RAW | MARTS for each in connected)
    assert {each.partition for each in materializations(result)} == {str(each.id) for each in connected}


def test_one_failing_configuration_is_its_own_and_the_run_goes_on(
    sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    _expire_token(sandbox, 0)
    failing, *others = connected
    result = dagster.sync(*connected)
    assert result.success
    assert all(materialized(result, each) == RAW | MARTS for each in others)
    assert materialized(result, failing) == set()
    checks = sync_checks(result)
    assert {key for key, each in checks.items() if not each.passed} == {str(failing.id)}
    assert "expired" in str(checks[str(failing.id)].metadata["error"].value)
    run = dagster.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["pos/failed"] == "1"


def _shut(project: Project, configuration: Configuration) -> None:
    with project.engine.begin() as connection:
        breakers.trip(
            connection, configuration.pos_system, configuration.base_url, "unreachable", is_probe=False
        )


def test_a_scheduled_run_leaves_a_vendor_alone_that_is_down(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    _shut(project, connected[0])
    result = dagster.sync(*connected, scheduled=True)
    assert result.success
    checks = sync_checks(result)
    assert set(checks) == {str(each.id) for each in connected}
    for each in checks.values():
        assert (each.passed, each.severity) == (False, AssetCheckSeverity.WARN)
        assert each.metadata["state"].value == "postponed"
        assert str(each.metadata["said"].value).startswith("Not asked: Square does not answer")
    run = dagster.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.tags["pos/postponed"], run.tags.get("pos/failed")) == (str(len(connected)), None)
    said = [entry.user_message for entry in dagster.instance.all_logs(result.run_id)]
    [summary] = [each for each in said if "were postponed" in each]
    assert summary.startswith(f"{len(connected)} configurations were postponed: Square does not answer")


def test_what_somebody_asks_for_is_tried_although_the_vendor_was_down(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    _shut(project, connected[0])
    result = dagster.materialize(connected[0])
    assert result.success
    check = sync_checks(result)[str(connected[0].id)]
    assert check.passed
    assert str(check.metadata["said"].value).startswith("Read completely until ")
    assert project.rows("select * from pos_vendor_breakers") == []


def test_a_failed_sync_does_not_claim_that_its_sales_were_read_to_the_end(
    project: Project, sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    sandbox.control("faults", {"kind": "status", "path": "/v2/orders/search", "status": 400})
    result = dagster.sync(connected[0])
    assert result.success
    assert project.value("select count(*) from raw_square.payments") > 0
    assert "raw_square/payments" in materialized(result, connected[0])
    assert ORDERS not in materialized(result, connected[0])


def test_a_single_partition_that_fails_ends_its_run_with_the_plain_reason(
    sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    _expire_token(sandbox, 0)
    result = dagster.materialize(connected[0])
    assert not result.success
    assert failure(result) == (
        f"{connected[0].name}: Square says that the access token has expired; connect the account again."
    )
    assert not sync_checks(result)[str(connected[0].id)].passed
    assert _failed_partitions(dagster, ORDERS) == {str(connected[0].id)}


def test_a_range_with_a_failing_configuration_fails_for_that_partition_alone(
    sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    _expire_token(sandbox, 1)
    result = dagster.materialize_range(connected)
    assert not result.success
    assert failure(result).startswith(f"{connected[1].name}: ")
    assert _failed_partitions(dagster, ORDERS) == {str(connected[1].id)}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"configuration_ids": ["bakery"]}, "ids of configurations are UUIDs"),
        ({"since": "yesterday"}, "no ISO 8601 time"),
    ],
)
def test_a_run_config_that_makes_no_sense_is_refused_in_words(
    dagster: Dagster, connected: list[Configuration], config: dict[str, object], reason: str
) -> None:
    result = dagster.run("sync_configurations", {"ops": {"sync": {"config": config}}})
    assert not result.success
    event = next(each for each in result.all_events if each.is_step_failure)
    assert reason in serialize_value(event)


def test_a_run_of_an_unknown_configuration_fails_and_adds_no_partition(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    unknown = str(uuid4())
    config = {"configuration_ids": [unknown]}
    result = dagster.run("sync_configurations", {"ops": {"sync": {"config": config}}})
    assert not result.success
    assert dagster.instance.get_dynamic_partitions("pos_configurations") == []


def test_no_secret_is_in_what_a_run_leaves_behind(
    sandbox: Driver, dagster: Dagster, connected: list[Configuration], project: Project, tmp_path: Path
) -> None:
    _expire_token(sandbox, 0)
    overrides = {"telemetry": {"enabled": False}}
    with DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        kept = Dagster(dagster.defs, instance)
        for result in (kept.sync(*connected), kept.materialize(connected[0])):
            run = instance.get_run_by_id(result.run_id)
            assert run is not None
            said = [serialize_value(entry) for entry in instance.all_logs(result.run_id)]
            said += [repr(run.tags), repr(run.run_config)]
            for secret in _secrets(sandbox, project):
                assert not any(secret in text for text in said)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert any(path.suffix == ".err" for path in files), "compute logs are kept as files"
        for secret in _secrets(sandbox, project):
            assert not [path for path in files if secret.encode() in path.read_bytes()]


def _secrets(sandbox: Driver, project: Project) -> list[str]:
    tokens = [str(each["credentials"]["access_token"]) for each in sandbox.accounts]
    sealed = [row["s"] for row in project.rows("select credentials_sealed as s from pos_configurations")]
    key = (project.home / "encryption.key").read_text(encoding="utf-8").strip()
    assert len(tokens) == len(sealed) == len(sandbox.accounts)
    return [*tokens, *sealed, key]
