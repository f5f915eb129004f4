"""Syncing configurations against the sandbox, into the real database."""

from pos_cli.demo.tie_out import compare
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project


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
    before = project.value("select count(*) from raw_square.orders")
    report = project.sync(*connected)
    assert report.loads == []
    assert project.value("select count(*) from raw_square.orders") == before
