"""What the models leave out: one document that the database refuses among many, and its way back."""

import pytest

from pos_core.repositories import documents
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import constraint, inject, open_quarantine, order, refusing
from tests.pipelines.test_normalise import sales


def test_the_one_document_that_the_database_refuses_stops_no_other(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, order(sandbox, "bad"))
    inject(sandbox, order(sandbox, "worse", account=1), account=1)
    project.sync(*connected)
    with constraint(project, "pos_transactions", "external_id not in ('bad', 'worse')"):
        result = project.normalise()
    assert result.quarantined == 2
    assert [(row["external_id"], row["stage"]) for row in open_quarantine(project)] == [
        ("bad", "normalise"),
        ("worse", "normalise"),
    ]
    assert "pos_for_a_test" in open_quarantine(project)[0]["reason"]
    sold = [each["external_id"] for each in sandbox.truth()["transactions"]]
    assert sales(project) == sorted(sold)
    assert project.value("select count(*) from pos_transaction_items") > len(sold) / 2


@pytest.mark.parametrize("code", ["program_limit_exceeded", "statement_too_complex", "22003", "23514"])
def test_whatever_a_document_can_do_to_a_statement_is_found(
    project: Project, sandbox: Driver, connected: list[Configuration], code: str
) -> None:
    inject(sandbox, order(sandbox, "bad"))
    project.sync(connected[0])
    condition = "new.external_id = 'bad'"
    with refusing(project, "pos_transactions", condition, code):
        assert project.normalise().quarantined == 1
    assert "bad" not in sales(project)
    assert len(sales(project)) == len(sandbox.truth(0)["transactions"])


def test_after_a_fix_a_touched_document_is_taken_in(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, order(sandbox, "bad"))
    project.sync(connected[0])
    with constraint(project, "pos_transactions", "external_id <> 'bad'"):
        project.normalise()
        with project.engine.begin() as connection:
            documents.touch(connection, connected[0].id, ["bad"])
        assert project.normalise().quarantined == 1
    assert [row["external_id"] for row in open_quarantine(project)] == ["bad"]
    with project.engine.begin() as connection:
        documents.touch(connection, connected[0].id, ["bad"])
    project.normalise()
    assert "bad" in sales(project)
    assert open_quarantine(project) == []


def test_a_refused_version_leaves_the_rows_of_the_one_before_until_a_newer_one_comes(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    first = order(sandbox, "sale")
    project.replay(connected[0], "locations", sandbox.get("/v2/locations").json())
    project.replay(connected[0], "orders", first)
    project.normalise()
    version = "select external_version from pos_transactions where external_id = 'sale'"
    with constraint(project, "pos_transactions", "external_version <> 2"):
        project.replay(connected[0], "orders", {**first, "version": 2})
        project.normalise()
        assert project.value(version) == 1
        (aside,) = open_quarantine(project)
        assert (aside["external_id"], aside["stage"]) == ("sale", "normalise")
        project.replay(connected[0], "orders", {**first, "version": 3})
        project.normalise()
    assert project.value(version) == 3
    assert open_quarantine(project) == []


def test_what_a_model_refuses_is_listed_until_a_good_version_comes(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, order(sandbox, "odd", total_money={"amount": "4.50", "currency": "USD"}))
    project.sync(connected[0])
    project.normalise()
    (aside,) = open_quarantine(project)
    assert (aside["external_id"], aside["stage"]) == ("odd", "model")
    assert aside["reason"]
    inject(sandbox, order(sandbox, "odd", version=2, updated_at=sandbox.now()))
    project.sync(connected[0])
    project.normalise()
    assert open_quarantine(project) == []
    assert "odd" in sales(project)


def test_a_sale_whose_shop_is_unknown_waits_until_it_is_known(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    waiting = (
        "select external_id from pos_waiting_documents where stage = 'normalise' and resolved_at is null"
    )
    project.replay(connected[0], "orders", order(sandbox, "early"))
    project.normalise()
    assert (project.rows(waiting), sales(project)) == ([{"external_id": "early"}], [])
    project.replay(connected[0], "locations", sandbox.get("/v2/locations").json())
    project.normalise()
    assert (project.rows(waiting), sales(project)) == ([], ["early"])
