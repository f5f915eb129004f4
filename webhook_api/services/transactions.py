"""Reading sales: pages, streams of all pages, one transaction with its documents, sums."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from pipelines.registry import connectors
from pos_core.errors import QueryError, UnknownResourceError
from pos_core.repositories import raw_documents, transactions
from pos_core.repositories.transactions import TRANSACTION_COLUMNS, Filters, Group, Position, Row, Sort
from webhook_api.schemas.transactions import SummaryQuery, TransactionQuery
from webhook_api.services import cursors
from webhook_api.services.rendering import csv_text, json_lines, json_text, plain, with_member

JSON, CSV, JSON_LINES = "application/json", "text/csv", "application/x-ndjson"
MEDIA_TYPES = (JSON, CSV, JSON_LINES)
DEFAULT_LIMIT = 100
_CHUNK_ROWS = 500
_MOST_DOCUMENTS = 500
_MOST_GROUPS = 20_000
# Part of every entity tag: to be counted up when rows are rendered in another way.
_RENDERING = "1"

Known = Callable[[str], bool]
"""Whether the client has the representation with this entity tag already."""


@dataclass(frozen=True)
class Listing:
    """Which rows, in which order, from which place on, in which form."""

    tenant_id: UUID
    filters: Filters
    sort: Sort
    after: Position | None
    parts: frozenset[str]
    media_type: str

    @classmethod
    def of(cls, tenant_id: UUID, query: TransactionQuery, media_type: str) -> "Listing":
        """What a request asks for.

        Raises:
            QueryError: the cursor is of another listing, or CSV is to include lines or payments.
        """
        if media_type == CSV and query.parts:
            raise QueryError(
                "CSV has the columns of the transactions alone; leave `include` out, or accept JSON."
            )
        filters, sort, after = query.filters, query.order, None
        if query.cursor is not None:
            after = cursors.decode(tenant_id, sort, filters, query.cursor)
        return cls(tenant_id, filters, sort, after, query.parts, media_type)

    def cursor(self, position: Position) -> str:
        """The cursor of a place in it."""
        return cursors.encode(self.tenant_id, self.sort, self.filters, position)


@dataclass(frozen=True)
class Answer:
    """What a request is answered; `body` is None when the client has it already."""

    tag: str
    body: str | None
    next_cursor: str | None = None


@dataclass(frozen=True)
class _Found:
    rows: list[Row]
    has_more: bool
    next_position: Position | None


def read_page(engine: Engine, listing: Listing, limit: int, known: Known) -> Answer:
    """One page; of one that the client has, neither lines nor payments are read and nothing is rendered."""
    with transactions.snapshot(engine) as connection:
        found = _find(connection, listing, listing.after, limit)
        cursor = listing.cursor(found.next_position) if found.next_position else None
        tag = _tag(
            listing.media_type,
            sorted(listing.parts),
            cursor,
            found.has_more,
            [(row["transaction_id"], row["normalized_at"]) for row in found.rows],
        )
        if known(tag):
            return Answer(tag, None, cursor)
        if listing.media_type != JSON:
            return Answer(tag, _rendered(connection, listing, found.rows, is_first=True), cursor)
        page = {
            "data": _with_parts(connection, listing.tenant_id, listing.parts, found.rows),
            "next_cursor": cursor,
            "has_more": found.has_more,
        }
        return Answer(tag, json_text(page), cursor)


def stream(engine: Engine, listing: Listing) -> Iterator[str]:
    """All rows from the listing's place on, in pieces; each piece is a transaction of its own, so that a slow
    client holds neither a connection nor a snapshot. By changes it ends with what there was at its start.
    """
    after, is_first, end = listing.after, True, None
    while True:
        with transactions.snapshot(engine) as connection:
            if is_first and listing.sort is Sort.CHANGED:
                end = transactions.newest_change(connection, listing.tenant_id)
            found = _find(connection, listing, after, _CHUNK_ROWS)
            piece = _rendered(connection, listing, found.rows, is_first=is_first)
        yield piece
        after, is_first = found.next_position, False
        if not found.has_more or (end is not None and after is not None and after >= end):
            return


def _find(connection: Connection, listing: Listing, after: Position | None, limit: int) -> _Found:
    """The rows of a page, and where the next one begins.

    By changes the last page has a next place too. It is never past the newest row that the tenant has now:
    normalising runs in one transaction after the other, so whatever commits later, even if it has begun
    already, lies behind it.
    """
    rows = transactions.page(connection, listing.tenant_id, listing.filters, listing.sort, after, limit + 1)
    if len(rows) > limit:
        rows = rows[:limit]
        return _Found(rows, True, transactions.position(rows[-1], listing.sort))
    if listing.sort is not Sort.CHANGED:
        return _Found(rows, False, None)
    newest = transactions.newest_change(connection, listing.tenant_id)
    return _Found(rows, False, max(after or cursors.START, newest or cursors.START))


def _rendered(connection: Connection, listing: Listing, rows: Sequence[Row], *, is_first: bool) -> str:
    if listing.media_type == CSV:
        return csv_text(TRANSACTION_COLUMNS, rows, header=is_first)
    return json_lines(_with_parts(connection, listing.tenant_id, listing.parts, rows))


def _with_parts(
    connection: Connection, tenant_id: UUID, parts: frozenset[str], rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """Rows as JSON has them, with what is to come along; one query for each part."""
    rendered = [plain(row) for row in rows]
    ids = [row["transaction_id"] for row in rows]
    for part, read in (("items", transactions.items), ("payments", transactions.payments)):
        if part in parts:
            children = read(connection, tenant_id, ids)
            for row_id, row in zip(ids, rendered, strict=True):
                row[part] = [plain(child) for child in children.get(row_id, ())]
    return rendered


def read_one(
    engine: Engine, tenant_id: UUID, transaction_id: UUID, with_payload: bool, known: Known
) -> Answer:
    """A transaction with its lines, payments and the history of its documents.

    Raises:
        UnknownResourceError: there is none with this id; another tenant's looks the same.
    """
    with transactions.snapshot(engine) as connection:
        row = transactions.one(connection, tenant_id, transaction_id)
        if row is None:
            raise UnknownResourceError(f"There is no transaction {transaction_id}.")
        documents, has_all = _documents(connection, tenant_id, row, with_payload=False)
        tag = _tag(with_payload, transaction_id, row["normalized_at"], has_all, documents)
        if known(tag):
            return Answer(tag, None)
        if with_payload:
            documents, has_all = _documents(connection, tenant_id, row, with_payload=True)
        [rendered] = _with_parts(connection, tenant_id, frozenset({"items", "payments"}), [row])
        rendered["has_all_documents"] = has_all
        history = ",".join(_document_json(each) for each in documents)
        return Answer(tag, with_member(json_text(rendered), "documents", f"[{history}]"))


def _document_json(document: dict[str, Any]) -> str:
    """A document's payload goes out as the text that it is: no number is read on the way."""
    payload = document.pop("payload", None)
    rendered = json_text(document)
    return rendered if payload is None else with_member(rendered, "payload", payload)


