"""Raw to marts: which loads are taken, what readers see meanwhile, and when all is built again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from pipelines import models
from pipelines import normalise as normalise_module
from pipelines.models import Statement
from pipelines.normalise import normalise
from pos_cli.demo.tie_out import compare
from pos_core.errors import TransformError
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import inject, order, refusing


def sales(project: Project) -> list[str]:
    """The documents that have rows."""
    return [row["external_id"] for row in project.rows("select external_id from pos_transactions order by 1")]


def test_a_load_that_commits_late_is_normalised_all_the_same(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """An earlier load becomes complete after a later one was normalised."""
    (early,) = project.sync(connected[0]).loads
    held = project.rows("select * from raw_square._dlt_loads where load_id = :load", load=early[1])[0]
    project.execute("delete from raw_square._dlt_loads where load_id = :load", load=early[1])
    (late,) = project.sync(connected[1]).loads
    assert early[1] < late[1]
    project.normalise()
    assert len(sales(project)) == len(sandbox.truth(1)["transactions"])
    project.execute(
        "insert into raw_square._dlt_loads values"
        " (:load_id, :schema_name, :status, :inserted_at, :schema_version_hash)",
        **held,
    )
    project.normalise()
    assert compare(project.engine, sandbox.truth()) == []


def test_a_load_that_never_completed_is_not_looked_at(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    """One table of a failed load is filled: nothing of it may show, and nothing is held for known."""
    inject(sandbox, order(sandbox, "half-landed"))
    with refusing(project, "raw_square.catalog"):
        assert project.sync(connected[0]).loads == []
    project.normalise()
    assert sales(project) == []
    project.sync(connected[0])
    project.normalise()
    assert "half-landed" in sales(project)
    assert project.value("select count(*) from pos_transactions where external_id = 'half-landed'") == 1


def test_normalising_with_nothing_new_does_nothing(project: Project, connected: list[Configuration]) -> None:
    project.sync(*connected)
    first = project.normalise()
    assert first.batches == 1
    assert sum(first.touched.values()) == len(sales(project))
    again = project.normalise()
    assert (again.batches, again.touched, again.rebuilt) == (0, {}, False)


def test_readers_see_the_marts_of_a_batch_all_at_once(
    project: Project, sandbox: Driver, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each statement of the batch another connection looks: all is as it was before."""
    project.sync(connected[0])
    project.normalise()
    before = project.marts()
    sandbox.control("edits", {"round": 1})
    project.sync(*connected)
    run, looks = normalise_module._run, []

    def run_and_look(connection: Connection, statement: Statement) -> None:
        run(connection, statement)
        looks.append(project.marts() == before)

    monkeypatch.setattr(normalise_module, "_run", run_and_look)
    project.normalise()
    assert len(looks) > 5
    assert all(looks)
    assert project.marts() != before
    assert compare(project.engine, sandbox.truth()) == []


