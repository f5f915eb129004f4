"""The rules of the layout: who may name a vendor, who may import whom, what a POS folder holds."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.connector import Connector
from pipelines.registry import connectors
from pos_core.settings import PROJECT_ROOT

VENDORS = ("square", "toast", "lightspeed")
NO_VENDORS = "toast_tuple_target"  # PostgreSQL's own name of a setting
PACKAGES = {path.parent.name for path in PROJECT_ROOT.glob("*/__init__.py")}
MAY_IMPORT = {
    "pos_core": {"pos_core"},
    "pipelines": {"pos_core", "pipelines"},
    "dagster_project": {"pos_core", "pipelines", "dagster_project"},
    "webhook_api": {"pos_core", "pipelines", "webhook_api"},
    "sandbox": {"sandbox"},
}
POS_FILES = (
    "__init__.py", "source.py", "client.py", "settings.py", "documents.py", "webhook.py", "README.md",
)  # fmt: skip
README_SECTIONS = ("What is read", "Credentials", "Webhooks", "Traps", "Personal data")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
# Built or installed, never written by hand; hidden folders are left out as well.
NOT_OURS = {"build", "dist", "target", "logs", "__pycache__", "node_modules"}
# What is measured in seconds may be a float; nothing else is one where money passes.
SECONDS = re.compile(r"(^|_)seconds$|retry_after")
# Comments and quoted texts: an account of the type FLOAT is no number.
NO_SQL = re.compile(r"--[^\n]*|\{#[\s\S]*?#\}|'[^'\n]*'|\"[^\"\n]*\"")
INEXACT_SQL = re.compile(
    r"\bdouble\s+precision\b|\bfloat[48]?\b|(::|\bas\s+|data_type:\s*)real\b", re.IGNORECASE
)


def _files(*suffixes: str) -> list[Path]:
    """The project's own files with these endings, as paths from its root."""
    found = []
    for folder, folders, names in os.walk(PROJECT_ROOT):
        folders[:] = [
            each
            for each in folders
            if each not in NOT_OURS and not each.startswith(".") and not each.endswith(".egg-info")
        ]
        found += [Path(folder, name).relative_to(PROJECT_ROOT) for name in names if name.endswith(suffixes)]
    return sorted(found)


def _text(path: Path) -> str:
    return (PROJECT_ROOT / path).read_text(encoding="utf-8")


def _is_of(path: Path, vendor: str) -> bool:
    """Whether a file may name this vendor."""
    homes = (f"pipelines/{vendor}/", f"models/staging/{vendor}/", f"sandbox/{vendor}/", "tests/")
    return path.as_posix().startswith(homes)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_is_named_in_its_own_folders_alone(vendor: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in _files(".py", ".sql", ".yml", ".yaml")
        if not _is_of(path, vendor)
        for number, line in enumerate(_text(path).splitlines(), 1)
        if vendor in line.lower().replace(NO_VENDORS, "")
        and not (path.name == "dbt_project.yml" and "pos_systems:" in line)
    ]
    assert found == []


def test_the_registry_variable_of_the_models_names_the_connectors() -> None:
    [line] = [line for line in _text(Path("dbt_project.yml")).splitlines() if "pos_systems:" in line]
    assert line.split("[")[1].rstrip("]").replace(" ", "").split(",") == list(connectors())


@pytest.mark.parametrize("pos_system", sorted(connectors()))
def test_a_pos_folder_has_its_fixed_parts(pos_system: str) -> None:
    folder = PROJECT_ROOT / "pipelines" / pos_system
    assert isinstance(connectors()[pos_system], Connector)
    assert [name for name in POS_FILES if not (folder / name).is_file()] == []
    assert list((folder / "migrations").glob(f"{pos_system}_*.py"))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", readme, re.MULTILINE)
    assert [each for each in README_SECTIONS if each not in sections] == []
    assert list((PROJECT_ROOT / "models" / "staging" / pos_system).glob("stg_*.sql"))
    assert (PROJECT_ROOT / "sandbox" / pos_system).is_dir()


