"""Syncs of the same and of other configurations, a backfill, drains, at once, in threads and processes."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.crashes import order_of
from benchmarks.dying import Mortals, mortals
from benchmarks.serving import in_thread as serving
from benchmarks.shops import Shops, environment, settings_of
from pipelines.drain import drain
from pipelines.sync import Outcome, sync
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project
from webhook_api.main import create_app

ROUNDS = 2
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def shops(project: Project) -> Iterator[Shops]:
    """Two accounts of every POS, connected; the vendors tell the service what happens."""
    with (
        serving(create_app()) as service,
        in_thread(Options(merchants=2, orders=40)) as url,
        environment(settings_of(url, service)),
    ):
        made = Shops(project.engine, url, service)
        made.connect()
        yield made


@pytest.fixture
def other_process() -> Iterator[Mortals]:
    """Another process that syncs."""
    with mortals() as found:
        yield found


def test_all_at_once_comes_out_as_one_after_the_other(
    project: Project, shops: Shops, other_process: Mortals
) -> None:
    selling = threading.Event()
    selling.set()
    outcomes: list[Outcome] = []

    def again(work: Callable[[], Any]) -> None:
        """While the shops sell, and once after that."""
        goes_on = True
        while goes_on:
            goes_on = selling.is_set()
            work()

    def synced(*ids: Any, **options: Any) -> None:
        outcomes.extend(sync(project.context, ids, **options).outcomes)
        project.normalise()

    def drained() -> None:
        for each in drain(project.context, project.home / "dbt", None, 30):
            outcomes.extend(each.report.outcomes)

    works: list[Callable[[], Any]] = [
        lambda: synced(*shops.ids),
        lambda: synced(*shops.ids[::2], wait=True),
        lambda: synced(*shops.ids[1::2], since=BEGINNING, wait=True),
        lambda: other_process.run(order_of(shops, "sync")),
        drained,
    ]
    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(again, work) for work in works]
        for _ in range(ROUNDS):
            shops.sell(2)
            shops.told()
        selling.clear()
        for each in running:
            each.result()
    assert {each.status for each in outcomes} <= {"succeeded", "busy"}
    assert {each.fetched.source for each in outcomes if each.fetched} == {"poll", "backfill", "webhook"}
    shops.forgive_events()
    drained()
    synced(*shops.ids, wait=True)
    assert shops.differences() + shops.repeated() + shops.unread() == []
    assert shops.claims == ROUNDS * len(shops.ids)
    assert project.rows("select * from pos_sync_logs where status = 'running'") == []
    assert project.rows("select * from pos_webhook_logs where outcome = 'pending'") == []
