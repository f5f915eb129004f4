"""`pos demo`: the same figures each time, every sum the sandbox's own, and nothing left running."""

import json
import re
from pathlib import Path

import pytest

from tests.pos_cli.process import Ran, processes_of, run_pos


def _figures(ran: Ran) -> dict[str, object]:
    """The last line without what differs from run to run."""
    last = json.loads(ran.succeeded().out.splitlines()[-1])
    assert last.pop("seconds") > 0
    return dict(last)


def _tables(ran: Ran) -> list[str]:
    """What is printed, but for how long each step took."""
    lines = ran.out.splitlines()[:-1]
    return [re.sub(r"\d+\.\d+( s)?$", "", line.rstrip()) if "✓" in line else line for line in _untimed(lines)]


def _untimed(lines: list[str]) -> list[str]:
    at = next(place for place, line in enumerate(lines) if "How long it took" in line)
    end = next(place for place, line in enumerate(lines) if line.startswith("Data tests"))
    return lines[:at] + lines[end:]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home below which the demo makes its own, and settings that are not the demo's."""
    return {
        "POS_HOME": str(tmp_path_factory.mktemp("demo")),
        "POS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "POS_ENVIRONMENT": "production",
    }


def test_two_runs_print_the_same_and_leave_nothing_running(environment: dict[str, str]) -> None:
    first = run_pos("demo", "--scale", "small", **environment)
    assert processes_of(environment) == []
    second = run_pos("demo", "--scale", "small", **environment)
    assert processes_of(environment) == []
    figures = _figures(first)
    assert figures == _figures(second)
    assert figures["ok"] is True
    assert figures["tie_out_differences"] == 0
    assert figures["third_sync_landed"] == 0
    assert figures["second_sync_changed"] != 0
    assert _tables(first) == _tables(second)
    assert len(_tables(first)) > 20
    assert [path.name for path in Path(environment["POS_HOME"]).iterdir()] == ["demo"]


def test_with_json_the_whole_demo_is_one_line(environment: dict[str, str]) -> None:
    figures = run_pos("demo", "--json", **environment).succeeded().json
    assert list(figures) == [
        "ok", "configurations", "transactions", "items", "payments", "second_sync_changed",
        "third_sync_landed", "tie_out_differences", "seconds",
    ]  # fmt: skip
    assert figures["ok"] is True
    assert figures["configurations"] == 7
    assert figures["transactions"] > 3_000
    assert (figures["tie_out_differences"], figures["third_sync_landed"]) == (0, 0)
    assert processes_of(environment) == []
