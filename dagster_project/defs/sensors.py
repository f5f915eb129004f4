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
from pipelines.registration import register_due
from pipelines.requests import Drain, as_launches
from pos_core.repositories import configurations, sync_requests, webhooks

_LEFT_TO_THE_SERVICE = timedelta(seconds=5)


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
        room = sync_requests.room_for_runs(connection)
        wanted = as_launches(sync_requests.take_to_launch(connection, grace=_LEFT_TO_THE_SERVICE))
        now, later = wanted[:room], wanted[room:]
        sync_requests.not_launched(connection, [each for one in later for each in one.request_ids])
    if not now:
        return SkipReason("Nothing that was asked for waits to be launched.")
    return SensorResult(run_requests=[RunRequest(run_config=each.run_config, tags=each.tags) for each in now])


@sensor(
    job=sync_job,
    minimum_interval_seconds=5,
    default_status=DefaultSensorStatus.RUNNING,
    description="Works off events of webhooks that nobody has: the service was killed, or Dagster was down.",
)
def waiting_events(pos: ResourceParam[Pos]) -> RunRequest | SkipReason:
    """One drain, unless one runs or has just been asked for."""
    with pos.context.engine.begin() as connection:
        if not webhooks.take_over(connection, _LEFT_TO_THE_SERVICE):
            return SkipReason("No event waits that nobody works off.")
    wanted = Drain()
    return RunRequest(run_config=wanted.run_config, tags=wanted.tags)


@sensor(
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING,
    description="Has the vendors that offer it send their events here; looks after it once a day.",
)
def webhook_subscriptions(context: SensorEvaluationContext, pos: ResourceParam[Pos]) -> SkipReason:
    """Registers where a configuration exists and no subscription does; what fails is tried again later."""
    done = register_due(pos.context.engine, pos.context.vault)
    return SkipReason(" ".join(done) or "Every subscription is as it should be, or was tried just now.")
