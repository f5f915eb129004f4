"""When syncs and full checks run."""

from dagster import (
    DefaultScheduleStatus,
    ResourceParam,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)

from dagster_project.defs.checks import check_job
from dagster_project.defs.ingestion import sync_job
from dagster_project.defs.resources import Pos
from pos_core.repositories import configurations


@schedule(
    job=sync_job,
    cron_schedule="* * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a minute, one run for all configurations that are due.",
)
def due_configurations(
    context: ScheduleEvaluationContext, pos: ResourceParam[Pos]
) -> RunRequest | SkipReason:
    """One run for all that are due, or none."""
    with pos.context.engine.connect() as connection:
        due = configurations.due_ids(connection)
    if not due:
        return SkipReason("No configuration is due.")
    return RunRequest(
        run_config={"ops": {"sync": {"config": {"configuration_ids": [str(each) for each in due]}}}},
        tags={"pos/configurations": str(len(due))},
    )


daily_checks = ScheduleDefinition(
    name="daily_checks",
    job=check_job,
    cron_schedule="30 4 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a day, every data test over the whole marts.",
)
