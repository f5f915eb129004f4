"""The sensors keep one partition per configuration, and launch what was asked for and nobody else did."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from dagster import SensorResult, SkipReason, build_sensor_context

from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.sync_requests import SyncRequest
from sandbox.square.driver import Driver
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.conftest import Project
from tests.dagster_project.conftest import PARTITIONS, Dagster, sync_checks

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def _evaluate(dagster: Dagster) -> SensorResult | SkipReason:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.sensors import configuration_partitions

    context = build_sensor_context(instance=dagster.instance, resources={"pos": Pos()})
    answer = configuration_partitions(context)
    assert isinstance(answer, SensorResult | SkipReason)
    return answer


def _added(answer: SensorResult | SkipReason) -> set[str]:
    assert isinstance(answer, SensorResult)
    return {
        key
        for request in answer.dynamic_partitions_requests or []
        if request.partitions_def_name == PARTITIONS
        for key in request.partition_keys
    }


def test_new_configurations_get_a_partition(dagster: Dagster, connected: list[Configuration]) -> None:
    first, *others = connected
    dagster.instance.add_dynamic_partitions(PARTITIONS, [str(first.id)])
    assert _added(_evaluate(dagster)) == {str(each.id) for each in others}


def test_nothing_happens_when_every_configuration_has_one(
    dagster: Dagster, connected: list[Configuration]
) -> None:
    dagster.instance.add_dynamic_partitions(PARTITIONS, [str(each.id) for each in connected])
    assert isinstance(_evaluate(dagster), SkipReason)


def test_a_disabled_configuration_keeps_its_partition(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    keys = {str(each.id) for each in connected}
    dagster.instance.add_dynamic_partitions(PARTITIONS, sorted(keys))
    project.execute("update pos_configurations set status = 'disabled' where id = :id", id=connected[0].id)
    assert isinstance(_evaluate(dagster), SkipReason)
    assert set(dagster.instance.get_dynamic_partitions(PARTITIONS)) == keys


def _ask(project: Project, configuration: Configuration, *span: datetime | None) -> SyncRequest:
    """A request that is old enough to be swept."""
    with project.engine.begin() as connection:
        made, _ = sync_requests.ask(connection, configuration.tenant_id, configuration.id, "test", *span)
    project.execute(
        "update pos_sync_requests set requested_at = now() - interval '10 seconds' where id = :id", id=made.id
    )
    return made


def _sweep(dagster: Dagster) -> list[Any]:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.sensors import requested_syncs

    answer = requested_syncs(build_sensor_context(instance=dagster.instance, resources={"pos": Pos()}))
    if isinstance(answer, SkipReason):
        return []
    assert isinstance(answer, SensorResult)
    return list(answer.run_requests or [])


def _status(project: Project, request: SyncRequest) -> Any:
    return project.value("select status from pos_sync_requests where id = :id", id=request.id)


def test_what_was_asked_for_is_launched_once_and_done_by_that_run(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    first, second = connected
    asked = [_ask(project, first), _ask(project, second)]
    [run] = _sweep(dagster)
    assert run.tags["pos/configurations"] == "2"
    assert _sweep(dagster) == []
    result = dagster.run("sync_configurations", dict(run.run_config), dict(run.tags))
    assert set(sync_checks(result)) == {str(first.id), str(second.id)}
    assert [_status(project, each) for each in asked] == ["succeeded", "succeeded"]
    project.execute("update pos_sync_requests set launched_at = launched_at - interval '1 day'")
    assert _sweep(dagster) == []


def test_a_range_is_read_by_a_run_of_its_own(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    first, second = connected
    march, plain = _ask(project, first, MARCH, APRIL), _ask(project, second)
    runs = _sweep(dagster)
    assert len(runs) == 2
    for run in runs:
        assert dagster.run("sync_configurations", dict(run.run_config)).success
    assert [_status(project, each) for each in (march, plain)] == ["succeeded", "succeeded"]
    read_again = project.rows("select configuration_id from pos_sync_logs where source = 'backfill'")
    assert read_again == [{"configuration_id": first.id}]


def test_a_second_run_for_the_same_request_has_nothing_to_do(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    _ask(project, connected[0])
    [run] = _sweep(dagster)
    dagster.run("sync_configurations", dict(run.run_config))
    result = dagster.run("sync_configurations", dict(run.run_config))
    assert result.success
    assert sync_checks(result) == {}
    assert project.value("select count(*) from pos_sync_logs") == 1


def test_a_run_that_is_lost_is_launched_again_after_its_time(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    request = _ask(project, connected[0])
    assert len(_sweep(dagster)) == 1
    project.execute("update pos_sync_requests set launched_at = now() - interval '1 minute'")
    assert len(_sweep(dagster)) == 1
    assert _sweep(dagster) == []
    assert _status(project, request) == "queued"


def test_a_request_whose_run_died_is_queued_and_launched_again(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    request = _ask(project, connected[0])
    project.execute(
        "update pos_sync_requests set status = 'running', sync_id = gen_random_uuid(), "
        "launched_at = now() - interval '1 hour'"
    )
    assert len(_sweep(dagster)) == 1
    assert _status(project, request) == "queued"


def test_more_ranges_than_may_run_at_once_are_left_until_there_is_room(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    project.execute(
        """
        insert into pos_configurations (id, tenant_id, pos_system, name, account_id, base_url)
        select gen_random_uuid(), :tenant, 'square', 'Shop', 'A' || n, '' from generate_series(1, 12) as n
        """,
        tenant=connected[0].tenant_id,
    )
    project.execute(
        """
        insert into pos_sync_requests (id, tenant_id, configuration_id, requested_by, requested_at, read_from)
        select gen_random_uuid(), tenant_id, id, 'test', now() - interval '10 seconds',
            now() - interval '1 day' * row_number() over ()
        from pos_configurations where name = 'Shop'
        """
    )
    assert [len(_sweep(dagster)) for _ in range(2)] == [10, 0]
    project.execute("update pos_sync_requests set status = 'succeeded' where launched_at is not null")
    assert [len(_sweep(dagster)) for _ in range(2)] == [2, 0]


def test_what_was_asked_of_a_disabled_configuration_is_not_launched_but_ended(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    request = _ask(project, connected[0])
    project.execute("update pos_configurations set status = 'disabled' where id = :id", id=connected[0].id)
    assert _sweep(dagster) == []
    assert _status(project, request) == "failed"


def _look_after_webhooks(dagster: Dagster) -> str:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.sensors import webhook_subscriptions

    context = build_sensor_context(instance=dagster.instance, resources={"pos": Pos()})
    answer = webhook_subscriptions(context)
    assert isinstance(answer, SkipReason)
    return answer.skip_message or ""


def _targets(sandbox: Driver) -> list[str]:
    return [each["url"] for each in sandbox.http.get("/_sandbox/webhooks").json()["targets"]]


def test_webhooks_are_registered_once_an_account_is_connected(
    dagster: Dagster, connected: list[Configuration], sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", OWNER_ACCESS_TOKEN)
    assert _look_after_webhooks(dagster).endswith("/api/v1/webhooks/square: created.")
    assert _targets(sandbox) == ["http://127.0.0.1:8000/api/v1/webhooks/square"]
    calls = sandbox.http.get("/_sandbox/calls").json()
    assert "as it should be" in _look_after_webhooks(dagster)
    assert sandbox.http.get("/_sandbox/calls").json() == calls


def test_without_an_account_nobody_is_asked(
    project: Project, dagster: Dagster, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url)
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", OWNER_ACCESS_TOKEN)
    assert "as it should be" in _look_after_webhooks(dagster)
    assert _targets(sandbox) == []
    assert project.value("select count(*) from pos_webhook_subscriptions") == 0


def test_what_fails_is_told_and_left_alone_for_a_while(
    project: Project,
    dagster: Dagster,
    connected: list[Configuration],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("SQUARE_ACCESS_TOKEN", raising=False)
    with caplog.at_level(logging.WARNING, "pipelines.registration"):
        assert "SQUARE_ACCESS_TOKEN is not set" in _look_after_webhooks(dagster)
    assert "SQUARE_ACCESS_TOKEN is not set" in caplog.text
    assert "SQUARE_ACCESS_TOKEN" in project.value("select problem from pos_webhook_subscriptions")
    assert "tried just now" in _look_after_webhooks(dagster)
    assert {each["status"] for each in project.rows("select status from pos_configurations")} == {"active"}