def _documents(
    connection: Connection, tenant_id: UUID, row: Row, *, with_payload: bool
) -> tuple[list[dict[str, Any]], bool]:
    """The versions of the sales document and of those that refer to it, newest first; whether that is all."""
    connector = connectors().get(row["pos_system"])
    versions = [
        {"stream": stream.name, **version}
        for stream in (connector.streams if connector else ())
        if connector and (stream.name == connector.sales_stream or stream.refers_to_order)
        for version in raw_documents.versions(
            connection,
            tenant_id,
            row["pos_system"],
            stream.name,
            row["configuration_id"],
            row["external_order_id"],
            is_order_reference=stream.name != connector.sales_stream,
            with_payload=with_payload,
            limit=_MOST_DOCUMENTS + 1,
        )
    ]
    versions.sort(key=lambda each: each["received_at"], reverse=True)
    return [plain(each) for each in versions[:_MOST_DOCUMENTS]], len(versions) <= _MOST_DOCUMENTS


def summarise(engine: Engine, tenant_id: UUID, query: SummaryQuery) -> str:
    """Sums of the revenue of some trading days.

    Raises:
        QueryError: there are more groups than an answer can have.
    """
    groups = [Group(each) for each in query.group_by.split(",")]
    with transactions.snapshot(engine) as connection:
        rows = transactions.summary(connection, tenant_id, query.first, query.last, groups, _MOST_GROUPS + 1)
    if len(rows) > _MOST_GROUPS:
        raise QueryError(
            f"The summary would have more than {_MOST_GROUPS:,} rows; ask for fewer days, or group by less."
        )
    return json_text({"data": [plain(row) for row in rows]})


def _tag(*parts: object) -> str:
    """A strong entity tag; what it is made of tells one representation from every other."""
    return f'"{hashlib.sha256(repr((_RENDERING, *parts)).encode()).hexdigest()[:32]}"'
