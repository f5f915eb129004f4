"""The whole stack under one supervisor: every part is its child, and one signal stops all of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from pos_cli.output import console, print_json, progress
from pos_cli.setup import Ready, dagster_environment, initialise
from pos_core.database.connect import embedded_server
from pos_core.errors import StackError
from pos_core.settings import PROJECT_ROOT, get_settings, prepare_home

_READY_TIMEOUT_SECONDS = 120
_STOP_TIMEOUT_SECONDS = 20
_HOST = "127.0.0.1"


@dataclass
class Supervisor:
    """Starts the parts, watches them and stops them in reverse order."""

    home: Path
    parts: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    logs: list[IO[bytes]] = field(default_factory=list)

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Starts one part; its output goes to a log of its own."""
        folder = self.home / "logs"
        folder.mkdir(exist_ok=True)
        log = open(folder / f"{name}.log", "ab")  # noqa: SIM115 - closed when the part is stopped
        self.logs.append(log)
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the parts in order
        )
        self.parts.append((name, process))

    def check(self) -> None:
        """Raises StackError when a part has ended."""
        for name, process in self.parts:
            if process.poll() is not None:
                raise StackError(f"{name} ended; see {self.home / 'logs' / name}.log.")

    def wait_for(self, name: str, url: str) -> None:
        """Waits until a part answers.

        Raises:
            StackError: it ended, or does not answer in time.
        """
        deadline = time.monotonic() + _READY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with suppress(httpx.TransportError):
                if httpx.get(url, timeout=5, trust_env=False).status_code < 400:
                    return
            time.sleep(0.2)
        raise StackError(f"{name} does not answer; see {self.home / 'logs' / name}.log.")

    def stop(self) -> None:
        """Stops every part, the last one first, with all their children."""
        for _, process in reversed(self.parts):
            _stop_tree(process.pid)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_TIMEOUT_SECONDS)
        for log in self.logs:
            log.close()


def up(sandbox: bool, as_json: bool) -> None:
    """Runs the stack in the foreground until a signal comes or a part ends.

    Raises:
        StackError: it is up already, a port is taken, or a part ended.
    """
    ready = initialise()
    settings = get_settings()
    if running_stack(ready.home):
        raise StackError("The stack is up already; `pos down` stops it.")
    ports = {"POS_API_PORT": settings.api_port, "POS_DAGSTER_PORT": settings.dagster_port}
    if sandbox:
        ports["POS_SANDBOX_PORT"] = settings.sandbox_port
    _require_free(ports)
    supervisor = Supervisor(ready.home)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupt)
    state_path = _state_path(ready.home)
    try:
        with progress("Starting the stack"):
            state = _start_all(supervisor, ready, sandbox)
        _write_state(state_path, {**state, "ready": True})
        if as_json:
            print_json(state)
        else:
            _print_addresses(state, ready)
        while True:
            supervisor.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        if not as_json:
            console.print("Stopping.")
    finally:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        supervisor.stop()
        state_path.unlink(missing_ok=True)


def up_detached(sandbox: bool, as_json: bool) -> None:
    """Runs the stack in the background; returns when it is ready.

    Raises:
        StackError: it did not become ready; the message is the supervisor's own.
    """
    home = prepare_home(get_settings())
    if running_stack(home):
        raise StackError("The stack is up already; `pos down` stops it.")
    (home / "logs").mkdir(exist_ok=True)
    log_path = home / "logs" / "up.log"
    command = [sys.executable, "-m", "pos_cli.main", "up", *(["--sandbox"] if sandbox else [])]
    with open(log_path, "wb") as log, progress("Starting the stack"):
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        while process.poll() is None:
            state = running_stack(home)
            if state and state.get("ready"):
                break
            time.sleep(0.2)
        else:
            lines = log_path.read_text(encoding="utf-8").strip().splitlines()
            raise StackError((lines[-1] if lines else "no message").removeprefix("pos: "))
    if as_json:
        print_json(state)
    else:
        console.print(f"The stack is up: {state['dagster']} and {state['api']}; `pos down` stops it.")


def down(as_json: bool) -> None:
    """Stops the supervisor, which stops its parts, and a database that was left running."""
    home = prepare_home(get_settings())
    state = running_stack(home)
    with progress("Stopping the stack"):
        if state:
            _stop_supervisor(int(state["pid"]))
            _state_path(home).unlink(missing_ok=True)
        server = embedded_server()
        if server is not None:
            server.keep_running(False)
            if server.is_running():
                server.acquire()
                server.release()
    if as_json:
        print_json({"ok": True, "was_up": bool(state)})
    else:
        console.print("The stack is down." if state else "The stack was not up.")


