"""From Toast's sandbox to the marts: every figure, twice, with a day of edits between."""

from __future__ import annotations

from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import control
from pos_core.repositories.configurations import Configuration
from sandbox.toast.driver import Driver
from tests.conftest import Project


def test_every_figure_is_the_sandboxs_own_before_and_after_edits(
    project: Project, vendor: Driver, accounts: list[Configuration]
) -> None:
    """Voids, refunds, combined checks, tips and the closeout burst of a day included; then nothing is new."""
    first = project.sync(*accounts)
    project.normalise()
    assert [outcome.error for outcome in first.outcomes] == [None] * len(accounts)
    assert project.value("select count(*) from pos_transactions") > 50
    assert compare(project.engine, control(vendor.url, "GET", "truth")) == []
    vendor.control("edits", {"round": 1})
    second = project.sync(*accounts)
    project.normalise()
    assert [outcome.error for outcome in second.outcomes] == [None] * len(accounts)
    assert compare(project.engine, control(vendor.url, "GET", "truth")) == []
    third = project.sync(*accounts)
    assert [outcome.error for outcome in third.outcomes] == [None] * len(accounts)
    assert third.loads == []


def test_nothing_is_set_aside_and_nothing_is_left_over(
    project: Project, vendor: Driver, accounts: list[Configuration]
) -> None:
    """No document is rejected or waits, and lines and headers agree on every check."""
    project.sync(*accounts)
    vendor.control("edits", {"round": 1})
    project.sync(*accounts)
    project.normalise()
    assert project.rows("select * from pos_quarantined_documents") == []
    assert project.rows("select * from pos_waiting_documents where resolved_at is null") == []
    assert project.rows("select external_id from pos_transactions where residual_amount <> 0") == []


def test_no_personal_data_is_kept(project: Project, accounts: list[Configuration]) -> None:
    """Guests, their addresses and their words are in the sandbox's answers and nowhere in raw."""
    project.sync(*accounts)
    for word in ("firstName", "@example", "tabName", "address1", "first6Digits", 'deliveryInfo":{'):
        query = "select count(*) from raw_toast.orders where payload::text like :word"
        assert project.value(query, word=f"%{word}%") == 0, word
