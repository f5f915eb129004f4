"""The command line: addresses, the ready file, and one line for what goes wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.square.driver import ROOT, Driver, running


def test_the_ready_file_names_address_and_process(tmp_path: Path) -> None:
    file = tmp_path / "run" / "ready.json"
    with running("--scale", "small", "--ready-file", str(file)) as driver:
        ready = json.loads(file.read_text(encoding="utf-8"))
        assert ready["url"] == driver.url
        os.kill(ready["pid"], 0)
        assert driver.http.get("/_sandbox/health").json()["ok"] is True


def test_many_merchants_have_accounts_of_their_own(tmp_path: Path) -> None:
    with running("--merchants", "5", "--orders", "50") as driver:
        assert len({each["account_id"] for each in driver.accounts}) == 5
        tokens = {each["credentials"]["access_token"] for each in driver.accounts}
        assert len(tokens) == 5
        assert all(token.startswith("sandbox-token-") for token in tokens)


def test_a_busy_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert main(["--scale", "small", "--port", port]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_ends_it_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--scale", "small"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    driver = Driver(url)
    driver.http.close()
    assert driver.accounts
    process.send_signal(2)
    _, errors = process.communicate()
    assert process.returncode == 0
    assert errors == ""
