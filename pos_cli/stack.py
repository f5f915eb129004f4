"""The whole stack under one supervisor: every part is its child, and one signal stops all of them."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from pos_cli.commands.database import normalise_now
from pos_cli.output import print_json, progress, say
from pos_cli.setup import Ready, dagster_environment, initialise
from pos_cli.supervisor import (
    HOST,
    STOP_SIGNALS,
    STOP_TIMEOUT_SECONDS,
    Supervisor,
    is_alive,
    mark,
    require_free,
    stop_trees,
)
from pos_core.database.connect import embedded_server
from pos_core.errors import StackError
from pos_core.settings import get_settings, prepare_home

LOCATION = "pos_integration"
"""Under this name Dagster knows the project's definitions."""


def up(sandbox: bool, as_json: bool) -> None:
    """Runs the stack in the foreground until a signal comes or a part ends.

    Raises:
        StackError: it is up already, a port is taken, or a part ended.
    """
    ready = initialise()
    settings = get_settings()
    ports = {"POS_API_PORT": settings.api_port, "POS_DAGSTER_PORT": settings.dagster_port}
    if sandbox:
        ports["POS_SANDBOX_PORT"] = settings.sandbox_port
    with _only_stack(ready.home):
        _stop_leftovers(ready.home)
        require_free(ports)
        _supervise(ready, sandbox, as_json)


def _supervise(ready: Ready, sandbox: bool, as_json: bool) -> None:
    settings = get_settings()
    state: dict[str, Any] = {
        **mark(os.getpid()),
        "api": f"http://{HOST}:{settings.api_port}",
        "dagster": f"http://{HOST}:{settings.dagster_port}",
        "ready": False,
    }
    supervisor = Supervisor(ready.home, partial(_note_parts, ready.home, state))
    try:
        with progress("Starting the stack"):
            _start_all(supervisor, ready, state, sandbox)
        state["ready"] = True
        _write_state(ready.home, state)
        if as_json:
            print_json(state)
        else:
            _print_addresses(state, ready)
        while True:
            supervisor.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        if not as_json:
            say("Stopping.")
    finally:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        supervisor.stop()
        _state_path(ready.home).unlink(missing_ok=True)


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
        try:
            while process.poll() is None:
                state = running_stack(home)
                if state and state.get("ready") and state["pid"] == process.pid:
                    break
                time.sleep(0.1)
            else:
                lines = log_path.read_text(encoding="utf-8").strip().splitlines()
                raise StackError((lines[-1] if lines else "no message").removeprefix("pos: "))
        except KeyboardInterrupt:
            _stop_supervisor(process.pid)
            raise
    if as_json:
        print_json(state)
    else:
        say(f"The stack is up: {state['dagster']} and {state['api']}; `pos down` stops it.")


def down(as_json: bool) -> None:
    """Stops the supervisor, which stops its parts, and a database that was left running."""
    home = prepare_home(get_settings())
    state = running_stack(home)
    with progress("Stopping the stack"):
        if state:
            _stop_supervisor(int(state["pid"]))
        _stop_leftovers(home)
        server = embedded_server()
        if server is not None:
            server.keep_running(False)
            if server.is_running():
                server.acquire()
                server.release()
    if as_json:
        print_json({"ok": True, "was_up": bool(state)})
    else:
        say("The stack is down." if state else "The stack was not up.")


def running_stack(home: Path) -> dict[str, Any] | None:
    """What `up` wrote down, when its process is alive."""
    state = _read_state(home)
    with suppress(ValueError, KeyError, TypeError):
        return state if is_alive(state) else None
    return None


def join_running_stack(home: Path) -> None:
    """Takes over the vendor addresses of a stack that runs with a sandbox, where no others are set.

    A configuration refuses every address but the one it was made for, so this sends no token astray.
    """
    state = running_stack(home) or {}
    for name, value in state.get("environment", {}).items():
        os.environ.setdefault(name, value)