@pytest.mark.parametrize("pos_system", sorted(connectors()))
def test_the_readme_of_a_pos_names_each_stream_and_what_it_needs(pos_system: str) -> None:
    readme = _text(Path("pipelines", pos_system, "README.md"))
    assert [each.name for each in connectors()[pos_system].streams if f"`{each.name}`" not in readme] == []
    assert f"{pos_system.upper()}_BASE_URL" in readme
    assert "pos configurations create" in readme


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path)
        for path in _files(".py")
        if _text(path).strip() and ast.get_docstring(ast.parse(_text(path))) is None
    ]
    assert silent == []


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_go_one_way(package: str) -> None:
    found = [
        f"{path} imports {name}"
        for path in _files(".py")
        if path.parts[0] == package
        for name in _imports(path)
        if name in PACKAGES and name not in MAY_IMPORT[package]
    ]
    assert found == []


def test_the_api_starts_without_what_takes_seconds_to_import() -> None:
    code = "import sys, webhook_api.main; print(sorted({'dagster', 'dlt', 'dbt'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def _imports(path: Path) -> Iterator[str]:
    """The first words of what a file imports, inside functions too."""
    for node in ast.walk(ast.parse(_text(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    written = (".py", ".sql", ".yml", ".yaml", ".md", ".toml")
    long = {
        str(path): lines
        for path in _files(*written)
        if (lines := len(_text(path).splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {length}"
        for path in _files(".py")
        for node in ast.walk(ast.parse(_text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
        and "migrations" not in path.parts
    ]
    assert long == []


def test_money_never_passes_through_a_float_in_python() -> None:
    found = [
        f"{path}:{line}"
        for path in _files(".py")
        if path.parts[0] in {"pipelines", "pos_core"}
        for line in _floats(ast.parse(_text(path)), ())
    ]
    assert found == []


def test_money_never_passes_through_a_float_in_sql() -> None:
    found = [
        f"{path}: {match.group()}"
        for path in _files(".sql", ".yml")
        if path.parts[0] in {"models", "dbt"}
        for match in INEXACT_SQL.finditer(NO_SQL.sub("", _text(path)))
    ]
    assert found == []


def _floats(node: ast.AST, names: tuple[str, ...]) -> Iterator[int]:
    """The lines with a float that no name around it says to be seconds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        names = (*names, node.name)
    elif isinstance(node, ast.arg):
        names = (*names, node.arg)
    elif isinstance(node, ast.AnnAssign | ast.Assign):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        names = (*names, *(ast.unparse(target).rpartition(".")[2] for target in targets))
    if isinstance(node, ast.Name) and node.id == "float" and not any(map(SECONDS.search, names)):
        yield node.lineno
    for child in ast.iter_child_nodes(node):
        yield from _floats(child, names)


_DUMMY = '''"""A POS that was dropped in."""

from pipelines.connector import Connector, Stream
from pipelines.webhook import Webhook


def nothing(*_given):
    return iter(())


CONNECTOR = Connector(
    pos_system="dummy",
    title="Dummy",
    streams=(Stream("receipts"), Stream("shops", holds_locations=True)),
    sales_stream="receipts",
    webhook=Webhook(
        scopes=frozenset({"application"}),
        event_types=("receipt.printed",),
        headers=("x-dummy-signature",),
        **{name: nothing for name in Webhook.__dataclass_fields__
           if name not in {"scopes", "event_types", "headers"}},
    ),
    **{name: nothing for name in Connector.__dataclass_fields__
       if name not in {"pos_system", "title", "streams", "sales_stream", "webhook"}},
)
'''
_SHOW = """
from pipelines.registry import connectors, database_metadata
from dagster_project.definitions import defs

graph = defs.get_repository_def().asset_graph
print(*connectors())
print(*sorted(key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] == "raw_dummy"))
checked = [key.asset_key for key in graph.asset_check_keys if key.name == "configuration_synced"]
print(*(key.to_user_string() for key in checked))
print(*sorted(name for name in database_metadata().tables if name.startswith("raw_dummy.")))
"""


def test_a_pos_that_is_dropped_in_has_its_assets_its_check_and_its_tables(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for part in ("pos_core", "pipelines", "dagster_project", "models", "dbt"):
        shutil.copytree(PROJECT_ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT_ROOT / "dbt_project.yml", clone)
    (clone / "pipelines" / "dummy").mkdir()
    (clone / "pipelines" / "dummy" / "__init__.py").write_text(_DUMMY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _SHOW],
        cwd=clone,
        env={**os.environ, "POS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, assets, checks, tables = done.stdout.splitlines()
    assert names.split() == sorted([*connectors(), "dummy"])
    assert assets.split() == ["raw_dummy/receipts", "raw_dummy/shops"]
    assert "raw_dummy/receipts" in checks.split()
    assert {"raw_dummy.receipts", "raw_dummy.shops"} <= set(tables.split())
