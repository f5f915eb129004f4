"""Dagster as the tests run it: the real definitions over the test database, an instance thrown away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project

PARTITIONS = "pos_configurations"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Dagster:
    """The project's definitions and an instance that remembers what ran."""

    defs: Definitions
    instance: DagsterInstance

    def sync(self, *configurations: Configuration, **config: Any) -> ExecuteInProcessResult:
        """One run without a partition over these configurations, as the schedule and `pos sync` start it."""
        given = {"configuration_ids": [str(each.id) for each in configurations], **config}
        return self.run("sync_configurations", {"ops": {"sync": {"config": given}}})

    def materialize(self, configuration: Configuration) -> ExecuteInProcessResult:
        """One run of one partition with its checks, as the UI's button starts it."""
        self.instance.add_dynamic_partitions(PARTITIONS, [str(configuration.id)])
        return self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            run_config=QUIET,
            instance=self.instance,
            partition_key=str(configuration.id),
            raise_on_error=False,
        )

    def materialize_range(self, configurations: list[Configuration]) -> ExecuteInProcessResult:
        """One run of all these partitions, as the UI's backfill starts it."""
        keys = [str(each.id) for each in configurations]
        self.instance.add_dynamic_partitions(PARTITIONS, keys)
        tags = {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}
        return self.run("sync_configurations", {}, tags)

    def run(
        self, job: str, run_config: dict[str, Any], tags: dict[str, str] | None = None
    ) -> ExecuteInProcessResult:
        """One run of a job, to its end."""
        return self.defs.resolve_job_def(job).execute_in_process(
            run_config={**QUIET, **run_config}, instance=self.instance, tags=tags, raise_on_error=False
        )


@pytest.fixture
def dagster(project: Project) -> Iterator[Dagster]:
    """Dagster over the test's database."""
    # Loading parses the models into POS_HOME, so it waits until that is the test's.
    from dagster_project.definitions import defs

    with DagsterInstance.ephemeral() as instance:
        yield Dagster(defs, instance)


def materializations(result: ExecuteInProcessResult) -> list[AssetMaterialization]:
    """Everything that a run reported as materialized, in order."""
    return [
        event.step_materialization_data.materialization
        for event in result.all_events
        if event.is_step_materialization
    ]


def materialized(result: ExecuteInProcessResult, configuration: Configuration) -> set[str]:
    """The assets of one partition that a run reported as materialized."""
    partition = str(configuration.id)
    return {
        each.asset_key.to_user_string() for each in materializations(result) if each.partition == partition
    }


def figures(result: ExecuteInProcessResult, asset: str, configuration_id: UUID) -> dict[str, Any]:
    """The metadata of one asset's materialization for one partition."""
    key = AssetKey.from_user_string(asset)
    [found] = [
        each
        for each in materializations(result)
        if each.asset_key == key and each.partition == str(configuration_id)
    ]
    return {name: value.value for name, value in found.metadata.items()}


def sync_checks(result: ExecuteInProcessResult) -> dict[str | None, AssetCheckEvaluation]:
    """How a run found its configurations, by partition."""
    return {
        each.partition: each
        for each in result.get_asset_check_evaluations()
        if each.check_name == "configuration_synced"
    }


def inject(sandbox: Driver, account: int, document: str) -> None:
    """Makes an account answer this text as its newest order."""
    merchant = {"merchant_id": sandbox.merchant_id(account)}
    sandbox.http.post("/_sandbox/inject", params=merchant, content=document).raise_for_status()


def failure(result: ExecuteInProcessResult) -> str:
    """The reason that a failed run shows."""
    [event] = [each for each in result.all_events if each.is_step_failure]
    data = event.step_failure_data
    assert data.error is not None
    return str(data.user_failure_data.description if data.user_failure_data else data.error.message)
