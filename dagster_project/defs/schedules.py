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
from dagster_project.defs.upkeep import upkeep_job
from pipelines.requests import SYNC_OP
from pos_core.repositories import configurations, sync_requests
from pos_core.repositories.locks import busy_configurations


@schedule(
    job=sync_job,
    cron_schedule="* * * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a minute, one run for all configurations that are due.",
)
def due_configurations(
    context: ScheduleEvaluationContext, pos: ResourceParam[Pos]
) -> RunRequest | SkipReason:
    """One run for all that are due, or none; not for those that a run is syncing or is about to."""
    with pos.context.engine.begin() as connection:
        due = configurations.due_ids(connection)
        taken = busy_configurations(connection, due) | sync_requests.just_launched(connection)
        idle = [each for each in due if each not in taken]
        sync_requests.launched_with(connection, idle)
    if not idle:
        return SkipReason("All that are due are being synced." if due else "No configuration is due.")
    config = {"configuration_ids": [str(each) for each in idle], "scheduled": True}
    return RunRequest(
        run_config={"ops": {SYNC_OP: {"config": config}}},
        tags={"pos/configurations": str(len(idle))},
    )


daily_upkeep = ScheduleDefinition(
    name="daily_upkeep",
    job=upkeep_job,
    cron_schedule="10 4 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a day, learns open hours and removes what is kept no longer.",
)

daily_checks = ScheduleDefinition(
    name="daily_checks",
    job=check_job,
    cron_schedule="30 4 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Once a day, every data test over the whole marts.",
)
