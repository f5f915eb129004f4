"""One merchant's documents as its restaurants answer them, injected ones among them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import simplejson

from sandbox.clock import Instant, parse_instant
from sandbox.ids import opaque
from sandbox.toast import payments
from sandbox.toast.book import Book
from sandbox.toast.config import KINDS
from sandbox.toast.documents import order_document
from sandbox.toast.names import Json, business_date, day_number, restaurant_guid
from sandbox.toast.records import Check, Order, Payment
from sandbox.toast.restaurants import restaurant
from sandbox.toast.truth import payment_guid
from sandbox.world import Shop

STREAMS = ("orders", "restaurants", *KINDS)
Paid = tuple[Order, Check, Payment]


def encode(document: object) -> bytes:
    """A document as the vendor sends it: compact, in ASCII, numbers digit for digit."""
    text: str = simplejson.dumps(document, separators=(",", ":"), use_decimal=True)
    return text.encode()


@dataclass(frozen=True, slots=True)
class Row:
    """One document with what lists look at; ``days`` are the business dates it is listed under."""

    key: str
    modified_at: Instant
    text: Callable[[], bytes]
    days: Callable[[], set[int]]


@dataclass(frozen=True, slots=True)
class _Injected:
    key: str
    shop_key: str
    modified_at: Instant
    day: int
    content: bytes


class Shelf:
    """A merchant's rows, made again when its book has changed."""

    def __init__(self, book: Book, settings: Mapping[str, int]) -> None:
        """Looks at a book.

        Args:
            book: the merchant's.
            settings: ``kept_texts``, how many orders are kept as text; others are written anew each time.
        """
        self.book = book
        self.merchant = book.merchant
        self._settings = settings
        self._injected: dict[str, dict[str, _Injected]] = {name: {} for name in STREAMS}
        self._texts: dict[int, tuple[int, bytes]] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._payments: dict[str, dict[str, Paid]] = {}
        self._revision = -1

    def orders(self, shop: Shop) -> dict[str, Row]:
        """A restaurant's orders by identifier, in no order that means anything."""
        self._refresh()
        if not self._rows:
            found: dict[str, dict[str, Row]] = {each.key: {} for each in self.merchant.shops}
            for order in self.book.orders:
                found[order.shop.key][order.guid] = self._row(order)
            for given in self._injected["orders"].values():
                known = found[given.shop_key].get(given.key)
                if known is None or known.modified_at <= given.modified_at:
                    found[given.shop_key][given.key] = _injected_row(given)
            self._rows = {key: dict(sorted(rows.items())) for key, rows in found.items()}
        return self._rows[shop.key]

    def payments(self, shop: Shop) -> dict[str, Paid]:
        """A restaurant's payments by identifier, with order and check."""
        self._refresh()
        if shop.key not in self._payments:
            self._payments[shop.key] = {
                payment_guid(order, payment): (order, check, payment)
                for order in self.book.orders
                if order.shop is shop
                for check in order.body.checks
                if not check.is_removed
                for payment in check.payments
            }
        return self._payments[shop.key]

    def payment_text(self, paid: Paid) -> bytes:
        """A payment by itself."""
        return encode(payments.payment(*paid))

    def restaurant_text(self, shop: Shop) -> bytes:
        """A restaurant."""
        given = self._injected["restaurants"].get(restaurant_guid(self.merchant, shop))
        return encode(restaurant(self.merchant, shop)) if given is None else given.content

    def configured(self, kind: str, shop: Shop) -> list[tuple[str, Instant, bytes]]:
        """A restaurant's configured things of one kind: identifier, time of change, text."""
        found = {
            key: (key, at, encode(document))
            for key, at, document in self.book.configuration.entries(kind, shop)
        }
        for given in self._injected[kind].values():
            found[given.key] = (given.key, given.modified_at, given.content)
        return sorted(found.values(), key=lambda each: each[0])

    def inject(self, stream: str, text: str, now: Instant) -> str:
        """Adds a document verbatim and answers the identifier it is found by.

        A new order is the first restaurant's, for a document does not say whose it is.
        """
        document = _lenient(text)
        name = document.get("guid")
        count = len(self._injected[stream])
        key = name if isinstance(name, str) else opaque(20, "injected", stream, count)
        known = next((each for each in self.book.orders if each.guid == key), None)
        day = document.get("businessDate")
        self._injected[stream][key] = _Injected(
            key=key,
            shop_key=self.merchant.shops[0].key if known is None else known.shop.key,
            modified_at=_time(document, now),
            day=day if isinstance(day, int) else 0,
            content=text.encode("utf-8", "surrogatepass"),
        )
        self.book.revision += 1
        return key

    def _refresh(self) -> None:
        if self._revision != self.book.revision:
            self._rows, self._payments = {}, {}
            self._revision = self.book.revision

    def _row(self, order: Order) -> Row:
        return Row(order.guid, order.modified_at, partial(self._text, order), partial(_days, order))

    def _text(self, order: Order) -> bytes:
        revision, text = self._texts.get(order.number, (-1, b""))
        if revision != order.revision:
            text = encode(order_document(order))
            if len(self._texts) < self._settings["kept_texts"]:
                self._texts[order.number] = (order.revision, text)
        return text


def _days(order: Order) -> set[int]:
    """The day it was opened on, and the day it is promised for."""
    promised_at = order.body.promised_at
    instants = [order.opened_at] if promised_at is None else [order.opened_at, promised_at]
    return {day_number(business_date(order.merchant, order.shop, at)) for at in instants}


def _injected_row(given: _Injected) -> Row:
    return Row(given.key, given.modified_at, lambda: given.content, lambda: {given.day})


def _lenient(text: str) -> Json:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _time(document: Json, otherwise: Instant) -> Instant:
    value = document.get("modifiedDate")
    if not isinstance(value, str):
        return otherwise
    try:
        return parse_instant(value)
    except (ValueError, OverflowError):
        return otherwise
