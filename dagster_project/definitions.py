"""What Dagster loads. Definitions live below `defs/`; this only puts them together."""

from dagster import Definitions, in_process_executor

from dagster_project.defs import checks, ingestion, resources, schedules, sensors, upkeep

defs = Definitions(
    assets=[ingestion.sync_assets],
    asset_checks=[*checks.dbt_checks, *checks.partition_checks],
    jobs=[ingestion.sync_job, checks.check_job, upkeep.upkeep_job],
    schedules=[schedules.due_configurations, schedules.daily_upkeep, schedules.daily_checks],
    sensors=[
        sensors.configuration_partitions,
        sensors.requested_syncs,
        sensors.waiting_events,
        sensors.webhook_subscriptions,
    ],
    executor=in_process_executor,  # a run is one process; steps in processes of their own cost seconds
    resources={"pos": resources.pos_resource},
)
