"""The dbt project as the normaliser runs it: built once, compiled once, then plain SQL.

dbt builds the marts over the whole history when the models are new or have changed. After that each batch
runs dbt's own compiled statements in one transaction, so that readers see all marts of a batch at once and
a batch costs milliseconds where dbt's run loop costs a second (docs/decisions/0003-normalising.md).
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import get_engine
from pos_core.errors import TransformError
from pos_core.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

BATCH_MODEL = "int_documents_touched"
REJECTED_MODEL = "int_documents_rejected"
WAITING_MODEL = "int_documents_waiting"
_FORMAT = "1"  # of the kept statements
_SOURCES = ("dbt_project.yml", "models/**/*", "dbt/**/*")


@dataclass(frozen=True)
class Statement:
    """One compiled model.

    Args:
        kind: `table` (refilled for each batch) or `incremental` (the batch's rows are replaced).
        relation: the quoted name of the table.
        batch_delete: for an incremental model, the condition that finds the batch's old rows.
    """

    name: str
    kind: str
    relation: str
    sql: str
    batch_delete: str = ""


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Changes whenever the models or dbt do."""
    digest = hashlib.sha256(f"{_FORMAT}:{version('dbt-core')}:{version('dbt-postgres')}".encode())
    for pattern in _SOURCES:
        for path in sorted(PROJECT_ROOT.glob(pattern)):
            if path.is_file() and path.suffix in {".sql", ".yml", ".csv"}:
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def build(address: DatabaseAddress, folder: Path) -> None:
    """Builds every model over the whole history; what was there is replaced.

    Raises:
        TransformError: a model failed; the message is dbt's first.
    """
    _forget_statements(folder)
    only = ["--resource-type", "seed", "--resource-type", "model"]
    invoke(address, folder, ["build", "--full-refresh", *only])


def statements(address: DatabaseAddress, folder: Path) -> list[Statement]:
    """The compiled models in the order they depend on each other; kept in `folder` until they change.

    Raises:
        TransformError: the project does not compile.
    """
    kept = folder / f"statements-{fingerprint()}-{_database_key(address)}.json"
    if not kept.exists():
        with FileLock(_made(folder) / "statements.lock"):
            if not kept.exists():
                compiled = _compile(address, folder)
                temporary = kept.with_suffix(".new")
                temporary.write_text(json.dumps([asdict(each) for each in compiled]), encoding="utf-8")
                temporary.replace(kept)
    return [Statement(**each) for each in json.loads(kept.read_text(encoding="utf-8"))]


def invoke(address: DatabaseAddress | None, folder: Path, arguments: Sequence[str]) -> "dbtRunnerResult":
    """Runs one dbt command in this process, quietly.

    Args:
        folder: where dbt's target and logs go.

    Raises:
        TransformError: the command failed; the message is dbt's first.
    """
    from dbt.cli.main import dbtRunner

    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *arguments,
        "--project-dir", str(PROJECT_ROOT),
        "--profiles-dir", str(PROJECT_ROOT / "dbt"),
        "--target-path", str(folder / "target"),
        "--log-path", str(folder / "logs"),
        "--quiet",
        "--log-level", "none",
        "--no-use-colors",
    ]  # fmt: skip
    with _environment(address.environment() if address else {}), redirect_stdout(StringIO()):
        result = dbtRunner().invoke(command)
    if not result.success and arguments[0] not in {"test"}:
        raise TransformError(f"dbt {arguments[0]} failed: {_first_problem(result)}")
    return result


def manifest(folder: Path) -> dict[str, Any]:
    """dbt's manifest of the project, parsed without a database; kept in `folder` until the models change.

    Parsed with the address of this process's database where there is one: the build that follows then needs
    no parsing of its own, which takes seconds.
    """
    kept = folder / f"manifest-{fingerprint()}.json"
    if not kept.exists():
        with FileLock(_made(folder) / "manifest.lock"):
            if not kept.exists():
                invoke(_known_address(), folder, ["parse"])
                temporary = kept.with_suffix(".new")
                temporary.write_bytes((folder / "target" / "manifest.json").read_bytes())
                temporary.replace(kept)
    parsed: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return parsed


def _compile(address: DatabaseAddress, folder: Path) -> list[Statement]:
    invoke(address, folder, ["compile", "--select", "resource_type:model"])
    nodes = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    return [
        Statement(
            name=node["name"],
            kind=node["config"]["materialized"],
            relation=f'"{node["schema"]}"."{node["alias"]}"',
            sql=node["compiled_code"],
            batch_delete=str(node["config"]["meta"].get("batch_delete", "")),
        )
        for node in _in_order(nodes)
        if node["config"]["materialized"] in ("table", "incremental")
    ]


def _in_order(nodes: Mapping[str, Any]) -> list[Any]:
    """The models in the order they depend on each other."""
    models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
    parents = {key: set(node["depends_on"]["nodes"]) & set(models) for key, node in models.items()}
    return [models[key] for key in TopologicalSorter(parents).static_order()]


def _first_problem(result: "dbtRunnerResult") -> str:
    if result.exception is not None:
        return " ".join(str(result.exception).split())
    failures = [each for each in getattr(result.result, "results", []) if each.status in ("error", "fail")]
    if not failures:
        return "no message"
    return f"{failures[0].node.name}: {' '.join(str(failures[0].message).split())}"


def _forget_statements(folder: Path) -> None:
    for path in folder.glob("statements-*.json"):
        path.unlink(missing_ok=True)


def _database_key(address: DatabaseAddress) -> str:
    return hashlib.sha256(repr(address).encode()).hexdigest()[:12]


def _known_address() -> DatabaseAddress | None:
    if not get_engine.cache_info().currsize:
        return None
    return DatabaseAddress.parse(get_engine().url.render_as_string(hide_password=False))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
