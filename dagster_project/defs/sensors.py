"""What follows the database."""

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from dagster_project.defs.resources import Pos
from dagster_project.lib.specs import CONFIGURATIONS
from pos_core.repositories import configurations


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
