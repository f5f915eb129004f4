"""Webhooks in Dagster: a run works off what waits, per partition; a sensor sweeps what was missed."""

from dagster import RunRequest, SkipReason

from pos_core.repositories import webhooks
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_key
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.dagster_project.conftest import Dagster, materialized, sync_checks
from tests.pipelines.events import keep, outcomes, payment_event

RUN_CONFIG = {"ops": {"sync": {"config": {"webhooks": True}}}}


def test_a_run_works_off_events_and_reports_their_configurations(
    project: Project, sandbox: Driver, dagster: Dagster, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    project.normalise()
    sold = sandbox.control("sell", {"merchant_id": sandbox.merchant_id(0), "count": 2})["created"]
    keep(project, connected[0], [payment_event(each) for each in sold])
    result = dagster.run("sync_configurations", RUN_CONFIG)
    assert result.success
    assert outcomes(project) == ["processed"] * 2
    assert {"raw_square/orders", "pos_transactions"} <= materialized(result, connected[0])
    assert materialized(result, connected[1]) == set()
    assert {key: each.passed for key, each in sync_checks(result).items()} == {str(connected[0].id): True}


def _sweep() -> RunRequest | SkipReason:
    from dagster_project.defs.resources import Pos
    from dagster_project.defs.sensors import waiting_events

    answer = waiting_events(pos=Pos())
    assert isinstance(answer, RunRequest | SkipReason)
    return answer


def test_the_sweep_asks_for_one_drain_of_what_nobody_works_off(
    project: Project, dagster: Dagster, connected: list[Configuration]
) -> None:
    assert isinstance(_sweep(), SkipReason)
    keep(project, connected[0], [payment_event("any")])
    assert isinstance(_sweep(), SkipReason)  # left to the service for a moment
    project.execute("update pos_webhook_logs set available_at = now() - interval '1 minute'")
    with held_key(project.engine, webhooks.DRAIN_LOCK):
        assert isinstance(_sweep(), SkipReason)
    asked = _sweep()
    assert isinstance(asked, RunRequest)
    assert asked.run_config == RUN_CONFIG
    assert isinstance(_sweep(), SkipReason)  # the run that was asked for has not begun
    project.execute("update pos_webhook_gate set knocked_at = now() - interval '1 minute'")
    assert isinstance(_sweep(), RunRequest)  # and never did
