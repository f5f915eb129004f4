"""What Dagster loads. Definitions live below `defs/`; this only puts them together."""

from dagster import Definitions

from dagster_project.defs import checks, ingestion, resources, schedules, sensors

defs = Definitions(
    assets=[ingestion.sync_assets],
    asset_checks=[*checks.dbt_checks, *checks.partition_checks],
    jobs=[ingestion.sync_job, checks.check_job],
    schedules=[schedules.due_configurations, schedules.daily_checks],
    sensors=[sensors.configuration_partitions],
    resources={"pos": resources.PosResource()},
)
