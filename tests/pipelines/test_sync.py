"""Syncing configurations against the sandbox, into the real database."""

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pipelines import sync as sync_module
from pipelines.fetch import Fetched
from pipelines.sync import Outcome, Report, record_documents
from pos_cli.demo.tie_out import compare
from pos_core.errors import ConfigurationError
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import calls, fault, inject, log, no_faults, order, refusing, windows


def raw_counts(project: Project) -> dict[str, int]:
    """Rows of each raw table."""
    return {
        stream: project.value(f"select count(*) from raw_square.{stream}")
        for stream in ("orders", "payments", "refunds", "locations", "catalog")
    }


def repeated(project: Project) -> int:
    """Versions that raw holds more than once."""
    return int(
        project.value(
            "select count(*) - count(distinct (configuration_id, external_id, content_hash))"
            " from raw_square.orders"
        )
    )


def test_every_figure_is_the_sandboxs_own(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    report = project.sync(*connected)
    project.normalise()
    assert [outcome.status for outcome in report.outcomes] == ["succeeded"] * len(connected)
    assert project.value("select count(*) from pos_transactions") > 50
    assert compare(project.engine, sandbox.truth()) == []


def test_a_second_sync_with_nothing_new_lands_nothing(
    project: Project, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    before = raw_counts(project)
    report = project.sync(*connected)
    assert report.loads == []
    assert raw_counts(project) == before
    assert log(project, connected[0])["documents_landed"] == 0


def test_late_edits_refunds_and_offline_sales_arrive_with_the_next_sync(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    project.normalise()
    for number in (1, 2):
        sandbox.control("edits", {"round": number})
        project.sync(*connected)
        project.normalise()
        assert compare(project.engine, sandbox.truth()) == []
    late = project.value(
        "select count(*) from pos_transactions where external_updated_at > occurred_at + interval '1 day'"
    )
    assert late > 0


def test_a_sync_through_a_storm_of_faults_ends_with_the_same_figures(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    for kind in ("reset", "truncate", "status"):
        fault(sandbox, kind, rate=0.15, status=429 if kind == "status" else 503)
    fault(sandbox, "expire_cursors", rate=0.5)
    report = project.sync(*connected)
    assert [outcome.error for outcome in report.outcomes] == [None, None]
    no_faults(sandbox)
    project.normalise()
    assert compare(project.engine, sandbox.truth()) == []
    assert sum(log(project, each)["retries"] for each in connected) > 0


def test_windows_count_only_once_their_documents_are_loaded(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    with refusing(project, "raw_square.orders"):
        report = project.sync(*connected)
    assert [outcome.status for outcome in report.outcomes] == ["failed", "failed"]
    assert report.loads == []
    for each in connected:
        assert windows(project, each) == []
        row = log(project, each)
        assert (row["status"], row["error_class"]) == ("failed", "landing")
    assert project.value("select count(*) from raw_square._dlt_loads") == 0
    project.normalise()
    assert project.value("select count(*) from pos_transactions") == 0
    project.sync(*connected)
    project.normalise()
    assert compare(project.engine, sandbox.truth()) == []
    assert all(windows(project, each) for each in connected)


def test_what_was_read_before_a_failure_counts_and_the_rest_is_read_by_the_next_sync(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = connected[0]
    fault(sandbox, "status", "/v2/orders/search", status=503)
    (outcome,) = project.sync(first).outcomes
    assert (outcome.status, outcome.fetched and outcome.fetched.error and outcome.fetched.error[0]) == (
        "failed",
        "vendor_fault",
    )
    assert {row["stream"] for row in windows(project, first)} == {"catalog", "payments", "refunds"}
    no_faults(sandbox)
    sandbox.http.delete("/_sandbox/calls")
    project.sync(first)
    assert {row["stream"] for row in windows(project, first)} == {"catalog", "payments", "refunds", "orders"}
    assert (raw_counts(project)["orders"], repeated(project)) == (len(sandbox.orders()), 0)
    assert log(project, first)["documents_landed"] >= len(sandbox.orders())


@pytest.mark.parametrize(
    ("state", "word", "error_class"),
    [
        ("expired", "expired", "auth"),
        ("revoked", "revoked", "auth"),
        ("insufficient_scopes", "ORDERS_READ", "permission"),
    ],
)
def test_one_tenants_token_is_its_own_failure(
    project: Project,
    sandbox: Driver,
    connected: list[Configuration],
    state: str,
    word: str,
    error_class: str,
) -> None:
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": state})
    report = project.sync(*connected)
    bad, good = (next(o for o in report.outcomes if o.configuration.id == each.id) for each in connected)
    assert (bad.status, good.status) == ("failed", "succeeded")
    assert bad.error is not None
    assert word in bad.error
    assert log(project, connected[0])["error_class"] == error_class
    with project.engine.connect() as connection:
        asked_again = [configurations.get(connection, each.id) for each in connected]
    assert [each.consecutive_failures for each in asked_again] == [1, 0]
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": "valid"})
    assert project.sync(connected[0]).failed == []


def test_a_vendor_that_limits_one_tenant_for_ever_fails_that_one_alone(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    fault(sandbox, "status", status=429, merchant_id=sandbox.merchant_id(1))
    report = project.sync(*connected)
    assert {outcome.configuration.id: outcome.status for outcome in report.outcomes} == {
        connected[0].id: "succeeded",
        connected[1].id: "failed",
    }
    assert log(project, connected[1])["error_class"] == "rate_limit"


def test_a_disabled_configuration_is_refused_and_the_vendor_not_asked(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    with project.engine.begin() as connection:
        configurations.disable(connection, connected[0].id, "the bakery closed", Actor("test"))
    sandbox.http.delete("/_sandbox/calls")
    (outcome,) = project.sync(connected[0]).outcomes
    assert outcome.status == "failed"
    assert outcome.error == f"{connected[0].name} is disabled: the bakery closed."
    assert calls(sandbox, "/v2/locations") == 0


def test_an_unknown_configuration_is_an_error(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="There is no configuration"):
        sync_module.sync(project.context, [uuid4()])


def test_orders_read_too_early_are_waited_for_and_land_complete(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = connected[0]
    project.sync(first)
    sandbox.control("settings", {"lag_reads": 2})
    sold = sandbox.control("sell", {"merchant_id": sandbox.merchant_id(0), "count": 3})["created"]
    early = "select count(*) from raw_square.orders where external_id = any(:sold)"
    project.sync(first)
    assert log(project, first)["documents_waiting"] == len(sold)
    assert project.value(early, sold=sold) == 0
    for _ in range(2):
        project.sync(first)
    assert project.value(early, sold=sold) == len(sold)
    assert project.rows("select * from pos_waiting_documents where resolved_at is null") == []
    project.normalise()
    assert compare(project.engine, sandbox.truth(0)) == []


def test_an_order_that_stays_incomplete_lands_as_it_is_after_a_day(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, order(sandbox, "bare", line_items=None))
    project.sync(connected[0])
    landed = "select count(*) from raw_square.orders where external_id = 'bare'"
    assert project.value(landed) == 0
    project.execute("update pos_waiting_documents set give_up_at = now() - interval '1 second'")
    project.sync(connected[0])
    assert project.value(landed) == 1
    project.sync(connected[0])
    assert project.value(landed) == 1


def test_two_syncs_of_one_configuration_at_once_land_as_one_would(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = connected[0]
    with held_configurations(project.engine, [first.id]) as ours:
        assert ours == [first.id]
        (outcome,) = project.sync(first).outcomes
        assert outcome.status == "busy"
        assert project.rows("select * from pos_sync_logs") == []
    reports: list[Report] = []
    threads = [
        threading.Thread(target=lambda: reports.append(project.sync(first, wait=True))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.status for report in reports for outcome in report.outcomes] == ["succeeded"] * 2
    assert project.value("select count(*) from raw_square.orders") == len(sandbox.orders())
    assert repeated(project) == 0


def test_a_configuration_named_twice_is_synced_once(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    report = project.sync(connected[0], connected[0])
    assert len(report.outcomes) == 1
    assert project.value("select count(*) from raw_square.orders") == len(sandbox.orders())


def test_a_backfill_reads_again_and_lands_only_what_is_new(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    before = raw_counts(project)
    project.sync(connected[0], since=datetime(2020, 1, 1, tzinfo=UTC))
    row = log(project, connected[0])
    assert row["source"] == "backfill"
    assert row["documents_read"] > len(sandbox.orders())
    assert (row["documents_landed"], raw_counts(project)) == (0, before)


def test_a_shop_of_another_live_configuration_is_not_counted_twice(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """The windows of such a configuration do not count, so nothing is lost once it is settled."""
    project.execute(
        "update pos_configuration_locations set configuration_id = :other where configuration_id = :id",
        other=connected[1].id,
        id=connected[0].id,
    )
    project.execute(
        "update pos_configuration_locations set tenant_id = :tenant", tenant=connected[0].tenant_id
    )
    (outcome,) = project.sync(connected[0]).outcomes
    assert outcome.status == "failed"
    assert "already live under another configuration" in str(outcome.error)
    assert windows(project, connected[0]) == []


def test_more_documents_than_a_statement_takes_parameters_are_settled(
    project: Project, connected: list[Configuration]
) -> None:
    fetched = Fetched(connected[0], uuid4(), "poll")
    fetched.landed["orders"] = [f"order-{number}" for number in range(70_000)]
    with project.engine.begin() as connection:
        record_documents(connection, {}, fetched)


def test_two_reports_are_one_with_the_last_outcome_and_the_figures_of_both(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = project.sync(connected[0])
    sandbox.control("sell", {"merchant_id": sandbox.merchant_id(0), "count": 2})
    second = project.sync(*connected[:2])
    busy = Report([Outcome(connected[0], "busy")])
    landed = [report.outcomes[0].fetched.counts.documents_landed for report in (first, second)]  # type: ignore[union-attr]
    together = first.then(second).then(busy)
    assert [(each.configuration.id, each.status) for each in together.outcomes] == [
        (each.id, "succeeded") for each in connected[:2]
    ]
    counted = together.outcomes[0].fetched
    assert counted is not None
    assert counted.counts.documents_landed == sum(landed) == sum(counted.news.values())
    assert together.loads == first.loads + second.loads
