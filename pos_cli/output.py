"""How commands speak: tables and progress for people, JSON for programs, one line for a failure."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pos_core.errors import PosError

_WIDTH_OF_FILES = 240
_WIDTH_OF_IDS = 36


def _width() -> int | None:
    """Files and pipes get lines wide enough for ids; a terminal says its own width."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_FILES


console = Console(highlight=False, width=_width())
errors = Console(stderr=True, highlight=False)


class ReportedError(PosError):
    """A failure whose JSON, where JSON was asked for, has been printed already."""


def compact_table(title: str, *left: str, right: Sequence[str] = ()) -> Table:
    """A table that fits 80 columns: names to the left, figures to the right, nothing cut or wrapped."""
    table = Table(
        title=f"\n[bold]{title}[/bold]",
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in left:
        table.add_column(column, no_wrap=True)
    for column in right:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output."""
    print(json.dumps(value, default=str), flush=True)


def say(message: str) -> None:
    """A line as it stands, whatever names and reasons it contains; long ones are not broken."""
    console.print(_printable(message), soft_wrap=True, markup=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table of texts as they stand: what is too long goes on below, and ids stay in one piece."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold", min_width=_WIDTH_OF_IDS if column == "id" else None)
    for row in rows:
        table.add_row(*(escape(_printable(str(cell))) for cell in row))
    console.print(table)


def fail(message: str) -> None:
    """One line on standard error."""
    print(f"pos: {_printable(' '.join(message.split()))}", file=sys.stderr, flush=True)


@contextmanager
def progress(message: str, logger_name: str | None = None) -> Iterator[None]:
    """A spinner while something takes long; nothing where standard error is no terminal.

    Args:
        logger_name: whose lines are shown beside it as they come.
    """
    if not errors.is_terminal:
        yield
        return
    with errors.status(message) as status, ExitStack() as noted:
        if logger_name:
            logger = logging.getLogger(logger_name)
            handler = _Shown(lambda line: status.update(f"{message}. {escape(_printable(line))}"))
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
            noted.callback(logger.removeHandler, handler)
        yield


class _Shown(logging.Handler):
    """Hands each line on as it is."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())


def _printable(text: str) -> str:
    """Vendors' texts may hold control characters and half surrogates, which a terminal must not get."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
