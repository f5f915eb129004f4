"""Histories that are too long for one round: the newest first, to the end, whatever comes between."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines import rounds
from pipelines.rounds import Round, sync_rounds, together
from pos_cli.demo.tie_out import compare
from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import log, windows


@pytest.fixture(autouse=True)
def _little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_DOCUMENTS", 40)
    monkeypatch.setattr(rounds, "_MOST_OF_HISTORY", 60)


def _rounds(project: Project, *configurations: Configuration, **options: Any) -> list[Round]:
    ids = [each.id for each in configurations]
    return list(sync_rounds(project.context, project.home / "dbt", ids, **options))


def _oldest(project: Project) -> datetime:
    found: datetime = project.value("select min(external_updated_at) from raw_square.orders")
    return found


def test_round_after_round_everything_comes_the_newest_first(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    oldest: list[datetime] = []
    taken: list[Round] = []
    steps = sync_rounds(project.context, project.home / "dbt", [each.id for each in connected])
    for step in steps:
        taken.append(step)
        # Each round's rows are in the marts before the next begins.
        in_raw = project.value("select count(distinct external_id) from raw_square.orders")
        assert project.value("select count(distinct external_order_id) from pos_transactions") == in_raw
        if in_raw:
            oldest.append(_oldest(project))
    assert len(taken) > 2
    assert oldest == sorted(oldest, reverse=True)
    assert oldest[-1] < oldest[0]
    assert compare(project.engine, sandbox.truth()) == []
    whole = together(taken)
    assert whole.report.failed == []
    landed = sum(each.fetched.counts.documents_landed for each in whole.report.outcomes if each.fetched)
    assert landed == project.value("select sum(documents_landed) from pos_sync_logs")
    assert sum(whole.normalised.touched.values()) >= len(sandbox.orders())


def test_what_is_left_is_due_at_once_and_read_by_the_next_sync(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = connected[0]
    (only,) = _rounds(project, first, budget_seconds=0)
    (outcome,) = only.report.outcomes
    assert outcome.fetched is not None
    assert outcome.fetched.has_more
    assert project.value("select next_sync_at <= now() from pos_configurations where id = :id", id=first.id)
    gaps = windows(project, first)
    assert min(each["window_from"] for each in gaps if each["stream"] != "catalog") > first.history_from
    _rounds(project, *connected)
    assert compare(project.engine, sandbox.truth()) == []
    assert project.value("select next_sync_at > now() from pos_configurations where id = :id", id=first.id)


def test_a_range_that_was_asked_for_is_done_when_all_of_it_was_read_again(
    project: Project, connected: list[Configuration]
) -> None:
    first = connected[0]
    _rounds(project, first)
    before = windows(project, first)
    since = first.history_from or datetime(2026, 1, 1, tzinfo=UTC)
    with project.engine.begin() as connection:
        asked, _ = sync_requests.ask(connection, first.tenant_id, first.id, "test", since)

    def status() -> str:
        with project.engine.connect() as connection:
            return sync_requests.get(connection, first.tenant_id, first.id, asked.id).status

    _rounds(project, first, since=since, budget_seconds=0)
    assert status() == "queued"
    left = [each for each in windows(project, first) if each["stream"] == "orders"]
    assert min(each["window_from"] for each in left) > since
    _rounds(project, first, since=since)
    assert status() == "succeeded"
    assert windows(project, first) == before
    assert log(project, first)["source"] == "backfill"
    read = project.value(
        "select sum(documents_read) from pos_sync_logs where source = 'backfill' and documents_landed = 0"
    )
    assert read == project.value("select sum(documents_read) from pos_sync_logs where source = 'backfill'")
