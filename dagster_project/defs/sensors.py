"""What follows the database."""

from datetime import timedelta

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from dagster_project.defs.ingestion import sync_job
from dagster_project.defs.resources import Pos
from dagster_project.lib.specs import CONFIGURATIONS
from pipelines.requests import as_launches
from pos_core.repositories import configurations, sync_requests

_LEFT_TO_THE_SERVICE = timedelta(seconds=5)
_MOST_RUNS = 10


@sensor(
    minimum_interval_seconds=15,
    default_status=DefaultSensorStatus.RUNNING,
    description="Keeps one partition per configuration.",
)
def configuration_partitions(
    context: SensorEvaluationContext, pos: ResourceParam[Pos]
) -> SensorResult | SkipReason:
    """Adds a partition for each configuration that has none; disabled ones keep theirs, and their history."""
    with pos.context.engine.connect() as connection:
        wanted = {str(each.id) for each in configurations.listed(connection)}
    known = set(context.instance.get_dynamic_partitions(str(CONFIGURATIONS.name)))
    missing = sorted(wanted - known)
    if not missing:
        return SkipReason("Every configuration has its partition.")
    return SensorResult(dynamic_partitions_requests=[CONFIGURATIONS.build_add_request(missing)])


@sensor(
    job=sync_job,
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Carries out syncs that were asked for and that nobody else has launched.",
)
def requested_syncs(pos: ResourceParam[Pos]) -> SensorResult | SkipReason:
    """Runs for what is queued: the service could not launch it, its run is lost, or died."""
    with pos.context.engine.begin() as connection:
        sync_requests.refuse(connection)
        sync_requests.release_dead(connection)
        wanted = as_launches(sync_requests.take_to_launch(connection, grace=_LEFT_TO_THE_SERVICE))
        now, later = wanted[:_MOST_RUNS], wanted[_MOST_RUNS:]
        sync_requests.not_launched(connection, [each for one in later for each in one.request_ids])
    if not now:
        return SkipReason("Nothing that was asked for waits to be launched.")
    return SensorResult(run_requests=[RunRequest(run_config=each.run_config, tags=each.tags) for each in now])
