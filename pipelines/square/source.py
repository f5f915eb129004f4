"""What is read from Square and in which windows.

Orders are read by `updated_at`, never by `created_at` or `closed_at`: a sale made offline arrives up to 72
hours late with the time it was made. The end of a window is the vendor's own clock at the first answer, so
that neither a skewed clock of ours nor a change made while paging moves it.

Source: POST /v2/orders/search, GET /v2/payments, GET /v2/refunds, POST /v2/catalog/search,
GET /v2/locations; Square-Version 2026-07-15.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from pipelines.connector import Page, ReadRequest, Stream, WindowRead
from pipelines.http import Answer
from pipelines.square.client import items, pages_by_body
from pipelines.square.documents import parse_instant
from pipelines.square.lookup import orders_by_id
from pos_core.errors import VendorRequestError

LOCATIONS = Stream("locations", holds_locations=True)
CATALOG = Stream("catalog", overlap=timedelta(minutes=10))
# Square cuts `updated_at` down to the whole second and its search lags by seconds. What was sold offline
# comes up to 72 hours later; no page says that `updated_at` is then when it came, so that is read again.
_changes = partial(Stream, overlap=timedelta(minutes=10), is_sliced=True, reread=timedelta(hours=72))
PAYMENTS = _changes("payments", is_per_location=True, refers_to_order=True)
REFUNDS = _changes("refunds", refers_to_order=True)
ORDERS = _changes("orders", is_per_location=True)
STREAMS = (LOCATIONS, CATALOG, PAYMENTS, REFUNDS, ORDERS)

_LOCATIONS_PER_SEARCH = 10
_CURSOR_ATTEMPTS = 3
_CLOCK_STEP = timedelta(milliseconds=1)  # what `_text` can tell apart

Read = Iterator[Page | WindowRead]


def read(request: ReadRequest) -> Read:
    """Reads everything that the plan misses, references first, so that orders find them."""
    answer = request.http.get("/v2/locations")
    locations = items(answer.body, "locations")
    yield Page(LOCATIONS.name, locations, answer.asked_at)
    until = answer.vendor_now
    ids = sorted(filter(None, {_id(location) for location in locations}))
    yield from _catalog(request, until)
    yield from _refunds(request, until)
    yield from _payments(request, ids, until)
    yield from _orders_again(request)
    yield from _orders(request, ids, until)


def _orders(request: ReadRequest, location_ids: Sequence[str], until: datetime) -> Read:
    """Locations with the same windows share a search; Square takes ten at a time."""
    missing = {location: tuple(request.plan.missing(ORDERS, location, until)) for location in location_ids}
    by_windows = sorted(location_ids, key=lambda location: (missing[location], location))
    for windows, group in groupby(by_windows, key=missing.__getitem__):
        members = list(group)
        for at in range(0, len(members), _LOCATIONS_PER_SEARCH):
            some = tuple(members[at : at + _LOCATIONS_PER_SEARCH])
            for start, end in windows:
                yield from _orders_window(request, some, start, end)


def _orders_window(
    request: ReadRequest, location_ids: tuple[str, ...], start: datetime, end: datetime
) -> Read:
    def page(from_time: datetime, cursor: str | None) -> Answer:
        span = {"start_at": _text(from_time), "end_at": _text(end)}
        body = {
            "location_ids": list(location_ids),
            "limit": 500,
            "query": {
                "filter": {"date_time_filter": {"updated_at": span}},
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
        }
        return request.http.post("/v2/orders/search", {**body, "cursor": cursor} if cursor else body)

    yield from _by_time(ORDERS.name, location_ids, start, end, page)


def _by_time(
    stream: str,
    location_ids: tuple[str, ...],
    start: datetime,
    end: datetime,
    page: Callable[[datetime, str | None], Answer],
) -> Read:
    """Reads a window in pieces, each from the time of the last document seen, not from a cursor.

    A cursor dies after minutes, and an object that changes while paging shifts all that follow it, so that
    one is skipped. Only where a whole page shares one instant is the cursor followed. Each piece is a window
    of its own, so that what was read before a failure is not read again.
    """
    from_time, cursor, failures = start, None, 0
    while True:
        try:
            answer = page(from_time, cursor)
        except VendorRequestError as error:
            failures += 1
            if error.code != "INVALID_CURSOR" or failures == _CURSOR_ATTEMPTS:
                raise
            cursor = None
            continue
        documents = items(answer.body, stream)
        yield Page(stream, documents, answer.asked_at)
        cursor = answer.body.get("cursor")
        if not cursor:
            break
        latest = _latest(documents, from_time, end)
        if latest - from_time >= _CLOCK_STEP:
            yield WindowRead(stream, location_ids, from_time, latest)
            from_time, cursor = latest, None
    if from_time < end:
        yield WindowRead(stream, location_ids, from_time, end)


def _latest(documents: Sequence[Any], start: datetime, end: datetime) -> datetime:
    """The newest change on a page; a time outside what was asked for is some document's mistake."""
    changed = [parse_instant(each.get("updated_at")) for each in documents if isinstance(each, Mapping)]
    return max((at for at in changed if at and start <= at <= end), default=start)


