"""The parts of the stack as processes: ports, marks, and ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pos_cli.supervisor import Supervisor, is_alive, mark, require_free, signals_wait, stop_trees
from pos_core.errors import StackError
from tests.pos_cli.conftest import free_ports

_FAMILY = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1); "
    "print(child.pid, flush=True); input()"
)


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with a child, and the child's id."""
    with subprocess.Popen(
        [sys.executable, "-c", _FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        yield process, child
        process.kill()


def test_a_taken_port_is_named_with_the_variable_that_chooses_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(StackError, match=rf"^Port {port} is taken; set POS_API_PORT to another\.$"):
            require_free({"POS_API_PORT": port})
    require_free({"POS_API_PORT": port})


def test_one_port_for_two_parts_is_refused() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StackError, match="POS_API_PORT and POS_DAGSTER_PORT are both"):
        require_free({"POS_API_PORT": port, "POS_DAGSTER_PORT": port})


def test_a_process_is_told_apart_from_a_later_one_with_its_id() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        marked = mark(process.pid)
        assert is_alive(marked)
        assert not is_alive({**marked, "started": marked["started"] - 60})
        process.kill()
    assert not is_alive(marked)
    assert not is_alive(mark(process.pid))


def test_a_process_ends_with_all_its_children(family: tuple[subprocess.Popen[str], int]) -> None:
    process, child = family
    stop_trees([process.pid])
    assert process.poll() is not None
    assert not psutil.pid_exists(child)


def test_a_part_that_ends_is_noticed_with_the_name_of_its_log(tmp_path: Path) -> None:
    noted: list[list[str]] = []
    supervisor = Supervisor(tmp_path, lambda parts: noted.append([each["name"] for each in parts]))
    supervisor.start("first", [sys.executable, "-c", "import signal; signal.pause()"], {})
    supervisor.start("second", [sys.executable, "-c", "print('why it ended')"], {})
    supervisor.parts[1][1].wait()
    with pytest.raises(StackError, match=r"^(first|second) ended; see .*\.log\.$"):
        supervisor.wait_for_url("second", "http://127.0.0.1:1")
    supervisor.stop()
    assert noted == [["first"], ["first", "second"]]
    assert "why it ended" in (tmp_path / "logs" / "second.log").read_text()


def test_a_wish_to_stop_waits_until_a_new_process_is_noted() -> None:
    noted: list[str] = []

    def start() -> None:
        with signals_wait():
            os.kill(os.getpid(), signal.SIGTERM)
            noted.append("process")

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert noted == ["process"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_part_hears_of_a_signal_that_a_shell_has_the_supervisor_ignore(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _parts: None)
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        supervisor.start("part", [sys.executable, "-c", code], {})
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    supervisor.parts[0][1].wait()
    supervisor.stop()
    assert (tmp_path / "logs" / "part.log").read_text() == "True\n"


_PARENT = (
    "import subprocess, sys; code = 'import signal; signal.pause()'; "
    "child = subprocess.Popen([sys.executable, '-c', code]); print(child.pid, flush=True); child.wait()"
)


def test_what_a_killed_part_has_left_is_stopped_too(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _parts: None)
    supervisor.start("part", [sys.executable, "-c", _PARENT], {})
    log = tmp_path / "logs" / "part.log"
    while not log.read_text().endswith("\n"):
        supervisor.check()
    child = psutil.Process(int(log.read_text()))
    supervisor.parts[0][1].kill()
    supervisor.parts[0][1].wait()
    assert child.is_running()
    supervisor.stop()
    assert not child.is_running()