def test_a_batch_that_fails_leaves_everything_as_it_was_and_is_taken_again(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.sync(*connected)
    with refusing(project, "pos_transaction_payments"), pytest.raises(Exception, match="refused for a test"):
        project.normalise()
    assert sales(project) == []
    assert project.rows("select * from pos_normalised_loads") == []
    project.normalise()
    assert compare(project.engine, sandbox.truth()) == []


def test_a_touched_configuration_is_normalised_anew(project: Project, connected: list[Configuration]) -> None:
    """The business day begins later: what was sold in the night belongs to the day before."""
    project.sync(connected[0])
    project.normalise()
    project.execute("update pos_configurations set day_starts_at = '23:59'")
    project.execute("insert into pos_touched_documents (configuration_id) values (:id)", id=connected[0].id)
    before = project.rows("select external_id, business_date from pos_transactions order by 1")
    assert project.normalise().touched == {connected[0].id: len(before)}
    assert project.rows("select external_id, business_date from pos_transactions order by 1") != before
    assert project.rows("select * from pos_touched_documents") == []


def test_a_large_batch_in_parts_makes_the_same_rows_and_shows_as_one(
    project: Project, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sync(*connected)
    whole = project.normalise()
    before = project.marts()
    for configuration in connected:
        project.execute(
            "insert into pos_touched_documents (configuration_id) values (:id)", id=configuration.id
        )
    monkeypatch.setattr("pipelines.normalise._DOCUMENTS_AT_ONCE", 7)
    parts = project.normalise()
    assert parts.batches == 1
    assert parts.touched == whole.touched
    assert sum(parts.touched.values()) > 7
    assert project.marts() == before
    assert project.value("select count(distinct normalized_at) from pos_transactions") == 1


def test_another_process_without_the_kept_statements_goes_on(
    project: Project, sandbox: Driver, connected: list[Configuration], tmp_path: Path
) -> None:
    """The database was built by somebody else; this one has an empty folder."""
    project.sync(connected[0])
    result = normalise(project.engine, project.address, tmp_path / "new" / "dbt")
    assert (result.rebuilt, result.batches) == (False, 1)
    assert compare(project.engine, sandbox.truth(0)) == []


@pytest.fixture
def changed_models(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The models are other than those that the marts were built with."""
    current = models.fingerprint()
    monkeypatch.setattr(models, "fingerprint", lambda: "changed")
    yield
    project.execute("update pos_model_builds set fingerprint = :current", current=current)


@pytest.mark.usefixtures("changed_models")
def test_changed_models_build_the_marts_again(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    project.sync(connected[0])
    project.execute(
        "insert into pos_quarantined_documents (tenant_id, configuration_id, pos_system, stream, external_id,"
        " content_hash, stage, reason) select tenant_id::uuid, configuration_id::uuid, 'square', 'orders',"
        " external_id, content_hash, 'normalise', 'an old fault' from raw_square.orders limit 5"
    )
    assert project.normalise().rebuilt is True
    assert compare(project.engine, sandbox.truth(0)) == []
    assert project.rows("select * from pos_quarantined_documents where resolved_at is null") == []
    assert project.normalise().rebuilt is False


@pytest.fixture
def poisoned_build(project: Project) -> Iterator[None]:
    """Whenever the table of sales is made anew, it refuses one document."""
    project.execute("""
        create function public.pos_poison() returns event_trigger language plpgsql as $$
        declare made text;
        begin
            select object_identity into made from pg_event_trigger_ddl_commands()
            where command_tag = 'CREATE TABLE' and object_identity ~ 'pos_transactions(__dbt_tmp)?$';
            if made is not null then
                execute 'alter table ' || made
                    || ' add constraint pos_for_a_test check (external_id <> ''bad'')';
            end if;
        end $$
    """)
    project.execute(
        "create event trigger pos_poison on ddl_command_end when tag in ('CREATE TABLE')"
        " execute function public.pos_poison()"
    )
    yield
    project.execute("drop event trigger pos_poison")
    project.execute("drop function public.pos_poison()")
    project.execute("alter table pos_transactions drop constraint if exists pos_for_a_test")


@pytest.mark.usefixtures("changed_models", "poisoned_build")
def test_a_document_that_stops_the_building_is_found_and_the_others_are_built(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, order(sandbox, "bad"))
    project.sync(connected[0])
    result = project.normalise()
    assert (result.rebuilt, result.quarantined) == (True, 1)
    aside = project.rows(
        "select external_id, stage, reason from pos_quarantined_documents where resolved_at is null"
    )
    assert [(row["external_id"], row["stage"]) for row in aside] == [("bad", "normalise")]
    assert "pos_for_a_test" in aside[0]["reason"]
    truth = sandbox.truth(0)
    truth["transactions"] = [each for each in truth["transactions"] if each["external_id"] != "bad"]
    assert compare(project.engine, truth) == []


@pytest.mark.usefixtures("changed_models")
def test_models_that_cannot_be_built_say_so_and_set_nothing_aside(
    project: Project, connected: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sync(connected[0])

    def broken(*_arguments: Any) -> None:
        raise TransformError("dbt build failed: a model is wrong")

    monkeypatch.setattr(models, "build", broken)
    with pytest.raises(TransformError, match="a model is wrong"):
        project.normalise()
    assert project.rows("select * from pos_quarantined_documents") == []
    assert project.rows("select * from pos_normalised_loads") == []
