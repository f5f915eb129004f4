"""Lists of payments, refunds and catalogue objects: their parameters and answers.

Source: Square API 2025-08-20, ListPayments, ListPaymentRefunds, SearchCatalogObjects, ListCatalog.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.clock import DAY, Instant, parse_instant
from sandbox.square.catalog import ITEM_TYPES, TOP_TYPES
from sandbox.square.errors import invalid
from sandbox.square.names import Json, location_id, time_text
from sandbox.square.paging import Index, Query, Row
from sandbox.square.streams import encode
from sandbox.world import Merchant

MOST_LISTED = 100
MOST_OBJECTS = 1_000
_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be given; ``field`` is the row's time it runs over."""

    field: str
    query: Query
    cursor: str | None


def wrap(
    name: str,
    texts: Sequence[bytes],
    cursor: str | None,
    more: Mapping[str, str | None] | None = None,
) -> bytes:
    """An answer around documents' own texts; keys without a value are left out."""
    parts: list[bytes] = []
    if texts:
        parts.append(encode(name) + b":[" + b",".join(texts) + b"]")
    for key, value in {"cursor": cursor, **(more or {})}.items():
        if value is not None:
            parts.append(encode(key) + b":" + encode(value))
    return b"{" + b",".join(parts) + b"}"


def read_listing(stream: str, merchant: Merchant, parameters: Mapping[str, str], now: Instant) -> Listing:
    """Reads the parameters of a list of payments or refunds.

    Payments are those of the main location unless one is named, refunds those of all; both go back
    a year unless told otherwise. A limit above 100 counts as 100.

    Raises:
        VendorError: a value the vendor refuses.
    """
    sort_field = parameters.get("sort_field", "CREATED_AT")
    if sort_field not in _FIELDS:
        raise invalid("INVALID_ENUM_VALUE", "No such sort_field.", "sort_field")
    sort_order = parameters.get("sort_order", "DESC")
    if sort_order not in ("ASC", "DESC"):
        raise invalid("INVALID_SORT_ORDER", "No such sort_order.", "sort_order")
    location = parameters.get("location_id")
    if location is None and stream == "payments":
        location = location_id(merchant, merchant.shops[0])
    known = {location_id(merchant, shop) for shop in merchant.shops}
    if location is not None and location not in known:
        raise invalid("INVALID_VALUE", f"Not this merchant's location: {location}", "location_id")
    begin_at = _instant(parameters, "begin_time")
    end_at = _instant(parameters, "end_time")
    changed_from = _instant(parameters, "updated_at_begin_time")
    changed_to = _instant(parameters, "updated_at_end_time")
    created_from = now - 365 * DAY if begin_at is None else begin_at
    status = parameters.get("status") if stream == "refunds" else None

    def accepts(row: Row) -> bool:
        if location is not None and row.location not in (None, location):
            return False
        if row.created_at < created_from or (end_at is not None and row.created_at > end_at):
            return False
        if changed_from is not None and row.updated_at < changed_from:
            return False
        if changed_to is not None and row.updated_at > changed_to:
            return False
        return status is None or row.state == status

    by_creation = sort_field == "CREATED_AT"
    text = json.dumps(sorted((k, v) for k, v in parameters.items() if k not in ("cursor", "limit")))
    return Listing(
        field=_FIELDS[sort_field],
        query=Query(
            text=f"{merchant.key} {stream} {text}",
            start_at=created_from if by_creation else changed_from,
            end_at=end_at if by_creation else changed_to,
            is_descending=sort_order == "DESC",
            limit=_limit(parameters.get("limit"), MOST_LISTED),
            accepts=accepts,
        ),
        cursor=parameters.get("cursor") or None,
    )


def read_catalog_search(body: Json) -> Listing:
    """Reads a search for catalogue objects; ``begin_time`` itself is not included.

    Raises:
        VendorError: a value the vendor refuses.
    """
    types = body.get("object_types") or list(TOP_TYPES)
    if not isinstance(types, list):
        raise invalid("EXPECTED_ARRAY", "object_types must be an array.", "object_types")
    begin_time = body.get("begin_time")
    begin_at = _instant({"begin_time": str(begin_time)}, "begin_time") if begin_time else None
    wants_deleted = bool(body.get("include_deleted_objects"))
    cursor = body.get("cursor")
    query = {key: value for key, value in body.items() if key not in ("cursor", "limit")}
    return Listing(
        field="updated_at",
        query=Query(
            text=f"catalog search {json.dumps(query, sort_keys=True)}",
            start_at=None if begin_at is None else begin_at + 1,
            end_at=None,
            is_descending=False,
            limit=_limit(body.get("limit"), MOST_OBJECTS),
            accepts=lambda row: row.state in types and (wants_deleted or row.location != "deleted"),
        ),
        cursor=str(cursor) if cursor else None,
    )


def read_catalog_list(parameters: Mapping[str, str]) -> Listing:
    """Reads the parameters of a list of the catalogue, which never has deleted objects."""
    types = (parameters.get("types") or ",".join(ITEM_TYPES)).upper().split(",")
    return Listing(
        field="updated_at",
        query=Query(
            text=f"catalog list {sorted(types)}",
            start_at=None,
            end_at=None,
            is_descending=False,
            limit=MOST_LISTED,
            accepts=lambda row: row.state in types and row.location != "deleted",
        ),
        cursor=parameters.get("cursor") or None,
    )


def latest_time(index: Index) -> str | None:
    """When the catalogue changed last."""
    return time_text(index[-1][0]) if index else None


def _limit(value: object, most: int) -> int:
    if value is None:
        return most
    try:
        limit = int(str(value))
    except ValueError as error:
        raise invalid("EXPECTED_INTEGER", "limit must be a whole number.", "limit") from error
    if limit < 1:
        raise invalid("VALUE_TOO_LOW", "limit must be at least 1.", "limit")
    return min(limit, most)


def _instant(parameters: Mapping[str, str], key: str) -> Instant | None:
    value = parameters.get(key)
    if not value:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise invalid("INVALID_TIME", f"Not an RFC 3339 time: {value}", key) from error