def running_stack(home: Path) -> dict[str, Any] | None:
    """What `up` wrote down, when its process is alive."""
    try:
        state: dict[str, Any] = json.loads(_state_path(home).read_text(encoding="utf-8"))
        process = psutil.Process(int(state["pid"]))
        if f"{process.create_time():.0f}" != state["started"]:
            return None
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return state


def _start_all(supervisor: Supervisor, ready: Ready, sandbox: bool) -> dict[str, Any]:
    settings = get_settings()
    environment = dagster_environment(ready)
    state: dict[str, Any] = {
        "pid": os.getpid(),
        "started": f"{psutil.Process().create_time():.0f}",
        "api": f"http://{_HOST}:{settings.api_port}",
        "dagster": f"http://{_HOST}:{settings.dagster_port}",
        "ready": False,
    }
    _write_state(_state_path(ready.home), state)
    if sandbox:
        from pos_cli.sandbox import connect_accounts, sandbox_command, sandbox_environment

        url = f"http://{_HOST}:{settings.sandbox_port}"
        state["sandbox"] = url
        supervisor.start("sandbox", sandbox_command(settings.sandbox_port, ready.home), {})
        supervisor.wait_for("sandbox", f"{url}/_sandbox/clock")
        os.environ.update(sandbox_environment(url))
        connect_accounts(url)
    from pos_cli.commands import normalise_now

    normalise_now(ready)
    socket_path = _socket_path(ready.home)
    socket_path.unlink(missing_ok=True)
    workspace = ready.home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {socket_path}\n      location_name: pos_integration\n",
        encoding="utf-8",
    )
    python = [sys.executable, "-m"]
    supervisor.start(
        "code",
        [*python, "dagster", "api", "grpc", "-m", "dagster_project.definitions", "-s", str(socket_path),
         "--location-name", "pos_integration"],
        environment,
    )  # fmt: skip
    supervisor.start(
        "api",
        [
            *python,
            "uvicorn",
            "webhook_api.main:app",
            "--host",
            _HOST,
            "--port",
            str(settings.api_port),
        ],
        environment,
    )
    _wait_for_socket(supervisor, socket_path)
    where = ["-w", str(workspace)]
    supervisor.start(
        "webserver",
        [*python, "dagster_webserver", *where, "-h", _HOST, "-p", str(settings.dagster_port)],
        environment,
    )
    supervisor.start("daemon", [*python, "dagster._daemon", "run", *where], environment)
    supervisor.wait_for("api", f"{state['api']}/health/ready")
    supervisor.wait_for("webserver", f"{state['dagster']}/server_info")
    return state


def _wait_for_socket(supervisor: Supervisor, path: Path) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        supervisor.check()
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            return
        time.sleep(0.1)
    raise StackError(f"code does not answer; see {supervisor.home / 'logs' / 'code.log'}.")


def _socket_path(home: Path) -> Path:
    """Beside the database's socket: a path short enough, in a folder private to this user."""
    import hashlib
    import tempfile

    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pos-{os.geteuid()}-code-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "code.sock"


def _print_addresses(state: Mapping[str, Any], ready: Ready) -> None:
    console.print("The stack is up.")
    console.print(f"  Dagster   {state['dagster']}")
    console.print(f"  API       {state['api']}/docs")
    if "sandbox" in state:
        console.print(f"  Sandbox   {state['sandbox']}")
    console.print(f"  Database  {ready.address!r}   (`pos database-url` prints the URL)")
    console.print(f"  Logs      {ready.home / 'logs'}")
    console.print("Ctrl-C stops all of it; the data stays.")


def _require_free(ports: Mapping[str, int]) -> None:
    for variable, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                raise StackError(f"Port {port} is taken; set {variable} to another.") from None


def _stop_tree(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    with suppress(psutil.NoSuchProcess):
        process.terminate()
    _, alive = psutil.wait_procs(family, timeout=_STOP_TIMEOUT_SECONDS)
    for each in alive:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def _stop_supervisor(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(4 * _STOP_TIMEOUT_SECONDS)
        except psutil.TimeoutExpired:
            _stop_tree(pid)


def _interrupt(*_signal: object) -> None:
    raise KeyboardInterrupt


def _state_path(home: Path) -> Path:
    return home / "stack.json"


def _write_state(path: Path, state: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(path)
