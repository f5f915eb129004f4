"""What events lead to: looked up, tried again, given up to the poll, refused; each once."""

from typing import Any

import pytest

from pipelines import drain as module
from pipelines.drain import drain
from pipelines.rounds import Round
from pos_core.repositories import breakers, webhooks
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations, held_key
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.events import keep, outcomes, payment_event


@pytest.fixture
def synced(project: Project, connected: list[Configuration]) -> list[Configuration]:
    """Accounts that have been read once."""
    project.sync(*connected)
    project.normalise()
    return connected


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be tried again in a moment is left to the next drain."""
    monkeypatch.setattr(module, "_LINGER_SECONDS", 0.0)


def _drain(project: Project) -> list[Round]:
    return list(drain(project.context, project.home / "dbt", None, 30))


def _sell(sandbox: Driver, count: int = 1) -> list[str]:
    body = {"merchant_id": sandbox.merchant_id(0), "count": count}
    created: list[str] = sandbox.control("sell", body)["created"]
    return created


def _rows(project: Project, ids: list[str]) -> Any:
    return project.value("select count(*) from pos_transactions where external_id = any(:ids)", ids=ids)


def test_an_order_that_is_named_is_in_the_tables_and_the_event_is_done(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    sold = _sell(sandbox, 3)
    keep(project, synced[0], [payment_event(each) for each in [*sold, *sold]])
    [done] = _drain(project)
    assert _rows(project, sold) == 3
    assert outcomes(project) == ["processed"] * 6
    assert done.normalised.touched == {synced[0].id: 3}
    assert project.value("select count(*) from pos_webhook_logs where visible_at is null") == 0
    assert project.value("select count(*) from raw_square.orders where source = 'webhook'") == 3
    next_at = project.value("select next_sync_at from pos_configurations where id = :id", id=synced[0].id)
    assert next_at == synced[0].next_sync_at or next_at > synced[0].next_sync_at
    assert _drain(project) == []


def test_what_the_vendor_does_not_have_yet_is_asked_for_again(
    project: Project, synced: list[Configuration]
) -> None:
    keep(project, synced[0], [payment_event("not-there-yet")])
    _drain(project)
    [row] = project.rows("select * from pos_webhook_logs")
    assert (row["outcome"], row["attempts"]) == ("pending", 1)
    assert row["available_at"] > row["received_at"]
    assert "does not have yet" in row["reason"]
    project.execute("update pos_webhook_logs set attempts = 11, available_at = now()")
    _drain(project)
    assert outcomes(project) == ["given_up"]
    due = "select next_sync_at <= now() from pos_configurations where id = :id"
    assert project.value(due, id=synced[0].id)


def test_a_vendor_that_cannot_be_asked_loses_no_event(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    sold = _sell(sandbox)
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": "expired"})
    keep(project, synced[0], [payment_event(each) for each in sold])
    [failed] = _drain(project)
    assert [each.status for each in failed.report.outcomes] == ["failed"]
    assert outcomes(project) == ["pending"]
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": "valid"})
    project.execute("update pos_webhook_logs set available_at = now()")
    _drain(project)
    assert outcomes(project) == ["processed"]
    assert _rows(project, sold) == 1


def test_an_access_that_was_revoked_disables_the_configuration_and_says_why(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    revoked = payment_event("", type="oauth.authorization.revoked", data={})
    keep(project, synced[0], [revoked])
    _drain(project)
    state = "select status, status_reason from pos_configurations where id = :id"
    assert project.rows(state, id=synced[0].id) == [{"status": "active", "status_reason": None}]
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": "revoked"})
    keep(project, synced[0], [revoked])
    _drain(project)
    [row] = project.rows(state, id=synced[0].id)
    assert row["status"] == "disabled"
    assert "revoked" in row["status_reason"]
    assert outcomes(project) == ["processed"] * 2


def test_events_of_a_configuration_that_another_run_has_wait(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    keep(project, synced[0], [payment_event(each) for each in _sell(sandbox)])
    with held_configurations(project.engine, [synced[0].id]):
        [busy] = _drain(project)
    assert [each.status for each in busy.report.outcomes] == ["busy"]
    [row] = project.rows("select outcome, attempts from pos_webhook_logs")
    assert row == {"outcome": "pending", "attempts": 0}


def test_events_of_a_disabled_configuration_are_ignored(
    project: Project, synced: list[Configuration]
) -> None:
    project.execute("update pos_configurations set status = 'disabled' where id = :id", id=synced[0].id)
    keep(project, synced[0], [payment_event("any")])
    _drain(project)
    assert outcomes(project) == ["ignored"]


def test_a_body_that_cannot_be_read_is_left_to_the_poll(
    project: Project, synced: list[Configuration]
) -> None:
    keep(project, synced[0], [payment_event("any")])
    project.execute("update pos_webhook_logs set body = '[1]'")
    _drain(project)
    [row] = project.rows("select outcome, reason from pos_webhook_logs")
    assert row == {"outcome": "pending", "reason": "The stored event cannot be read."}


def test_one_drain_at_a_time(project: Project, sandbox: Driver, synced: list[Configuration]) -> None:
    keep(project, synced[0], [payment_event(each) for each in _sell(sandbox)])
    with held_key(project.engine, webhooks.DRAIN_LOCK):
        assert _drain(project) == []
    assert outcomes(project) == ["pending"]


def test_the_gate_closes_unless_events_came_meanwhile(project: Project, synced: list[Configuration]) -> None:
    project.execute("update pos_webhook_gate set is_active = true, is_dirty = true")
    assert _drain(project) == []
    gate = "select is_active, is_dirty from pos_webhook_gate"
    assert project.rows(gate) == [{"is_active": False, "is_dirty": False}]
    project.execute("update pos_webhook_gate set is_active = true, is_dirty = true")
    with project.engine.begin() as connection:
        assert not webhooks.close_gate(connection)


def test_the_loss_meter_tells_announced_from_unannounced(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    sandbox.control("clock", {"advance_seconds": 600})
    told, untold = _sell(sandbox), _sell(sandbox)
    sandbox.control("clock", {"advance_seconds": 600})
    keep(project, synced[0], [payment_event(each) for each in told])
    project.execute("update pos_webhook_logs set external_ids = :ids", ids=told)
    _drain(project)
    project.sync(synced[0])
    query = """
        select changes_announced, changes_unannounced, changes_unpolled from pos_sync_logs
        where configuration_id = :id and source = 'poll' order by started_at desc limit 1
    """
    [row] = project.rows(query, id=synced[0].id)
    assert row == {
        "changes_announced": len(told),
        "changes_unannounced": len(untold),
        "changes_unpolled": 0,
    }


def test_bodies_are_forgotten_after_their_time(project: Project, synced: list[Configuration]) -> None:
    keep(project, synced[0], [payment_event("a"), payment_event("b")])
    project.execute(
        "update pos_webhook_logs set outcome = 'ignored', processed_at = now() - interval '31 days' "
        "where id = (select min(id) from pos_webhook_logs)"
    )
    _drain(project)
    assert project.value("select count(*) from pos_webhook_logs where body is not null") == 1


def test_events_of_a_vendor_that_is_down_wait_for_it_and_that_is_no_attempt(
    project: Project, sandbox: Driver, synced: list[Configuration]
) -> None:
    mine = synced[0]
    sold = _sell(sandbox)
    with project.engine.begin() as connection:
        opened = breakers.trip(connection, mine.pos_system, mine.base_url, "unreachable", is_probe=False)
    keep(project, mine, [payment_event(each) for each in sold])
    [waited] = _drain(project)
    assert [each.status for each in waited.report.outcomes] == ["postponed"]
    [event] = project.rows("select * from pos_webhook_logs")
    assert (event["outcome"], event["attempts"]) == ("pending", 0)
    assert event["available_at"] == opened.open_until
    project.execute("update pos_vendor_breakers set open_until = now()")
    project.execute("update pos_webhook_logs set available_at = now()")
    _drain(project)
    assert outcomes(project) == ["processed"]
    assert _rows(project, sold) == 1
    assert project.rows("select * from pos_vendor_breakers") == []
