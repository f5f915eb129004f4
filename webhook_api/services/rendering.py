"""Rows as text, the same in every format: JSON, JSON lines and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

_CENTS = 2
# What spreadsheets take for a formula, and the mark itself, so that it can be taken away again.
_MARK = "'"
_MARKED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", _MARK)
_NOT_MONEY = frozenset({"quantity"})


def decimal_text(value: Decimal, places: int = 0) -> str:
    """An exact decimal without exponent and without zeros at its end.

    Args:
        places: so many are written at least.
    """
    whole, _, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    text = f"{whole}.{fraction}" if fraction else whole
    return text.removeprefix("-") if not value else text


def instant_text(value: datetime) -> str:
    """RFC 3339 in UTC, with a fraction of a second where there is one."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's values as JSON has them: amounts, instants, days and ids are texts."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value, 0 if name in _NOT_MONEY else _CENTS)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def json_text(value: Any) -> str:
    """Compact JSON of plain values."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def with_member(json_object: str, name: str, json_value: str) -> str:
    """A non-empty JSON object with one more member, whose value is JSON text and stays as it is."""
    return f"{json_object[:-1]},{json_text(name)}:{json_value}}}"


def json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """One object a line."""
    return "".join(f"{json_text(row)}\n" for row in rows)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, header: bool) -> str:
    """CSV of RFC 4180; null is empty.

    A text that a spreadsheet could run gets an apostrophe before it, as does one that begins with an
    apostrophe: taking one away from each text that has it gives the value back. Numbers, instants and ids
    stay as they are.

    Args:
        rows: as they came from the database, by whose types texts are known.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(name, row[name]) for name in columns])
    return written.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _MARK + value if value.startswith(_MARKED) else value
    return str(_value(name, value))
