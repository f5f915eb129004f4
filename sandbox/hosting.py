"""Serves a sandbox on a free loopback port, in a thread or in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from sandbox.app import build_app
from sandbox.engine import Options, open_world

ROOT = Path(__file__).resolve().parents[1]
_GRACE_SECONDS = 0.1


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
    config = uvicorn.Config(
        build_app(world, journal), date_header=False, log_level="critical", lifespan="off"
    )
    with served(config) as url:
        yield url


@contextmanager
def served(config: uvicorn.Config) -> Iterator[str]:
    """An application on a free loopback port, in a thread of this process.

    Yields:
        Its address.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        thread.join()


class _Server(uvicorn.Server):
    """Ends when it is told to; uvicorn's own looks every tenth of a second, and rests for another one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Makes it end, from another thread."""
        # In this order: a loop that is not there yet reads the first line's value once it is.
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Serves until the end; once a second the date of the answers is made new."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes everything; requests that are being answered have a moment."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        tasks = set(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
        # What was closed just now is gone in the loop's next rounds.
        for _ in range(2):
            await asyncio.sleep(0)
        await self.lifespan.shutdown()


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
