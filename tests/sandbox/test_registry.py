"""Point-of-sale systems are folders; nothing outside them knows their names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sandbox.registry import find_sandboxes
from sandbox.square.driver import ROOT

FOLDER = ROOT / "sandbox"
MODULES = sorted(FOLDER.rglob("*.py"))


def test_every_folder_exports_its_record() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert set(find_sandboxes()) == folders


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_no_vendor_is_named_outside_its_folder(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()
    for name in ("square", "toast", "lightspeed"):
        assert name not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_and_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert text.count("\n") < 400
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(each for each_class in classes for each in each_class.body)]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
            if not node.name.startswith("_"):
                assert ast.get_docstring(node), node.name
