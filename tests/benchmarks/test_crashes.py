"""Killed at every commit and at random: the ledger never says too much, and the rows come out as sold."""

from collections.abc import Iterator

import pytest

from benchmarks.crashes import Crashes, kill_at_commits, kill_at_random
from benchmarks.dying import Mortals, mortals
from benchmarks.serving import in_thread as serving
from benchmarks.shops import Shops, environment, settings_of
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project
from webhook_api.main import create_app


@pytest.fixture
def shops(project: Project) -> Iterator[Shops]:
    """An account of every POS, connected; the vendors tell the service what happens."""
    with (
        serving(create_app()) as service,
        in_thread(Options(scale="small", merchants=1, orders=20)) as url,
        environment(settings_of(url, service)),
    ):
        made = Shops(project.engine, url, service)
        made.connect()
        yield made


@pytest.fixture(scope="module")
def dying() -> Iterator[Mortals]:
    """What is forked to be killed."""
    with mortals() as found:
        yield found


def test_a_sync_is_killed_at_every_commit(shops: Shops, dying: Mortals) -> None:
    found = kill_at_commits(shops, dying, "sync", is_thorough=False)
    places = {point.split()[1] for point in found.points if ":" in point}
    assert places >= {"sync", "_begin", "land", "_settle", "_ensure_built", "_one_batch"}
    assert any(point.startswith("dlt") for point in found.points)
    assert any("_dlt_loads" in point for point in found.points)
    _assert_all_is_well(shops, dying, found)


def test_a_drain_is_killed_at_every_commit(shops: Shops, dying: Mortals) -> None:
    """But where a sync commits the same: landing and normalising."""
    own = ("pipelines/drain.py", "pipelines/sync.py")
    found = kill_at_commits(shops, dying, "drain", is_thorough=False, places=own)
    places = {point.split()[1] for point in found.points}
    assert places == {"drain", "_round", "_work_off", "_settle", "_linger"}
    _assert_all_is_well(shops, dying, found)


def test_syncs_and_drains_are_killed_at_any_time(shops: Shops, dying: Mortals) -> None:
    found = kill_at_random(shops, dying, kills=6)
    assert found.kills == 6
    _assert_all_is_well(shops, dying, found)


def _assert_all_is_well(shops: Shops, dying: Mortals, found: Crashes) -> None:
    found.end(shops, dying)
    assert found.wrong == []
    assert shops.claims > found.kills  # the ledger has said of sales of most rounds that they were read
