"""The dbt project as the normaliser runs it."""

from pathlib import Path

import pytest

from pipelines import models
from pos_core.database.address import DatabaseAddress
from pos_core.errors import TransformError
from tests.conftest import Project

NOWHERE = DatabaseAddress.parse("postgresql://somebody:open-sesame@127.0.0.1:9/pos")


def test_the_fingerprint_changes_with_any_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PROJECT_ROOT", tmp_path)
    seen = set()
    model = tmp_path / "models" / "marts" / "sales.sql"
    model.parent.mkdir(parents=True)
    for path, text in (
        (model, "select 1"),
        (model, "select 2"),
        (model.with_suffix(".yml"), "models: []"),
        (tmp_path / "dbt_project.yml", "name: x"),
    ):
        path.write_text(text, encoding="utf-8")
        models.fingerprint.cache_clear()
        seen.add(models.fingerprint())
    model.with_suffix(".md").write_text("words", encoding="utf-8")
    models.fingerprint.cache_clear()
    assert models.fingerprint() in seen
    assert len(seen) == 4
    models.fingerprint.cache_clear()


def test_statements_come_in_the_order_they_depend_on_each_other(project: Project) -> None:
    statements = models.statements(project.address, project.home / "dbt")
    names = [each.name for each in statements]
    assert names.index(models.BATCH_MODEL) < names.index("pos_transactions")
    assert names.index("pos_transactions") < names.index("pos_transaction_items")
    assert {each.kind for each in statements} == {"table", "incremental"}
    for each in statements:
        assert bool(each.batch_delete) is (each.kind == "incremental")
        assert "ref(" not in each.sql


def test_statements_are_compiled_once_and_kept(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = models.statements(project.address, project.home / "dbt")
    monkeypatch.setattr(models, "_compile", None)
    assert models.statements(project.address, project.home / "dbt") == first
    with pytest.raises(TypeError):
        models.statements(project.address, tmp_path / "another")


def test_a_failure_of_dbt_is_one_line_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(TransformError) as caught:
        models.invoke(NOWHERE, tmp_path, ["run", "--select", "pos_transactions"])
    assert caught.value.message.startswith("dbt run failed: ")
    assert "\n" not in caught.value.message
    assert "open-sesame" not in caught.value.message


def test_a_command_that_does_not_exist_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match="dbt bake failed: No such command 'bake'"):
        models.invoke(None, tmp_path, ["bake"])


def test_the_environment_is_as_it_was_after_dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "as-before")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(TransformError):
        models.invoke(NOWHERE, tmp_path, ["bake"])
    import os

    assert os.environ["PGHOST"] == "as-before"
    assert "PGPASSWORD" not in os.environ


def test_the_manifest_names_every_mart_and_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project.home / "dbt"
    manifest = models.manifest(folder)
    marts = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert {"pos_transactions", "pos_transaction_items", "pos_transaction_payments"} <= marts
    monkeypatch.setattr(models, "invoke", None)
    assert models.manifest(folder) == manifest
