"""The daily upkeep as Dagster runs it."""

from pos_core.repositories.configurations import Configuration
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster


def test_the_job_removes_old_rows_of_the_log_and_says_so(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    project.execute(
        "insert into pos_sync_logs (id, tenant_id, configuration_id, source, status, started_at) "
        "values (gen_random_uuid(), :tenant, :id, 'poll', 'failed', now() - interval '91 days')",
        tenant=connected[0].tenant_id,
        id=connected[0].id,
    )
    result = dagster.run("upkeep_database", {})
    assert result.success
    assert project.value("select count(*) from pos_sync_logs") == 0
    said = [entry.user_message for entry in dagster.instance.all_logs(result.run_id)]
    assert any("1 old rows of the sync log were removed" in each for each in said)