def _orders_again(request: ReadRequest) -> Read:
    """Asks again for orders that were incomplete when they were read."""
    yield from orders_by_id(request.http, request.waiting.get(ORDERS.name, ()))


def _payments(request: ReadRequest, location_ids: Sequence[str], until: datetime) -> Read:
    """Per location: without one Square lists the main location alone."""
    for location in location_ids:
        for window in request.plan.missing(PAYMENTS, location, until):
            yield from _updated_list(request, PAYMENTS.name, location, *window)


def _refunds(request: ReadRequest, until: datetime) -> Read:
    """Without a location Square lists the refunds of all."""
    for window in request.plan.missing(REFUNDS, "", until):
        yield from _updated_list(request, REFUNDS.name, "", *window)


def _updated_list(
    request: ReadRequest, stream: str, location_id: str, start: datetime, end: datetime
) -> Read:
    def page(from_time: datetime, cursor: str | None) -> Answer:
        params = {
            "updated_at_begin_time": _text(from_time),
            "updated_at_end_time": _text(end),
            "begin_time": _text(min(start, request.plan.history_from)),
            "sort_field": "UPDATED_AT",
            "sort_order": "ASC",
            "limit": "100",
        }
        if location_id:
            params["location_id"] = location_id
        return request.http.get(f"/v2/{stream}", {**params, "cursor": cursor} if cursor else params)

    yield from _by_time(stream, (location_id,), start, end, page)


def _catalog(request: ReadRequest, until: datetime) -> Read:
    """Changed items and categories, deleted ones too; the search has an exclusive begin alone."""
    windows = request.plan.missing(CATALOG, "", until)
    if not windows:
        return
    start = windows[0][0]
    body = {
        "object_types": ["ITEM", "CATEGORY"],
        "include_deleted_objects": True,
        "begin_time": _text(start - timedelta(milliseconds=1)),
        "limit": 1000,
    }
    for attempt in range(1, _CURSOR_ATTEMPTS + 1):
        try:
            for answer in pages_by_body(request.http, "/v2/catalog/search", body):
                yield Page(CATALOG.name, items(answer.body, "objects"), answer.asked_at)
            break
        except VendorRequestError as error:
            if error.code != "INVALID_CURSOR" or attempt == _CURSOR_ATTEMPTS:
                raise
    yield WindowRead(CATALOG.name, ("",), start, until)


def _id(location: Any) -> str | None:
    """The id of a location document; None where it has none that can be asked for."""
    external_id = location.get("id") if isinstance(location, Mapping) else None
    return external_id if isinstance(external_id, str) and external_id.isprintable() else None


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
