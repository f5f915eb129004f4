"""Asking Dagster for runs: once, in time, and with no harm when it is down, slow, or something else."""

import logging
import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from pipelines.requests import Launch
from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from tests.conftest import Project
from tests.webhook_api.dagster_servers import Noting, nobody, noting, silent
from webhook_api.services import runs
from webhook_api.services.runs import Launcher, NotLaunchedError, UnknownLaunchError, launch

WANTED = Launch((uuid4(),), (uuid4(),), None, None)


@pytest.fixture
def dagster(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Noting]:
    """A server that the settings name as Dagster."""
    with noting() as noted:
        monkeypatch.setenv("POS_DAGSTER_URL", noted.url)
        get_settings.cache_clear()
        yield noted


def _ask(project: Project, *configurations: Configuration) -> None:
    for each in configurations:
        with project.engine.begin() as connection:
            sync_requests.ask(connection, each.tenant_id, each.id, "test")


def _launched(project: Project) -> dict[UUID, bool]:
    rows = project.rows("select configuration_id, launched_at is not null as is_so from pos_sync_requests")
    return {row["configuration_id"]: row["is_so"] for row in rows}


def test_a_run_is_asked_for_with_its_config_and_tags() -> None:
    with noting() as dagster:
        assert launch(dagster.url, WANTED) == "run-1"
    [asked] = dagster.asked
    assert asked["variables"]["runConfig"] == WANTED.run_config
    assert {"key": "pos/requested", "value": "true"} in asked["variables"]["tags"]
    assert asked["variables"]["job"]["jobName"] == "sync_configurations"


def test_where_nobody_listens_there_is_no_run() -> None:
    with pytest.raises(NotLaunchedError, match="was not reached"):
        launch(nobody(), WANTED)


def test_where_nobody_answers_in_time_there_may_be_a_run() -> None:
    with silent() as address, pytest.raises(UnknownLaunchError, match="did not answer"):
        launch(address, WANTED, timeout_seconds=0.1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": {"launchRun": {"__typename": "PythonError"}}}, "refused to launch a run: PythonError"),
        ({"data": None, "errors": [{"message": "no"}]}, "is not Dagster"),
        (b"<html>", "is not Dagster"),
        ([], "is not Dagster"),
    ],
)
def test_what_is_no_success_is_no_run(answer: object, words: str) -> None:
    with noting() as dagster:
        dagster.answer = answer
        with pytest.raises(NotLaunchedError, match=words):
            launch(dagster.url, WANTED)


def test_a_tenants_queued_requests_are_launched_once(
    project: Project, dagster: Noting, connected: list[Configuration]
) -> None:
    first, second = connected
    _ask(project, first, second)
    for _ in range(2):
        Launcher().launch_queued(first.tenant_id)
    assert dagster.configurations == [[str(first.id)]]
    assert _launched(project) == {first.id: True, second.id: False}


def test_what_was_not_launched_is_left_for_the_sweep_and_told(
    project: Project, dagster: Noting, connected: list[Configuration], caplog: pytest.LogCaptureFixture
) -> None:
    dagster.answer = {"data": {"launchRun": {"__typename": "PythonError"}}}
    _ask(project, connected[0])
    Launcher().launch_queued(connected[0].tenant_id)
    assert _launched(project) == {connected[0].id: False}
    assert "launched by the sweep" in caplog.text


def test_what_may_have_been_launched_is_not_launched_again_at_once(
    project: Project, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(project, connected[0])
    with silent() as address:
        monkeypatch.setenv("POS_DAGSTER_URL", address)
        get_settings.cache_clear()
        Launcher().launch_queued(connected[0].tenant_id)
    assert _launched(project) == {connected[0].id: True}


def test_while_one_launch_is_on_its_way_the_next_is_left_to_it(
    project: Project, dagster: Noting, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst of requests is few runs, and threads do not pile up behind a slow Dagster."""
    first, second = connected
    launcher, is_asked, may_go_on = Launcher(), threading.Event(), threading.Event()
    original = runs.launch

    def slowly(address: str, wanted: Launch) -> str:
        is_asked.set()
        may_go_on.wait()
        return original(address, wanted)

    monkeypatch.setattr(runs, "launch", slowly)
    _ask(project, first)
    thread = threading.Thread(target=launcher.launch_queued, args=(first.tenant_id,))
    thread.start()
    is_asked.wait()
    _ask(project, second)
    launcher.launch_queued(second.tenant_id)
    assert _launched(project) == {first.id: True, second.id: False}
    may_go_on.set()
    thread.join()
    assert dagster.configurations == [[str(first.id)], [str(second.id)]]


def test_a_failure_of_the_database_is_logged_and_raised_to_nobody(
    project: Project, dagster: Noting, connected: list[Configuration], caplog: pytest.LogCaptureFixture
) -> None:
    _ask(project, connected[0])
    project.execute("alter table pos_sync_requests rename to pos_elsewhere")
    try:
        with caplog.at_level(logging.ERROR):
            Launcher().launch_queued(connected[0].tenant_id)
    finally:
        project.execute("alter table pos_elsewhere rename to pos_sync_requests")
    assert "launching a sync failed (ProgrammingError)" in caplog.text
    assert dagster.asked == []
