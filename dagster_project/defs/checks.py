"""dbt's data tests and the state of each configuration, as asset checks."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetSelection,
    ResourceParam,
    asset_check,
    define_asset_job,
    multi_asset_check,
)
from dagster._core.definitions.asset_checks.asset_checks_definition import AssetChecksDefinition
from dagster._utils.warnings import PreviewWarning

from dagster_project.defs.resources import Pos
from dagster_project.lib.events import SYNC_CHECK, check_severity
from dagster_project.lib.specs import CONFIGURATIONS, dbt_manifest, mart_key, mart_names, raw_key
from pipelines.models import invoke
from pipelines.registry import connectors, get_connector
from pos_core.health import LastSync, of_sync
from pos_core.repositories import sync_logs
from pos_core.repositories.documents import open_problems


def _tests() -> dict[str, dict[str, Any]]:
    """dbt's data tests that belong to a mart, by the name of their check."""
    marts = set(mart_names())
    found = {}
    for node in dbt_manifest()["nodes"].values():
        if node["resource_type"] != "test":
            continue
        attached = (node.get("attached_node") or "").rpartition(".")[2]
        parents = [parent.rpartition(".")[2] for parent in node["depends_on"]["nodes"]]
        mart = attached if attached in marts else next((each for each in parents if each in marts), None)
        if mart:
            found[node["alias"][:120]] = {**node, "mart": mart}
    return found


def _check_specs() -> list[AssetCheckSpec]:
    return [
        AssetCheckSpec(
            name=name,
            asset=mart_key(test["mart"]),
            description=test["description"] or test["name"],
            metadata={"dbt_test": test["name"]},
        )
        for name, test in _tests().items()
    ]


@multi_asset_check(
    name="dbt_tests",
    specs=_check_specs(),
    description="dbt's data tests over the whole marts.",
)
def dbt_tests(context: AssetCheckExecutionContext, pos: ResourceParam[Pos]) -> Iterator[AssetCheckResult]:
    """Runs `dbt test` once and reports each test as a check."""
    result = invoke(pos.context.address, pos.dbt_folder, ["test", "--select", "test_type:data"])
    ran: Iterable[Any] = getattr(result.result, "results", [])
    by_name = {each.node.alias[:120]: each for each in ran}
    for name, test in _tests().items():
        outcome = by_name.get(name)
        status = str(outcome.status) if outcome else "not run"
        yield AssetCheckResult(
            check_name=name,
            asset_key=mart_key(test["mart"]),
            passed=status == "pass",
            severity=AssetCheckSeverity.WARN
            if test["config"]["severity"].lower() == "warn"
            else AssetCheckSeverity.ERROR,
            metadata={
                "status": status,
                "failures": int(outcome.failures or 0) if outcome else 0,
                "message": str(outcome.message or "") if outcome else "",
            },
        )


@asset_check(
    asset=mart_key("pos_transactions"),
    name="every_document_accepted",
    description="No document is quarantined, and none waits for a reference.",
)
def every_document_accepted(pos: ResourceParam[Pos]) -> AssetCheckResult:
    """Lists the documents that are in no mart, with their reasons."""
    with pos.context.engine.connect() as connection:
        problems = open_problems(connection)
    quarantined, waiting = problems["quarantined"], problems["waiting"]
    lines = [f"{each['stream']} {each['external_id']}: {each['reason']}" for each in quarantined[:20]]
    return AssetCheckResult(
        passed=not quarantined and not waiting,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "quarantined": len(quarantined),
            "waiting": len(waiting),
            "newest": "\n".join(lines),
        },
    )


def _configuration_check(pos_system: str, stream: str) -> AssetChecksDefinition:
    @asset_check(
        asset=raw_key(pos_system, stream),
        name=SYNC_CHECK,
        partitions_def=CONFIGURATIONS,
        description="The configuration's last sync read it to the end; evaluated by each sync.",
    )
    def configuration_synced(
        context: AssetCheckExecutionContext, pos: ResourceParam[Pos]
    ) -> AssetCheckResult:
        key = UUID(context.partition_key)
        with pos.context.engine.connect() as connection:
            last = sync_logs.newest(connection, is_finished=True, configuration_id=key).get(key)
        if last is None:
            return AssetCheckResult(passed=False, metadata={"state": "never synced"})
        return AssetCheckResult(
            passed=last["status"] == "succeeded",
            severity=check_severity(last["status"]),
            metadata={
                "state": last["status"],
                "said": of_sync(get_connector(pos_system).title, LastSync.read(last)).message,
                "error": last["error"] or "",
            },
        )

    return configuration_synced


with warnings.catch_warnings():
    # Checks per partition are new in Dagster 1.13 and marked as a preview; the version is pinned.
    warnings.simplefilter("ignore", PreviewWarning)
    partition_checks = [
        _configuration_check(connector.pos_system, connector.sales_stream)
        for connector in connectors().values()
    ]

dbt_checks = [dbt_tests, every_document_accepted]

check_job = define_asset_job(
    "check_marts",
    selection=AssetSelection.checks(*dbt_checks),
    description="Runs every data test over the whole marts.",
)
