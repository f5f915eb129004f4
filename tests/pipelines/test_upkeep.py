"""What is done once a day: open hours are learned from the real sales, old rows of the log go."""

from pipelines.upkeep import Done, keep_up
from pos_core.repositories.configurations import Configuration
from tests.conftest import Project


def test_open_hours_come_from_the_sales_and_old_rows_of_the_log_go(
    project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    project.sync(mine)
    project.normalise()
    assert keep_up(project.engine) == Done(0, 0)
    project.execute(
        "update pos_transactions set occurred_at = now() - place * interval '12 hours' "
        "from (select transaction_id, row_number() over () as place from pos_transactions) as numbered "
        "where numbered.transaction_id = pos_transactions.transaction_id"
    )
    project.execute(
        "insert into pos_sync_logs (id, tenant_id, configuration_id, source, status, started_at) "
        "select gen_random_uuid(), :tenant, :id, 'poll', 'succeeded', now() - interval '100 days' "
        "from generate_series(1, 3)",
        tenant=mine.tenant_id,
        id=mine.id,
    )
    assert keep_up(project.engine) == Done(1, 3)
    hours = project.value("select open_hours from pos_configurations where id = :id", id=mine.id)
    half_past = project.value("select extract(hour from now() at time zone 'UTC')::int")
    selling = {(half_past + each) % 24 for each in (-1, 0, 1, 11, 12, 13)}
    assert {each % 24 for each in hours} == selling
    assert keep_up(project.engine) == Done(0, 0)
