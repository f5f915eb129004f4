"""The schedule asks for one run over all that is due, or for none."""

from dagster import RunRequest, SkipReason, build_schedule_context

from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster, sync_checks


def _evaluate(dagster: Dagster) -> RunRequest | SkipReason:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.schedules import due_configurations

    context = build_schedule_context(instance=dagster.instance, resources={"pos": Pos()})
    answer = due_configurations(context)
    assert isinstance(answer, RunRequest | SkipReason)
    return answer


def test_one_run_is_requested_for_all_that_are_due(dagster: Dagster, connected: list[Configuration]) -> None:
    request = _evaluate(dagster)
    assert isinstance(request, RunRequest)
    assert request.partition_key is None
    ids = request.run_config["ops"]["sync"]["config"]["configuration_ids"]
    assert sorted(ids) == sorted(str(each.id) for each in connected)
    assert request.tags["pos/configurations"] == str(len(connected))


def test_the_requested_run_syncs_them(dagster: Dagster, connected: list[Configuration]) -> None:
    request = _evaluate(dagster)
    assert isinstance(request, RunRequest)
    result = dagster.run("sync_configurations", dict(request.run_config))
    assert set(sync_checks(result)) == {str(each.id) for each in connected}
    assert isinstance(_evaluate(dagster), SkipReason), "what was synced is not due again at once"


def test_a_disabled_configuration_and_one_that_waits_are_not_asked_for(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    project.execute("update pos_configurations set status = 'disabled' where id = :id", id=connected[0].id)
    request = _evaluate(dagster)
    assert isinstance(request, RunRequest)
    assert str(connected[0].id) not in str(request.run_config)
    project.execute("update pos_configurations set next_sync_at = now() + interval '1 minute'")
    assert isinstance(_evaluate(dagster), SkipReason)


def test_without_configurations_nothing_is_requested(project: Project, dagster: Dagster) -> None:
    assert isinstance(_evaluate(dagster), SkipReason)


def test_what_a_run_is_syncing_or_is_about_to_is_not_asked_for_again(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    running, asked = connected
    with project.engine.begin() as connection:
        sync_requests.ask(connection, asked.tenant_id, asked.id, "test")
        assert len(sync_requests.take_to_launch(connection)) == 1
    with held_configurations(project.engine, [running.id]):
        answer = _evaluate(dagster)
    assert isinstance(answer, SkipReason)
    assert answer.skip_message == "All that are due are being synced."
    request = _evaluate(dagster)
    assert isinstance(request, RunRequest)
    ids = request.run_config["ops"]["sync"]["config"]["configuration_ids"]
    assert ids == [str(running.id)]


def test_the_run_for_what_is_due_is_the_one_that_was_asked_for(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    asked = connected[0]
    with project.engine.begin() as connection:
        made, _ = sync_requests.ask(connection, asked.tenant_id, asked.id, "test")
    request = _evaluate(dagster)
    assert isinstance(request, RunRequest)
    with project.engine.begin() as connection:
        assert sync_requests.take_to_launch(connection) == []
    dagster.run("sync_configurations", dict(request.run_config))
    with project.engine.begin() as connection:
        done = sync_requests.get(connection, asked.tenant_id, asked.id, made.id)
    assert done.status == "succeeded"
