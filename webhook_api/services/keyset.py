"""Opaque cursors of lists: where the next page begins."""

import base64
import binascii
import json
from datetime import UTC, datetime
from uuid import UUID

_LARGEST_ID = 2**63 - 1


def write(*parts: object) -> str:
    """The cursor of a place in a list."""
    text = json.dumps(parts, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_id(cursor: str) -> int:
    """The number in a cursor.

    Raises:
        ValueError: it was not written by `write` for a list of numbers.
    """
    (number,) = _read(cursor, 1)
    if type(number) is not int or not 0 < number <= _LARGEST_ID:
        raise ValueError("is no cursor of this list")
    return number


def read_time_and_id(cursor: str) -> tuple[datetime, UUID]:
    """The time and the id in a cursor.

    Raises:
        ValueError: it was not written by `write` for a list by time and id.
    """
    at, identity = _read(cursor, 2)
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(identity))
    except (ValueError, OverflowError):
        raise ValueError("is no cursor of this list") from None


def _read(cursor: str, count: int) -> list[object]:
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or len(parts) != count:
        raise ValueError("is no cursor of this list")
    return parts
