"""The rows that searches run over: orders, payments, refunds, catalogue and injected documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sandbox.clock import Instant, parse_instant
from sandbox.ids import opaque
from sandbox.sales import Refund, Sale, Tender
from sandbox.square import catalog, payments
from sandbox.square.names import (
    Json,
    location_id,
    order_id,
    payment_id,
    refund_id,
)
from sandbox.square.orders import order
from sandbox.square.paging import Index, Row, sort_rows
from sandbox.trade import NEVER
from sandbox.world import Merchant

STREAMS = ("orders", "payments", "refunds", "catalog", "locations")


def encode(document: object) -> bytes:
    """A document as the vendor sends it: compact, in ASCII."""
    return json.dumps(document, separators=(",", ":")).encode()


class Streams:
    """One merchant's rows, made again when the merchant's book has changed."""

    def __init__(self, merchant: Merchant, settings: Mapping[str, int]) -> None:
        """Looks at a merchant's book.

        Args:
            merchant: whose book.
            settings: ``kept_texts``, how many orders are kept as text; others are written anew each time;
                ``lag_reads``, how often a new order is answered without its lines; ``absent_reads``, how
                often before that a new document asked for by its id is not there at all.
        """
        self.merchant = merchant
        self._settings = settings
        self.injected: dict[str, list[Row]] = {name: [] for name in STREAMS}
        self.lag_from = 0
        self._reads: dict[int, int] = {}
        self._absences: dict[tuple[str, str], int] = {}
        self._texts: dict[int, tuple[int, bytes]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._indexes: dict[tuple[str, str], Index] = {}
        self._by_key: dict[str, dict[str, Row]] = {}
        self._revision: int | None = None

    def index(self, stream: str, field: str) -> Index:
        """A stream's rows in order of one of their times."""
        self._refresh()
        if (stream, field) not in self._indexes:
            self._indexes[stream, field] = sort_rows(self.rows(stream), field)
        return self._indexes[stream, field]

    def find(self, stream: str, key: str) -> Row | None:
        """The row of a document's id."""
        self._refresh()
        if stream not in self._by_key:
            self._by_key[stream] = {row.key: row for row in self.rows(stream)}
        return self._by_key[stream].get(key)

    def read(self, stream: str, key: str, now: Instant) -> Row | None:
        """What a read by id finds: not what is newer than ``now``, nor what the vendor itself lags behind."""
        row = self.find(stream, key)
        if row is None or row.available_at > now:
            return None
        count = self._absences.get((stream, key), 0)
        is_new = row.sale is not None and row.sale.number >= self.lag_from
        if is_new and count < self._settings["absent_reads"]:
            self._absences[stream, key] = count + 1
            return None
        return row

    def rows(self, stream: str) -> list[Row]:
        """A stream's rows; an injected document hides an older one of the same id."""
        self._refresh()
        if stream not in self._rows:
            makers: dict[str, Callable[[], list[Row]]] = {
                "orders": self._orders,
                "payments": self._payments,
                "refunds": self._refunds,
                "catalog": self._catalog,
                "locations": list,
            }
            rows = {row.key: row for row in makers[stream]()}
            for row in self.injected[stream]:
                known = rows.get(row.key)
                if known is None or known.updated_at <= row.updated_at or known.sale is None:
                    rows[row.key] = row
            self._rows[stream] = list(rows.values())
        return self._rows[stream]

    def inject(self, stream: str, text: str, now: Instant) -> str:
        """Adds a document verbatim and answers the id it is found by."""
        document = _lenient(text)
        count = len(self.injected[stream])
        name = document.get("id")
        key = name if isinstance(name, str) else opaque(20, "injected", stream, count)
        updated_at = _time(document, "updated_at", now)
        content = text.encode("utf-8", "surrogatepass")
        location, state = document.get("location_id"), document.get("state", "COMPLETED")
        row = Row(
            key=key,
            created_at=_time(document, "created_at", updated_at),
            updated_at=updated_at,
            closed_at=_time(document, "closed_at", updated_at),
            available_at=now,
            location=location if location in self._location_ids() else None,
            state=str(document.get("type", state)) if stream == "catalog" else str(state),
            text=lambda: content,
        )
        self.injected[stream].append(row)
        self.merchant.revision += 1
        return key

    def _location_ids(self) -> set[str]:
        return {location_id(self.merchant, shop) for shop in self.merchant.shops}

    def _refresh(self) -> None:
        if self._revision != self.merchant.revision:
            self._rows.clear()
            self._indexes.clear()
            self._by_key.clear()
            self._revision = self.merchant.revision

    def _orders(self) -> list[Row]:
        names = {shop.key: location_id(self.merchant, shop) for shop in self.merchant.shops}
        return [
            Row(
                key=order_id(sale),
                created_at=sale.opened_at,
                updated_at=sale.updated_at,
                closed_at=sale.closed_at,
                available_at=sale.available_at,
                location=names[sale.shop.key],
                state=sale.state.upper(),
                text=partial(self.order_text, sale),
                sale=sale,
            )
            for sale in self.merchant.sales
        ]

    def order_text(self, sale: Sale) -> bytes:
        """An order's JSON, without its lines while the read-after-write lag lasts."""
        if sale.number >= self.lag_from and self._reads.get(sale.number, 0) < self._settings["lag_reads"]:
            self._reads[sale.number] = self._reads.get(sale.number, 0) + 1
            document = order(sale)
            document.pop("line_items", None)
            return encode(document)
        revision, text = self._texts.get(sale.number, (-1, b""))
        if revision != sale.revision:
            text = encode(order(sale))
            if len(self._texts) < self._settings["kept_texts"]:
                self._texts[sale.number] = (sale.revision, text)
        return text

    def _payments(self) -> list[Row]:
        return [
            Row(
                key=payment_id(self.merchant, tender),
                created_at=tender.created_at,
                updated_at=tender.updated_at,
                closed_at=None,
                available_at=sale.available_at,
                location=location_id(self.merchant, sale.shop),
                state=tender.state,
                text=partial(_payment_text, sale, tender),
                sale=sale,
            )
            for sale in self._seen()
            for tender in sale.body.tenders
            if tender.method != "drawer"
        ]

    def _refunds(self) -> list[Row]:
        return [
            Row(
                key=refund_id(self.merchant, given),
                created_at=given.created_at,
                updated_at=given.updated_at,
                closed_at=None,
                available_at=sale.available_at,
                location=location_id(self.merchant, sale.shop),
                state=given.state.upper(),
                text=partial(_refund_text, sale, given),
                sale=sale,
            )
            for sale in self._seen()
            for given in sale.body.refunds
        ]

    def _seen(self) -> list[Sale]:
        return [sale for sale in self.merchant.sales if sale.available_at != NEVER]

    def _catalog(self) -> list[Row]:
        return [
            Row(
                key=document["id"],
                created_at=at,
                updated_at=at,
                closed_at=None,
                available_at=at,
                location="deleted" if document["is_deleted"] else None,
                state=kind,
                text=partial(encode, document),
            )
            for at, kind, document in catalog.objects(self.merchant)
        ]


def _payment_text(sale: Sale, tender: Tender) -> bytes:
    return encode(payments.payment(sale, tender))


def _refund_text(sale: Sale, given: Refund) -> bytes:
    return encode(payments.refund(sale, given))


def _lenient(text: str) -> Json:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _time(document: Json, name: str, otherwise: Instant) -> Instant:
    value = document.get(name)
    if not isinstance(value, str):
        return otherwise
    try:
        return parse_instant(value)
    except (ValueError, OverflowError):
        return otherwise
