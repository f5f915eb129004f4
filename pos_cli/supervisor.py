"""Starts the parts of the stack as children, watches them, and stops them with all their own children."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from pos_core.errors import StackError
from pos_core.settings import PROJECT_ROOT

HOST = "127.0.0.1"
STOP_TIMEOUT_SECONDS = 20
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_READY_TIMEOUT_SECONDS = 120
_CLOCK_STEP_SECONDS = 2  # by which the start of a process may seem to move when the clock is set


@dataclass
class Supervisor:
    """The parts of one stack, in the order they were started.

    Args:
        on_start: told of all parts whenever one more has been started, so that they can be written down.
    """

    home: Path
    on_start: Callable[[list[dict[str, Any]]], None]
    parts: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    logs: list[IO[bytes]] = field(default_factory=list)

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Starts one part; its output goes to a log of its own."""
        folder = self.home / "logs"
        folder.mkdir(exist_ok=True)
        log = open(folder / f"{name}.log", "ab")  # noqa: SIM115 - closed when the part is stopped
        self.logs.append(log)
        with signals_wait():
            process = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the parts
            )
            self.parts.append((name, process))
        self.on_start([{"name": each, **mark(part.pid)} for each, part in self.parts])

    def check(self) -> None:
        """Raises StackError when a part has ended."""
        for name, process in self.parts:
            if process.poll() is not None:
                raise StackError(f"{name} ended; see {self._log_of(name)}.")

    def wait_for_url(self, name: str, url: str) -> None:
        """Waits until a part answers over HTTP.

        Raises:
            StackError: it ended, or does not answer in time.
        """

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return httpx.get(url, timeout=5, trust_env=False).status_code < 400
            return False

        self._wait_until(name, answers)

    def wait_for_socket(self, name: str, path: Path) -> None:
        """Waits until a part listens on a socket file.

        Raises:
            StackError: it ended, or does not listen in time.
        """

        def listens() -> bool:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
                return True
            return False

        self._wait_until(name, listens)

    def stop(self) -> None:
        """Stops every part and all their children."""
        stop_trees(process.pid for _, process in reversed(self.parts))
        for _, process in self.parts:
            process.wait()
        for log in self.logs:
            log.close()

    def _wait_until(self, name: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if is_ready():
                return
            time.sleep(0.1)
        raise StackError(f"{name} does not answer; see {self._log_of(name)}.")

    def _log_of(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"


@contextmanager
def signals_wait() -> Iterator[None]:
    """Holds back a wish to stop until a process that is being started has been noted, and can be stopped.

    The signals are caught, not blocked: a child would inherit the block and never hear of them. It would
    inherit too that they are ignored, as a shell has it for what it starts in the background.
    """
    came: list[int] = []
    ignored = [each for each in STOP_SIGNALS if signal.getsignal(each) is signal.SIG_IGN]

    def note(number: int, _frame: object) -> None:
        if number not in ignored:
            came.append(number)

    before = {each: signal.signal(each, note) for each in STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        raise KeyboardInterrupt


def mark(pid: int) -> dict[str, Any]:
    """A process, so that it can be told apart from a later one with the same id."""
    with suppress(psutil.NoSuchProcess):
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    return {"pid": pid, "started": 0.0}


def is_alive(marked: Mapping[str, Any]) -> bool:
    """Whether the process that was marked is still there.

    Raises:
        ValueError, KeyError, TypeError: it is no mark.
    """
    pid, started = int(marked["pid"]), float(marked["started"])
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - started) < _CLOCK_STEP_SECONDS)
    except psutil.NoSuchProcess:
        return False


def stop_trees(pids: Iterable[int]) -> None:
    """Ends processes in the given order, and kills what is left of them and their children in the end.

    Of one that has ended by itself, the children are those that are still in the session it began.
    """
    family: list[psutil.Process] = []
    roots: list[psutil.Process] = []
    for pid in pids:
        left = _in_session(pid)
        try:
            root = psutil.Process(pid)
            left += root.children(recursive=True)
            roots.append(root)
            family.append(root)
        except psutil.NoSuchProcess:
            roots += left
        family += left
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            root.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=STOP_TIMEOUT_SECONDS)
    for each in alive:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(alive, timeout=STOP_TIMEOUT_SECONDS)


def _in_session(leader: int) -> list[psutil.Process]:
    """The processes of a session other than the one that began it."""
    found = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.NoSuchProcess):
            if pid != leader and os.getsid(pid) == leader:
                found.append(psutil.Process(pid))
    return found


def require_free(ports: Mapping[str, int]) -> None:
    """Raises StackError when one of the ports (by the variable that chooses it) is taken."""
    chosen: dict[int, str] = {}
    for variable, port in ports.items():
        if port in chosen:
            raise StackError(f"{chosen[port]} and {variable} are both {port}; set one to another.")
        chosen[port] = variable
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except PermissionError:
                raise StackError(f"Port {port} is not allowed to you; set {variable} to another.") from None
            except OSError:
                raise StackError(f"Port {port} is taken; set {variable} to another.") from None
