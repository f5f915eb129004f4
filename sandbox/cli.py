"""Command line: builds a world and serves it on one address."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from sandbox.app import build_app
from sandbox.engine import Options, WorldError, open_world


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Serves the vendors' APIs over a seeded bakery: the same seed, the same bread.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", choices=("demo", "small", "large"), default="demo")
    parser.add_argument("--merchants", type=int, help="many merchants with one shop each")
    parser.add_argument("--orders", type=int, help="orders altogether, with --scale large")
    parser.add_argument("--only", metavar="POS", help="this point-of-sale system alone")
    parser.add_argument("--clock", choices=("fixed", "ticking"), default="fixed")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keeps control commands here")
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="gets the URL and the pid")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted.

    Returns:
        The exit code: 0, or 1 when the world cannot be built or the address is taken.
    """
    given = parse_arguments(arguments)
    options = Options(given.seed, given.scale, given.merchants, given.orders, given.only)
    try:
        world, journal = open_world(options, folder=given.state, is_ticking=given.clock == "ticking")
        listener = _listen(given.host, given.port)
    except (WorldError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    host, port = listener.getsockname()[:2]
    url = f"http://{host}:{port}"
    print(f"sandbox listening on {url}", flush=True)
    if given.ready_file is not None:
        _write_ready_file(given.ready_file, url)
    config = uvicorn.Config(
        build_app(world, journal),
        date_header=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    # The world stays; looking through it at every collection would cost a large one half its speed.
    gc.freeze()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


def _write_ready_file(path: Path, url: str) -> None:
    """Writes the file in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(json.dumps({"url": url, "pid": os.getpid()}))
    os.replace(file.name, path)
