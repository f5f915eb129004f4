"""The unit tests that stand beside the models pass on a real server, each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.models.history import ROOT, History

FOLDERS = sorted({path.parent for path in (ROOT / "models").rglob("*_unit_tests.yml")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_unit_test_beside_the_models_passes(history: History, folder: Path) -> None:
    written = [
        each["name"]
        for path in folder.glob("*_unit_tests.yml")
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
    ]
    selection = f"path:{folder.relative_to(ROOT)},test_type:unit"
    results = history.dbt.invoke("test", "--select", selection).results
    assert sorted(result.node.name for result in results) == sorted(written)
    assert {result.node.name for result in results if str(result.status) != "pass"} == set()