def _start_all(supervisor: Supervisor, ready: Ready, state: dict[str, Any], sandbox: bool) -> None:
    settings = get_settings()
    environment = dagster_environment(ready)
    _write_state(ready.home, state)
    if sandbox:
        from pos_cli.sandbox import connect_accounts, sandbox_command, sandbox_environment

        url = f"http://{HOST}:{settings.sandbox_port}"
        supervisor.start("sandbox", sandbox_command(settings.sandbox_port, ready.home), {})
        supervisor.wait_for_url("sandbox", f"{url}/_sandbox/clock")
        state |= {"sandbox": url, "environment": sandbox_environment(url)}
        os.environ.update(state["environment"])
        connect_accounts(url)
    normalise_now(ready)
    socket_path = _socket_path(ready.home)
    socket_path.unlink(missing_ok=True)
    workspace = write_workspace(ready.home, socket_path)
    python = [sys.executable, "-m"]
    supervisor.start(
        "code",
        [*python, "dagster_project.server", *code_options(socket_path)],
        environment,
    )
    supervisor.start("api", [*python, "webhook_api"], environment)
    supervisor.wait_for_socket("code", socket_path)
    where = ["-w", str(workspace)]
    supervisor.start(
        "webserver",
        [*python, "dagster_webserver", *where, "-h", HOST, "-p", str(settings.dagster_port)],
        environment,
    )
    supervisor.start("daemon", [*python, "dagster._daemon", "run", *where], environment)
    supervisor.wait_for_url("api", f"{state['api']}/health/ready")
    supervisor.wait_for_url("webserver", f"{state['dagster']}/server_info")


def code_options(socket_path: Path) -> list[str]:
    """What a code server is told: what to load, and where to listen."""
    return ["-m", "dagster_project.definitions", "-s", str(socket_path), "--location-name", LOCATION]


def write_workspace(home: Path, socket_path: Path) -> Path:
    """Writes the file by which Dagster's web page and daemon find the code server; returns its path."""
    workspace = home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {socket_path}\n      location_name: {LOCATION}\n",
        encoding="utf-8",
    )
    return workspace


def _socket_path(home: Path) -> Path:
    """Beside the database's socket: a path short enough, in a folder private to this user."""
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pos-{os.geteuid()}-code-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # The temporary folder is everybody's: another user may have put something there under this name.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise StackError(f"{folder} is not a folder of this user; remove it.")
    folder.chmod(0o700)
    return folder / "code.sock"


def _print_addresses(state: Mapping[str, Any], ready: Ready) -> None:
    say("The stack is up.")
    say(f"  Dagster   {state['dagster']}")
    say(f"  API       {state['api']}/docs")
    if "sandbox" in state:
        say(f"  Sandbox   {state['sandbox']}")
    where = f"{ready.address.host}, port {ready.address.port}"
    say(f"  Database  PostgreSQL at {where}   (`pos database-url` prints the URL)")
    say(f"  Logs      {ready.home / 'logs'}")
    say("Ctrl-C stops all of it; the data stays.")


@contextmanager
def _only_stack(home: Path) -> Iterator[None]:
    """One stack per POS_HOME; the lock goes with its process, however that ends."""
    lock = FileLock(home / "stack.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StackError("The stack is up already; `pos down` stops it.") from None
    try:
        yield
    finally:
        lock.release()


def _stop_leftovers(home: Path) -> None:
    """Ends the parts of a supervisor that was killed and could not do it itself."""
    with suppress(ValueError, KeyError, TypeError):
        parts = _read_state(home).get("parts", [])
        stop_trees(int(each["pid"]) for each in reversed(parts) if is_alive(each))
    _state_path(home).unlink(missing_ok=True)


def _stop_supervisor(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(3 * STOP_TIMEOUT_SECONDS)
        except psutil.TimeoutExpired:
            stop_trees([pid])


def _state_path(home: Path) -> Path:
    return home / "stack.json"


def _read_state(home: Path) -> dict[str, Any]:
    try:
        state = json.loads(_state_path(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _note_parts(home: Path, state: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    state["parts"] = parts
    _write_state(home, state)


def _write_state(home: Path, state: Mapping[str, Any]) -> None:
    temporary = _state_path(home).with_suffix(".new")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(_state_path(home))
