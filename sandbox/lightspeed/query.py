"""Reads a request for sales and refuses what the vendor refuses; pages of the newer API.

Source: K-Series Financial API V2 and V1 (OpenAPI 1.0.0, read in 2026-11); portal page on pagination.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from sandbox.clock import DAY, Instant, parse_instant
from sandbox.lightspeed.documents import INCLUDES
from sandbox.lightspeed.errors import VendorError, plain
from sandbox.lightspeed.names import time_text
from sandbox.lightspeed.streams import Row

LONGEST_DAYS = 365
DEFAULT_PAGE, MOST = 50, 100
OLDER_MOST = 1_000
Given: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: the half-open interval [low, high), and how much at once."""

    low: Instant
    high: Instant
    include: frozenset[str]
    page_size: int
    token: str


def read_range(given: Given, now: Instant, earliest: Instant) -> Range:
    """Reads a request of the newer API.

    Args:
        given: the query's parameters.
        now: ``to``, where it is missing or later than this, becomes this.
        earliest: when the business location came into being.

    Raises:
        VendorError: anything the vendor refuses.
    """
    low = _instant(_required(given, "from", "OffsetDateTime"))
    high = min(_instant(given["to"]), now) if given.get("to") else now
    if low > high:
        texts = f"'from' date {time_text(low)} should not be after 'to' date {time_text(high)}"
        raise plain(f"Invalid date range: {texts}")
    _check_length(low, high)
    if low < earliest:
        raise before_opening(earliest)
    size = _page_size(given, DEFAULT_PAGE, MOST)
    return Range(low, high, read_include(given), size, given.get("nextPageToken", ""))


def read_older_range(given: Given, texts: tuple[str, str], now: Instant) -> Range:
    """Reads a request of the older API, with its times in the path.

    Raises:
        VendorError: anything the vendor refuses.
    """
    low, high = (_instant(text) for text in texts)
    if low > high:
        raise plain(f"Invalid date range: 'from' date {texts[0]} should not be after 'to' date {texts[1]}")
    _check_length(low, high)
    size = _page_size(given, OLDER_MOST, OLDER_MOST)
    return Range(low, min(high, now), read_include(given), size, given.get("nextPageToken", ""))


def read_include(given: Given) -> frozenset[str]:
    """What is asked for beside the bare sales; unknown words mean nothing."""
    return INCLUDES & {word.strip() for word in given.get("include", "").split(",")}


def read_day(text: str) -> date:
    """Reads a calendar day.

    Raises:
        VendorError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise plain(f"Invalid date format: {text}") from None


def required_day(given: Given) -> date:
    """The ``date`` of a request that must have one.

    Raises:
        VendorError: there is none.
    """
    return read_day(_required(given, "date", "LocalDate"))


def before_opening(earliest: Instant) -> VendorError:
    """The refusal of a time before the business location existed."""
    return plain(
        "Invalid 'from' date query parameter. The requested business location was not operational on the "
        f"provided date.\nPlease specify a date and time after: {time_text(earliest)}, which is the earliest "
        "available date for this location.\n"
    )


def page(rows: Sequence[Row], asked: Range) -> tuple[list[Row], str | None]:
    """One page and the token of the next.

    The token is nothing but the time of the next page's first sale. So sales of one millisecond that a
    page's end falls between are answered twice; more of them than a page holds are lost.

    Args:
        rows: all that was asked for, by time.
        asked: page size, and the token of the page before.

    Raises:
        VendorError: the token is none.
    """
    start = _read_token(asked.token) if asked.token else asked.low
    left = [row for row in rows if row.at >= start]
    taken, rest = left[: asked.page_size], left[asked.page_size :]
    later = [row for row in rest if row.at > taken[0].at] if taken else []
    return taken, _token(later[0].at) if later else None


def _token(at: Instant) -> str:
    return base64.b64encode(time_text(at).encode()).decode()


def _read_token(text: str) -> Instant:
    try:
        return parse_instant(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, ValueError):
        raise plain("Invalid nextPageToken") from None


def _required(given: Given, name: str, kind: str) -> str:
    text = given.get(name)
    if not text:
        raise plain(f"Required request parameter '{name}' for method parameter type {kind} is not present")
    return text


def _instant(text: str) -> Instant:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise plain(f"Invalid date format: {text}") from None


def _check_length(low: Instant, high: Instant) -> None:
    if high - low > LONGEST_DAYS * DAY:
        raise plain(f"Invalid date range: it cannot exceed {LONGEST_DAYS} days")


def _page_size(given: Given, default: int, most: int) -> int:
    text = given.get("pageSize", "") or str(default)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= most:
        raise plain(f"Invalid pageSize: it must be within 1 and {most}")
    return int(text)
