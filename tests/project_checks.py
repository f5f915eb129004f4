"""What `make check` asks beyond format, lint and types; `python -m tests.project_checks` runs it.

Each check is one line, and one that fails says why. All state is in a POS_HOME that is thrown away.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Check = Callable[[Path], str | None]
"""What is wrong, or None; its argument is POS_HOME."""


def definitions(home: Path) -> str | None:
    """Dagster loads and validates what `workspace.yaml` names."""
    from pos_core.settings import PROJECT_ROOT

    folder = home / "dagster"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    # The same error is shown by each of Dagster's loggers, with its stack.
    reasons = dict.fromkeys(re.findall(r"^[\w.]+(?:Error|Exception): .+", done.stdout, re.MULTILINE))
    return "\n".join(reasons) or done.stdout.strip()


def migrations(home: Path) -> str | None:
    """The migrations make exactly the tables that the code declares."""
    from sqlalchemy import create_engine

    from pos_core.database.embedded import EmbeddedServer
    from pos_core.database.migrate import differences, migrate

    server = EmbeddedServer(home)
    engine = create_engine(server.acquire().sqlalchemy())
    try:
        migrate(engine)
        return differences(engine)
    finally:
        engine.dispose()
        server.release()


def models(home: Path) -> str | None:
    """dbt parses the project without a warning or a deprecation."""
    from dbt.cli.main import dbtRunner

    from pos_core.settings import PROJECT_ROOT

    said: list[str] = []

    def note(event: Any) -> None:
        if event.info.level in {"warn", "error"}:
            said.append(event.info.msg)

    folders = {"project": PROJECT_ROOT, "profiles": PROJECT_ROOT / "dbt"}
    result = dbtRunner(callbacks=[note]).invoke(
        [
            "parse", "--no-partial-parse", "--show-all-deprecations", "--quiet", "--log-level", "none",
            *(word for name, path in folders.items() for word in (f"--{name}-dir", str(path))),
            "--target-path", str(home / "dbt" / "target"), "--log-path", str(home / "dbt" / "logs"),
        ]
    )  # fmt: skip
    if not result.success and not said:
        said.append(str(result.exception))
    return "\n".join(said) or None


CHECKS: dict[str, Check] = {
    "Dagster's definitions": definitions,
    "Migrations": migrations,
    "dbt's models": models,
}


def main() -> int:
    """Runs every check; returns how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pos-checks-") as folder:
        home = Path(folder)
        for name in [each for each in os.environ if each.startswith("POS_")]:
            del os.environ[name]
        os.environ["POS_HOME"] = str(home)
        for name, check in CHECKS.items():
            problem = check(home)
            failed += problem is not None
            print(f"{name}: {'ok' if problem is None else f'FAILED{chr(10)}{problem}'}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
