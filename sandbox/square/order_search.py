"""Reads a search for orders, or a batch of ids, and refuses what the vendor refuses.

Source: Square API 2025-08-20, SearchOrders and BatchRetrieveOrders.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Instant, parse_instant
from sandbox.square import people
from sandbox.square.errors import invalid
from sandbox.square.names import Json, location_id
from sandbox.square.orders import fulfillment_state, source_name
from sandbox.square.paging import Query, Row
from sandbox.world import Merchant

MOST_LOCATIONS = 10
MOST_ORDERS = 1_000
MOST_IDS = 100
_DEFAULT_LIMIT = 500
_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "CLOSED_AT": "closed_at"}
_CLOSED_STATES = {"COMPLETED", "CANCELED"}
_STATES = {"OPEN", "DRAFT", *_CLOSED_STATES}
Accept = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Search:
    """A search that can be carried out; ``field`` is the row's time it runs over."""

    field: str
    query: Query
    cursor: str | None
    wants_entries: bool


def read_search(merchant: Merchant, body: Json) -> Search:
    """Reads a search's body.

    Raises:
        VendorError: anything the vendor refuses.
    """
    locations = _locations(merchant, body)
    limit = body.get("limit", _DEFAULT_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise invalid("VALUE_TOO_LOW", "limit must be at least 1.", "limit")
    if limit > MOST_ORDERS:
        raise invalid("VALUE_TOO_HIGH", f"limit must be at most {MOST_ORDERS}.", "limit")
    query = _mapping(body, "query", "query")
    filters = _mapping(query, "filter", "query.filter")
    sort = _mapping(query, "sort", "query.sort")
    sort_field = sort.get("sort_field", "CREATED_AT")
    if sort_field not in _FIELDS:
        raise invalid("INVALID_ENUM_VALUE", "No such sort_field.", "query.sort.sort_field")
    sort_order = sort.get("sort_order", "DESC")
    if sort_order not in ("ASC", "DESC"):
        raise invalid("INVALID_SORT_ORDER", "No such sort_order.", "query.sort.sort_order")
    start_at, end_at = _times(filters, sort_field)
    accepts = [_in_locations(locations), *_filters(merchant, filters, sort_field)]
    text = json.dumps([locations, query, bool(body.get("return_entries"))], sort_keys=True)
    return Search(
        field=_FIELDS[sort_field],
        query=Query(
            text=f"{merchant.key} orders {text}",
            start_at=start_at,
            end_at=end_at,
            is_descending=sort_order == "DESC",
            limit=limit,
            accepts=lambda row: all(accept(row) for accept in accepts),
        ),
        cursor=_text(body, "cursor"),
        wants_entries=bool(body.get("return_entries")),
    )


def read_batch(body: Json) -> tuple[list[str], str | None]:
    """Reads a batch's ids and location.

    Raises:
        VendorError: no ids, or too many.
    """
    keys = body.get("order_ids")
    if not isinstance(keys, list) or not keys:
        raise invalid("MISSING_REQUIRED_PARAMETER", "order_ids is required.", "order_ids")
    if len(keys) > MOST_IDS:
        raise invalid("ARRAY_LENGTH_TOO_LONG", f"At most {MOST_IDS} ids.", "order_ids")
    return [str(key) for key in keys], _text(body, "location_id")


def entry(row: Row) -> Json:
    """The short form of an order."""
    answer: Json = {"order_id": row.key}
    if row.sale is not None and row.sale.has_version:
        answer["version"] = row.sale.version
    if row.location is not None:
        answer["location_id"] = row.location
    return answer


def _mapping(body: Json, key: str, field: str) -> Json:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("EXPECTED_OBJECT", f"{field} must be an object.", field)
    return value


def _text(body: Json, key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise invalid("EXPECTED_STRING", f"{key} must be a string.", key)
    return value or None


def _locations(merchant: Merchant, body: Json) -> list[str]:
    field = "location_ids"
    locations = body.get(field)
    if not isinstance(locations, list) or not locations:
        raise invalid("MISSING_REQUIRED_PARAMETER", "location_ids is required.", field)
    if len(locations) > MOST_LOCATIONS:
        raise invalid("ARRAY_LENGTH_TOO_LONG", f"At most {MOST_LOCATIONS} locations.", field)
    known = {location_id(merchant, shop) for shop in merchant.shops}
    for location in locations:
        if location not in known:
            raise invalid("INVALID_VALUE", f"Not this merchant's location: {location}", field)
    return locations


def _times(filters: Json, sort_field: str) -> tuple[Instant | None, Instant | None]:
    field = "query.filter.date_time_filter"
    times = {k: v for k, v in _mapping(filters, "date_time_filter", field).items() if v}
    if not times:
        return None, None
    if len(times) != 1:
        raise invalid("BAD_REQUEST", "Exactly one time range can be filtered for.", field)
    name = next(iter(times))
    if name.upper() not in _FIELDS:
        raise invalid("BAD_REQUEST", f"No such time: {name}", field)
    if name.upper() != sort_field:
        detail = f"sort_field must be {name.upper()}, the time that is filtered for."
        raise invalid("BAD_REQUEST", detail, "query.sort.sort_field")
    bounds = _mapping(times, name, field)
    start_at, end_at = (_instant(bounds, key, f"{field}.{name}") for key in ("start_at", "end_at"))
    if start_at is not None and end_at is not None and start_at > end_at:
        raise invalid("INVALID_TIME_RANGE", "start_at is later than end_at.", field)
    return start_at, end_at


def _instant(bounds: Json, key: str, field: str) -> Instant | None:
    value = bounds.get(key)
    if value is None:
        return None
    try:
        return parse_instant(str(value))
    except ValueError as error:
        raise invalid("INVALID_TIME", f"Not an RFC 3339 time: {value}", f"{field}.{key}") from error


def _in_locations(locations: list[str]) -> Accept:
    wanted = {None, *locations}
    return lambda row: row.location in wanted


def _filters(merchant: Merchant, filters: Json, sort_field: str) -> list[Accept]:
    accepts: list[Accept] = []
    field = "query.filter.state_filter"
    states = _mapping(filters, "state_filter", field).get("states")
    if states is not None:
        wanted = set(_strings(states, f"{field}.states"))
        if wanted - _STATES:
            raise invalid("INVALID_ENUM_VALUE", "No such state.", f"{field}.states")
        accepts.append(lambda row: row.state in wanted)
    if sort_field == "CLOSED_AT" and (not states or not set(states) <= _CLOSED_STATES):
        detail = "CLOSED_AT needs a state filter with closed states only."
        raise invalid("BAD_REQUEST", detail, f"{field}.states")
    sources = _mapping(filters, "source_filter", "query.filter.source_filter").get("source_names")
    if sources is not None:
        names = set(_strings(sources, "query.filter.source_filter.source_names"))
        accepts.append(lambda row: row.sale is not None and source_name(row.sale) in names)
    customers = _mapping(filters, "customer_filter", "query.filter.customer_filter")
    if customers.get("customer_ids") is not None:
        ids = set(_strings(customers["customer_ids"], "query.filter.customer_filter.customer_ids"))
        accepts.append(lambda row: _customer(merchant, row) in ids)
    pickups = _mapping(filters, "fulfillment_filter", "query.filter.fulfillment_filter")
    if pickups:
        accepts.append(lambda row: _has_fulfillment(row, pickups))
    return accepts


def _strings(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid("EXPECTED_ARRAY", f"{field} must be an array of strings.", field)
    return value


def _customer(merchant: Merchant, row: Row) -> str | None:
    person = None if row.sale is None else row.sale.body.customer
    return None if person is None else people.customer_id(merchant, person)


def _has_fulfillment(row: Row, wanted: Json) -> bool:
    state = None if row.sale is None else fulfillment_state(row.sale)
    types, states = wanted.get("fulfillment_types"), wanted.get("fulfillment_states")
    is_type = not types or "PICKUP" in types
    return state is not None and is_type and (not states or state in states)
