"""From the sandbox's API to the marts, compared figure by figure with what the sandbox sold."""

from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import control
from pos_core.repositories.configurations import Configuration
from sandbox.lightspeed.driver import Driver
from tests.conftest import Project


def test_every_figure_is_the_sandboxs_own_before_and_after_a_day_of_edits(
    project: Project, bakery: Driver, bakeries: list[Configuration]
) -> None:
    first = project.sync(*bakeries)
    project.normalise()
    assert [each.error for each in first.outcomes] == [None] * len(bakeries)
    assert project.value("select count(*) from pos_transactions") > 100
    assert compare(project.engine, control(bakery.url, "GET", "truth")) == []

    bakery.control("edits", {"round": 1})
    second = project.sync(*bakeries)
    changed = project.normalise().touched
    assert [each.error for each in second.outcomes] == [None] * len(bakeries)
    assert set(changed) == {each.id for each in bakeries}
    assert compare(project.engine, control(bakery.url, "GET", "truth")) == []
    assert project.rows("select * from pos_quarantined_documents where resolved_at is null") == []
    assert project.rows("select * from pos_transactions where residual_amount <> 0") == []

    third = project.sync(*bakeries)
    assert [each.error for each in third.outcomes] == [None] * len(bakeries)
    assert third.loads == []
