"""The accounts of one merchant as its shops' lists, with documents that were put in verbatim."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sandbox.clock import DAY, Instant, parse_instant
from sandbox.ids import digest, opaque
from sandbox.lightspeed.accounts import Account
from sandbox.lightspeed.book import Book
from sandbox.lightspeed.days import day_begins, day_ends
from sandbox.lightspeed.documents import sale
from sandbox.lightspeed.names import encode
from sandbox.lightspeed.older import older_sale
from sandbox.world import Shop

STREAMS = ("sales",)
Text = Callable[[frozenset[str]], bytes]
_KEPT_TEXTS = 8_000


@dataclass(frozen=True, slots=True)
class Row:
    """Something a list can answer: when it was closed, and its text."""

    at: Instant
    place: int
    key: str
    available_at: Instant
    text: Text


class Streams:
    """One merchant's lists, made again when its book has changed."""

    def __init__(self, book: Book) -> None:
        """Looks at a book."""
        self.book = book
        self._injected: list[tuple[Shop, Row]] = []
        self._rows: dict[tuple[str, bool], list[Row]] = {}
        self._revision = -1
        # Reads overlap and days are read again: the same accounts are asked for many times.
        self._text = lru_cache(_KEPT_TEXTS)(_text)

    def rows(self, shop: Shop, *, is_older: bool = False) -> list[Row]:
        """A shop's rows, by time and place in the book.

        Args:
            shop: which one.
            is_older: with original dates, as the older API has them.
        """
        if self._revision != self.book.revision:
            self._rows.clear()
            self._revision = self.book.revision
        key = (shop.key, is_older)
        if key not in self._rows:
            found = {
                account.external_id: self._row(account, is_older=is_older)
                for account in self.book.accounts
                if account.shop is shop
            }
            if not is_older:
                found |= {row.key: row for each, row in self._injected if each is shop}
            self._rows[key] = sorted(found.values(), key=lambda row: (row.at, row.place))
        return self._rows[key]

    def between(
        self, shop: Shop, low: Instant, high: Instant, now: Instant, *, is_older: bool = False
    ) -> list[Row]:
        """A shop's rows within [low, high) that the vendor has by now, by time."""
        rows = self._slice(self.rows(shop, is_older=is_older), low, high)
        return [row for row in rows if row.available_at <= now]

    def day(self, shop: Shop, day: date, now: Instant, *, is_older: bool = False) -> list[Row]:
        """A shop's rows of one business day."""
        return self.between(shop, day_begins(shop, day), day_ends(shop, day), now, is_older=is_older)

    def is_complete(self, shop: Shop, day: date, now: Instant) -> bool:
        """Whether a business day is over and every till has brought what it sold on it."""
        if now < day_ends(shop, day):
            return False
        rows = self._slice(self.rows(shop), day_begins(shop, day), day_ends(shop, day))
        return all(row.available_at <= now for row in rows)

    def _row(self, account: Account, *, is_older: bool) -> Row:
        def text(include: frozenset[str]) -> bytes:
            return self._text(account, include, is_older, (account.closed_at, account.is_cancelled))

        at = account.dated_at if is_older else account.closed_at
        key = account.fiscal_id if is_older else account.external_id
        return Row(at, account.number, key, account.available_at, text)

    @staticmethod
    def _slice(rows: list[Row], low: Instant, high: Instant) -> list[Row]:
        start, end = (bisect_left(rows, each, key=lambda row: row.at) for each in (low, high))
        return rows[start:end]

    def inject(self, text: str, now: Instant) -> str:
        """Adds a document to the newer list, verbatim, and answers its id.

        It hides the account of the same id, in that account's shop; a stranger is the first shop's.
        """
        document = _lenient(text)
        name = document.get("accountReference") or document.get("accountFiscId")
        count = len(self._injected)
        key = name if isinstance(name, str) and name else "injected-" + opaque(16, "injected", count)
        shop = self.book.merchant.shops[0]
        for account in self.book.accounts:
            if key in (account.external_id, account.fiscal_id):
                key, shop = account.external_id, account.shop
        content = text.encode("utf-8", "surrogatepass")
        row = Row(_time(document, now - 1), len(self.book.accounts) + count, key, now, lambda _: content)
        self._injected.append((shop, row))
        self.book.revision += 1
        return key


def _text(account: Account, include: frozenset[str], is_older: bool, state: tuple[Instant, bool]) -> bytes:
    """An account's JSON; ``state`` is what can change of it, so that a kept text is never an old one."""
    return encode(older_sale(account, include) if is_older else sale(account, include))


def unsorted(rows: Sequence[Row]) -> list[Row]:
    """Rows in the order of the older API, which is none; the same one every time."""
    return sorted(rows, key=lambda row: digest("order", row.key))


def _lenient(text: str) -> dict[str, Any]:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _time(document: dict[str, Any], otherwise: Instant) -> Instant:
    """When an injected document was closed; times that nobody could ask for count as now."""
    value = document.get("timeClosed")
    try:
        at = parse_instant(value) if isinstance(value, str) else otherwise
    except (ValueError, OverflowError):
        return otherwise
    return at if 0 <= otherwise - at < 365 * DAY else otherwise
