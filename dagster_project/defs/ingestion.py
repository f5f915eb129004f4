"""The sync: fetch, land and normalise many configurations in one run.

Launched without a partition it takes its configurations from the run config (none given: those that are
due) and reports per partition; launched for one partition, as from the UI, it takes that one.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetSelection,
    Config,
    Failure,
    define_asset_job,
    multi_asset,
)
from pydantic import Field

from dagster_project.defs.resources import PosResource
from dagster_project.lib import events
from dagster_project.lib.specs import CONFIGURATIONS, mart_specs, raw_specs
from pipelines.normalise import normalise
from pipelines.sync import Outcome, sync
from pos_core.errors import ConfigurationError
from pos_core.repositories import configurations


class SyncConfig(Config):
    """What to sync."""

    configuration_ids: list[str] = Field(
        default_factory=list, description="Configurations to sync; none: those that are due."
    )
    since: str | None = Field(
        default=None,
        description="Read again from this instant on (ISO 8601); none: what is missing.",
    )
    wait: bool = Field(default=False, description="Wait for configurations that another run is syncing.")


@multi_asset(name="sync", specs=[*raw_specs(), *mart_specs()], can_subset=False)
def sync_assets(
    context: AssetExecutionContext, config: SyncConfig, pos: PosResource
) -> Iterator[AssetMaterialization]:
    """Reads what is new of each configuration, lands it in raw and brings the marts up to date."""
    engine = pos.context.engine
    ids = _wanted(context, config, pos)
    since = _instant(config.since)
    report = sync(pos.context, ids, since=since, run_id=context.run_id, wait=config.wait)
    normalised = normalise(engine, pos.context.address, pos.dbt_folder)
    context.instance.add_dynamic_partitions(str(CONFIGURATIONS.name), [str(each) for each in ids])
    sales = events.latest_sales(engine, normalised.touched)
    for outcome in report.outcomes:
        if outcome.status == "busy":
            context.log.info(f"{outcome.configuration.name}: another run is syncing it")
            continue
        touched = normalised.touched.get(outcome.configuration.id, 0)
        yield from events.materializations(outcome, touched, sales)
        context.log_event(events.check(outcome))
        if outcome.error:
            context.log.error(f"{outcome.configuration.name}: {outcome.error}")
    if context.has_partition_key and report.failed:
        raise _failure(report.failed)


sync_job = define_asset_job(
    "sync_configurations",
    selection=AssetSelection.assets(sync_assets).without_checks(),
    description="Syncs the configurations in the run config, or those that are due.",
)


def _wanted(context: AssetExecutionContext, config: SyncConfig, pos: PosResource) -> Sequence[UUID]:
    texts = list(context.partition_keys) if context.has_partition_key else config.configuration_ids
    if not texts:
        with pos.context.engine.connect() as connection:
            return configurations.due_ids(connection)
    try:
        return [UUID(each) for each in texts]
    except ValueError:
        raise ConfigurationError(f"{texts} are not ids of configurations.") from None


def _instant(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise ConfigurationError(f"{given!r} is no ISO 8601 time.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _failure(failed: Sequence[Outcome]) -> Failure:
    return Failure("; ".join(f"{each.configuration.name}: {each.error}" for each in failed))
