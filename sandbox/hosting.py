"""Serves a sandbox on a free loopback port, in a thread or in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from sandbox.app import build_app
from sandbox.engine import Options, open_world

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def in_thread(options: Options, folder: Path | None = None, *, is_ticking: bool = False) -> Iterator[str]:
    """A sandbox in a thread of this process.

    Args:
        options: what the world is made from.
        folder: where its commands are kept, if anywhere.
        is_ticking: whether its clock runs on at real pace.

    Yields:
        Its address.
    """
    world, journal = open_world(options, folder=folder, is_ticking=is_ticking)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(world, journal),
        date_header=False,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def in_process(*arguments: str, hash_seed: str = "0") -> Iterator[str]:
    """A sandbox in a process of its own, started by its command line.

    Args:
        arguments: of the command line.
        hash_seed: Python's, which must not matter.

    Yields:
        Its address.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            # The line is printed once the address listens, so reading it is the synchronisation.
            line = process.stdout.readline() if process.stdout else ""
            yield line.split()[-1]
        finally:
            process.terminate()
