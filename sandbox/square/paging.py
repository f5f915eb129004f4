"""Pages over live rows: cursors are bound to their query, die young and resume at a place.

A cursor remembers the last row given out, not a copy of the list, so rows that change between two
pages move, as they do at the vendor.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.clock import SECOND, Clock, Instant
from sandbox.ids import opaque
from sandbox.sales import Sale
from sandbox.square.errors import VendorError, invalid

Place = tuple[Instant, str]


@dataclass(slots=True, eq=False)
class Row:
    """One document of a stream, with what searches look at; ``text`` makes its JSON."""

    key: str
    created_at: Instant
    updated_at: Instant
    closed_at: Instant | None
    available_at: Instant
    location: str | None
    state: str
    text: Callable[[], bytes]
    sale: Sale | None = None


Index = Sequence[tuple[Instant, str, Row]]


def sort_rows(rows: Sequence[Row], field: str) -> Index:
    """Rows in order of one of their times; those without it are left out."""
    timed = [(getattr(row, field), row.key, row) for row in rows]
    return sorted((each for each in timed if each[0] is not None), key=lambda each: each[:2])


@dataclass(frozen=True, slots=True)
class Query:
    """What a listing asks for; ``end_at`` None means the time of the chain's first request."""

    text: str
    start_at: Instant | None
    end_at: Instant | None
    is_descending: bool
    limit: int
    accepts: Callable[[Row], bool]


def invalid_cursor() -> VendorError:
    """The refusal of a cursor."""
    return invalid("INVALID_CURSOR", "The cursor is invalid or has expired.", "cursor")


@dataclass(frozen=True, slots=True)
class _Cursor:
    query_text: str
    end_at: Instant
    after: Place
    page: int
    sandbox_at: Instant
    real_seconds: float


class Pager:
    """Hands out pages and cursors."""

    def __init__(self, clock: Clock, settings: Mapping[str, int]) -> None:
        """Makes a pager.

        Args:
            clock: the sandbox's clock.
            settings: ``cursor_seconds``, how long a cursor lives by either clock, and
                ``short_pages``, whether some pages are shorter than their limit.
        """
        self._clock = clock
        self._settings = settings
        self._cursors: dict[str, _Cursor] = {}
        self._handed_out = 0

    def expire(self) -> int:
        """Forgets every cursor and says how many there were."""
        number = len(self._cursors)
        self._cursors.clear()
        return number

    def page(self, index: Index, query: Query, token: str | None) -> tuple[list[Row], str | None]:
        """The page after a cursor, or the first one.

        Args:
            index: all rows, ascending.
            query: what is asked for.
            token: the cursor, if any.

        Returns:
            The rows and the next cursor, None at the end of the list.

        Raises:
            VendorError: the cursor is unknown, too old, or belongs to another query.
        """
        cursor = self._resume(token, query) if token else None
        now = self._clock.now()
        end_at = cursor.end_at if cursor else (now if query.end_at is None else query.end_at)
        page = cursor.page + 1 if cursor else 0
        limit = query.limit
        if self._settings["short_pages"] and page % 3 == 1:
            limit = max(1, limit * 2 // 3)
        taken: list[Row] = []
        last: Place | None = None
        for instant, key, row in self._candidates(index, query, end_at, cursor):
            if row.available_at > now or not query.accepts(row):
                continue
            if len(taken) == limit and last is not None:
                return taken, self._hand_out(query, end_at, last, page)
            taken.append(row)
            last = (instant, key)
        return taken, None

    def _candidates(
        self, index: Index, query: Query, end_at: Instant, cursor: _Cursor | None
    ) -> Sequence[tuple[Instant, str, Row]]:
        low = 0
        if query.start_at is not None:
            low = bisect_left(index, query.start_at, key=lambda each: each[0])
        high = bisect_right(index, end_at, key=lambda each: each[0])
        if cursor is not None and query.is_descending:
            high = min(high, bisect_left(index, cursor.after, key=lambda each: each[:2]))
        elif cursor is not None:
            low = max(low, bisect_right(index, cursor.after, key=lambda each: each[:2]))
        rows = index[low:high]
        return rows[::-1] if query.is_descending else rows

    def _hand_out(self, query: Query, end_at: Instant, after: Place, page: int) -> str:
        self._handed_out += 1
        token = opaque(40, "cursor", self._handed_out, query.text)
        now = self._clock.now()
        self._cursors[token] = _Cursor(query.text, end_at, after, page, now, time.monotonic())
        return token

    def _resume(self, token: str, query: Query) -> _Cursor:
        cursor = self._cursors.get(token)
        lifetime = self._settings["cursor_seconds"]
        if cursor is not None:
            sandbox_age = (self._clock.now() - cursor.sandbox_at) / SECOND
            is_old = max(sandbox_age, time.monotonic() - cursor.real_seconds) > lifetime
            if not is_old and cursor.query_text == query.text:
                return cursor
        raise invalid_cursor()
