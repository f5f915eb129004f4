"""`pos up` and `pos down`: everything comes up, goes on with its data, and goes down without a trace."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pos_cli.stack import join_running_stack, running_stack
from tests.canaries import Canaries, in_files
from tests.pos_cli.process import Ran, finish, processes_of, run_pos, start_pos, started

Environment = dict[str, str]
PORTS = ("POS_API_PORT", "POS_DAGSTER_PORT", "POS_SANDBOX_PORT")


@pytest.fixture
def home(own_home: Environment) -> Iterator[Environment]:
    """The environment of a stack that is down before and after."""
    yield own_home
    if processes_of(own_home):
        run_pos("down", **own_home)


def _assert_nothing_runs(environment: Environment) -> None:
    assert processes_of(environment) == []
    for name in PORTS:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(environment[name]))) != 0
    assert running_stack(Path(environment["POS_HOME"])) is None


def _wait_for_parts(process: subprocess.Popen[str], environment: Environment, count: int) -> None:
    while len((running_stack(Path(environment["POS_HOME"])) or {}).get("parts", [])) < count:
        assert process.poll() is None
        time.sleep(0.02)


def _assert_no_secret_is_in_a_file(folder: Path, accounts: list[dict[str, Any]]) -> None:
    """Neither in a log of a part nor elsewhere; the sandbox is the vendor, who knows them."""
    secrets = {
        f"{key} of {account['account_id']}": str(value)
        for account in accounts
        for key, value in account["credentials"].items()
        if "token" in key or "secret" in key
    }
    assert secrets
    assert (folder / "logs" / "code.log").read_text()
    assert in_files(Canaries.of(secrets), folder, [folder / "sandbox", folder / "postgres"]) == set()


def _transactions(environment: Environment) -> Any:
    import psycopg

    url = run_pos("database-url", **environment).succeeded().out.strip()
    with psycopg.connect(url) as connection:
        return connection.execute("select count(*), sum(total_amount) from pos_transactions").fetchone()


def test_the_stack_comes_up_syncs_and_a_second_one_goes_on_with_its_data(home: Environment) -> None:
    state = run_pos("up", "--detach", "--sandbox", "--json", **home).succeeded().json
    assert state["ready"] is True
    assert httpx.get(f"{state['api']}/health/ready").status_code == 200
    assert "dagster" in httpx.get(f"{state['dagster']}/server_info").text
    assert [each["name"] for each in state["parts"]] == ["sandbox", "code", "api", "webserver", "daemon"]
    status = run_pos("status", "--json", **home).succeeded().json
    assert status["stack"] == state
    sold = httpx.get(f"{state['sandbox']}/_sandbox/accounts").json()
    assert {each["account_id"] for each in status["configurations"]} == {each["account_id"] for each in sold}
    assert state["dagster"] in run_pos("status", **home).succeeded().out
    assert "up already" in run_pos("up", **home).failed(6)
    assert "up already" in run_pos("up", "--detach", **home).failed(6)

    synced = run_pos("sync", "--wait", "--json", **home).succeeded().json
    assert {each["status"] for each in synced["configurations"]} == {"succeeded"}
    before = _transactions(home)
    assert before[0] > 3_000
    assert run_pos("down", "--json", **home).succeeded().json == {"ok": True, "was_up": True}
    _assert_nothing_runs(home)

    with started("up", "--sandbox", "--json", **home) as process:
        assert process.stdout is not None
        again = process.stdout.readline()
        assert '"ready": true' in again
        assert _transactions(home)[0] >= before[0]
        assert len(run_pos("status", "--json", **home).succeeded().json["configurations"]) == len(
            synced["configurations"]
        )
        process.send_signal(signal.SIGINT)
        assert finish(process) == Ran(0, "", "")
    run_pos("down", **home).succeeded()  # `database-url` asked the server to stay
    _assert_nothing_runs(home)
    _assert_no_secret_is_in_a_file(Path(home["POS_HOME"]), sold)


def test_what_a_killed_supervisor_left_is_stopped_by_the_next_command(home: Environment) -> None:
    with started("up", **home) as process:
        _wait_for_parts(process, home, 2)
        process.kill()
        process.wait()
    assert len(processes_of(home)) >= 2
    assert run_pos("status", "--json", **home).succeeded().json["stack"] is None
    assert run_pos("down", "--json", **home).succeeded().json == {"ok": True, "was_up": False}
    _assert_nothing_runs(home)


def test_a_stack_whose_code_server_is_killed_says_so_and_leaves_nothing(home: Environment) -> None:
    with started("up", "--json", **home) as process:
        assert process.stdout is not None
        assert '"ready": true' in process.stdout.readline()
        parts = (running_stack(Path(home["POS_HOME"])) or {})["parts"]
        [code] = [each["pid"] for each in parts if each["name"] == "code"]
        os.kill(code, signal.SIGKILL)
        assert re.match(r"code ended; see .*code\.log\.", finish(process).failed(6))
    _assert_nothing_runs(home)


@pytest.mark.parametrize("name", PORTS)
@pytest.mark.parametrize("detach", [[], ["--detach"]], ids=["foreground", "background"])
def test_a_busy_port_is_one_line(home: Environment, name: str, detach: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        line = run_pos("up", "--sandbox", *detach, **{**home, name: port}).failed(6)
    assert line == f"Port {port} is taken; set {name} to another."
    _assert_nothing_runs(home)


def test_a_signal_while_the_stack_starts_leaves_nothing(home: Environment) -> None:
    process = start_pos("up", **home)
    _wait_for_parts(process, home, 1)
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0
    _assert_nothing_runs(home)


def test_down_without_a_stack_says_so(home: Environment) -> None:
    assert run_pos("down", **home).succeeded().out == "The stack was not up.\n"


@pytest.mark.parametrize("content", ["", "[]", '{"pid": 1}', '{"pid": "x", "started": 0}', '{"started": 1}'])
def test_a_damaged_state_file_is_no_stack(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)
    assert running_stack(tmp_path) is None
    join_running_stack(tmp_path)
