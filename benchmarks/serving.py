"""Serves what a benchmark talks to: an application in a thread, and the service as its own process."""

import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import uvicorn

from pos_cli.supervisor import HOST, Supervisor
from pos_core.settings import get_settings


@contextmanager
def in_thread(application: Any) -> Iterator[str]:
    """Serves an application on a free loopback port while the block runs.

    Yields:
        Its address.
    """
    with socket.create_server((HOST, 0)) as listener:
        config = uvicorn.Config(application, log_config=None, log_level="critical", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in listeners]


@contextmanager
def service(home: Path) -> Iterator[psutil.Process]:
    """The HTTP service in a process of its own, at the port of the settings, while the block runs.

    Args:
        home: where its log is written.
    """
    supervisor = Supervisor(home, lambda _parts: None)
    try:
        yield start_service(supervisor, {})
    finally:
        supervisor.stop()


def start_service(supervisor: Supervisor, environment: Mapping[str, str]) -> psutil.Process:
    """Starts the HTTP service and waits until it can work."""
    supervisor.start("api", [sys.executable, "-m", "webhook_api"], environment)
    supervisor.wait_for_url("api", f"http://{HOST}:{get_settings().api_port}/health/ready")
    _, process = supervisor.parts[-1]
    return psutil.Process(process.pid)
