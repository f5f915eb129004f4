"""How commands speak: tables and progress for people, JSON for programs, one line for a failure."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output."""
    print(json.dumps(value, default=str), flush=True)


def fail(message: str) -> None:
    """One line on standard error."""
    print(f"pos: {' '.join(message.split())}", file=sys.stderr, flush=True)


@contextmanager
def progress(message: str) -> Iterator[None]:
    """A spinner while something takes long; nothing where standard error is no terminal."""
    if not errors.is_terminal:
        yield
        return
    with errors.status(message):
        yield
