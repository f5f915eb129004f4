"""What people give to commands, read and checked: files, instants, times of day."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_core.errors import PosError, SettingsError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value, also on failure.")]
"""The option that every command has."""


def read_json(path: Path, error: type[PosError]) -> Any:
    """The JSON of a file.

    Raises:
        PosError: of the given class; it cannot be read, or is no JSON. Its content is never repeated.
    """
    from pipelines import json_text

    try:
        return json_text.parse(path.read_bytes())
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise error(f"{path} holds no valid JSON.") from None


def read_instant(given: str | None, option: str) -> datetime | None:
    """An instant in ISO 8601; without an offset it is UTC.

    Raises:
        SettingsError: it is none; the message names the option.
    """
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{option} {given!r} is no ISO 8601 time like 2026-03-01T00:00:00Z.") from None


def read_time_of_day(given: str | None, option: str) -> time | None:
    """A local time of day.

    Raises:
        SettingsError: it is none, or has an offset.
    """
    if given is None:
        return None
    try:
        at = time.fromisoformat(given)
    except ValueError:
        at = time.max.replace(tzinfo=UTC)
    if at.tzinfo is not None:
        raise SettingsError(f"{option} {given!r} is no local time like 04:00.")
    return at
