"""What Dagster loads: every asset, job, schedule, sensor and check by name, and the lineage between them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dagster import AssetKey, DefaultScheduleStatus, DefaultSensorStatus

from pos_core.settings import PROJECT_ROOT
from tests.dagster_project.conftest import Dagster

RAW = {
    "raw_lightspeed/days",
    "raw_lightspeed/financials_v1",
    "raw_lightspeed/locations",
    "raw_lightspeed/sales",
    "raw_square/catalog",
    "raw_square/locations",
    "raw_square/orders",
    "raw_square/payments",
    "raw_square/refunds",
    "raw_toast/config",
    "raw_toast/orders",
    "raw_toast/restaurants",
}
# A control of the vendor's, never rows.
REFERENCES = RAW - {"raw_lightspeed/financials_v1"}
LINEAGE = {
    **{key: set[str]() for key in RAW},
    "pos_transactions": REFERENCES,
    "pos_transaction_items": REFERENCES | {"pos_transactions"},
    "pos_transaction_payments": REFERENCES | {"pos_transactions"},
}
CHECKS = {
    "pos_transaction_items": {
        "items_belong_to_a_document",
        "items_have_their_transaction",
        "items_id_is_unique",
        "items_kind_is_known",
        "items_parents_are_lines_of_the_same_document",
    },
    "pos_transaction_payments": {
        "payments_belong_to_a_document",
        "payments_have_their_transaction",
        "payments_id_is_unique",
        "payments_method_is_known",
        "payments_status_is_known",
    },
    "pos_transactions": {
        "every_document_accepted",
        "transactions_completed_have_no_residual",
        "transactions_count_their_items",
        "transactions_id_is_unique",
        "transactions_key_is_unique_per_tenant",
        "transactions_kind_is_known",
        "transactions_source_is_known",
        "transactions_status_is_known",
        "transactions_total_is_the_sum_of_its_parts",
    },
    "raw_lightspeed/sales": {"configuration_synced"},
    "raw_square/orders": {"configuration_synced"},
    "raw_toast/orders": {"configuration_synced"},
}
_LOAD_WITHOUT_NETWORK = """
import sys

def audit(event, arguments):
    if event == "socket.connect":
        raise SystemExit(f"{event} while loading")

sys.addaudithook(audit)
from dagster_project.definitions import defs
print(len(defs.get_repository_def().asset_graph.get_all_asset_keys()))
"""


def _graph(dagster: Dagster) -> Any:
    return dagster.defs.get_repository_def().asset_graph


def test_the_assets_are_the_raw_tables_and_the_marts_with_their_lineage(dagster: Dagster) -> None:
    graph = _graph(dagster)
    lineage = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert lineage == LINEAGE


def test_the_checks_are_those_of_the_models_and_one_per_sales_stream(dagster: Dagster) -> None:
    found: dict[str, set[str]] = {}
    for key in _graph(dagster).asset_check_keys:
        found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert found == CHECKS


def test_every_asset_has_a_partition_per_configuration_and_says_what_it_is(dagster: Dagster) -> None:
    graph = _graph(dagster)
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.is_executable
        assert node.partitions_def.name == "pos_configurations"
        assert node.description
        assert node.group_name == (key.path[0] if len(key.path) > 1 else "marts")


def test_a_mart_shows_its_columns_with_their_meaning(dagster: Dagster) -> None:
    schema = _graph(dagster).get(AssetKey("pos_transactions")).metadata["dagster/column_schema"]
    columns = {column.name: column for column in schema.columns}
    assert columns["net_sales_amount"].type.startswith("numeric")
    assert all(column.description for column in columns.values())


def test_jobs_schedules_and_sensors_are_these_and_run_from_the_start(dagster: Dagster) -> None:
    repository = dagster.defs.get_repository_def()
    assert {each.name for each in repository.get_all_jobs()} == {
        "__ASSET_JOB",
        "check_marts",
        "sync_configurations",
        "upkeep_database",
    }
    schedules = {each.name: each for each in repository.schedule_defs}
    assert {name: each.cron_schedule for name, each in schedules.items()} == {
        "due_configurations": "* * * * *",
        "daily_upkeep": "10 4 * * *",
        "daily_checks": "30 4 * * *",
    }
    assert {each.default_status for each in schedules.values()} == {DefaultScheduleStatus.RUNNING}
    sensors = {each.name: each.default_status for each in repository.sensor_defs}
    assert sensors == {
        "configuration_partitions": DefaultSensorStatus.RUNNING,
        "requested_syncs": DefaultSensorStatus.RUNNING,
        "waiting_events": DefaultSensorStatus.RUNNING,
        "webhook_subscriptions": DefaultSensorStatus.RUNNING,
    }


def test_loading_needs_no_database_no_network_and_no_secret(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "POS_HOME": str(tmp_path / "home"),
        "POS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_WITHOUT_NETWORK],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(len(LINEAGE))), done.stderr
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["dbt"]
