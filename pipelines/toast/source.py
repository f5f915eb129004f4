"""What is read from Toast and in which windows.

Orders are read by `modifiedDate`, never by business day: a day's list misses what is changed later, and at
closeout every paid order of the day is modified once more. A window ends a little in the past by Toast's own
clock, so that what is sold while it is read belongs to the next one.

Source: GET /orders/v2/ordersBulk and /orders/v2/orders/{guid} (orders API 2.9.0), GET /config/v2/* (2.5.0),
GET /restaurants/v1/restaurants/{guid} and /restaurants/v1/groups/{guid}/restaurants (1.0.0), GET
/partners/v1/restaurants (1.0.1).
"""

import logging
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pyrate_limiter import Limiter

from pipelines.connector import Page, ReadRequest, Stream, WindowRead
from pipelines.http import limiter
from pipelines.toast.client import (
    DELETED,
    EARLIEST,
    RESTAURANT_HEADER,
    find_restaurants,
    group_of,
    items,
    next_page,
    restaurant,
    token_pages,
)
from pipelines.toast.documents import placed
from pipelines.windows import split
from pos_core.errors import PosError, VendorAuthError, VendorFaultError, VendorRequestError

logger = logging.getLogger(__name__)

RESTAURANTS = Stream("restaurants", holds_locations=True)
CONFIG = Stream("config", overlap=timedelta(minutes=10), is_per_location=True)
# At closeout, and when somebody corrects a day, orders change for up to three days.
ORDERS = Stream(
    "orders", timedelta(minutes=10), is_per_location=True, is_sliced=True, reread=timedelta(hours=72)
)
STREAMS = (RESTAURANTS, CONFIG, ORDERS)

CONFIG_KINDS = ("salesCategories", "discounts", "serviceCharges", "alternatePaymentTypes")
"""What orders refer to by guid alone; each is a list of its own below `/config/v2`."""

_ORDERS_PATH = "/orders/v2/ordersBulk"
_ORDERS_PER_PAGE = 100
_ORDER_PAGES_PER_SECOND = 5  # of one restaurant
_LONGEST_WINDOW = timedelta(days=28)  # "one month" is allowed, and no month is shorter
_SHORTEST_WINDOW = timedelta(minutes=1)
_MARGIN = timedelta(seconds=5)
_PASSES = 6
_CONFIG_ATTEMPTS = 3

Read = Iterator[Page | WindowRead]
Seen = frozenset[tuple[str, str]]
"""(guid, modifiedDate) of every order in one pass over a window."""


def read(request: ReadRequest) -> Read:
    """Reads everything that the plan misses; a restaurant that refuses does not stop the others.

    Raises:
        VendorError: what the first restaurant that refused has said, once the others are read.
    """
    guids = find_restaurants(request.http, request.credentials)
    failures: list[PosError] = []
    for guid in guids:
        try:
            yield from _restaurant(request, guid)
        except (VendorAuthError, VendorRequestError) as error:
            if isinstance(error, VendorRequestError) and error.code == DELETED:
                logger.warning("restaurant %s is not read any more: %s", guid, error.message)
            else:
                failures.append(error)
    yield from _orders_again(request, guids)
    if failures:
        raise failures[0]


def _restaurant(request: ReadRequest, guid: str) -> Read:
    """One restaurant: itself and the names first, so that its orders find them."""
    answer = restaurant(request.http, guid)
    if group_of(answer.body) != request.account_id:
        raise VendorAuthError(f"Restaurant {guid} belongs to another management group now; connect it again.")
    yield Page(RESTAURANTS.name, [answer.body], answer.asked_at)
    until = answer.vendor_now - _MARGIN
    yield from _config(request, guid, until)
    pace = limiter(_ORDER_PAGES_PER_SECOND)
    for window in request.plan.missing(ORDERS, guid, until):
        for start, end in split(window, _LONGEST_WINDOW):
            yield from _orders_window(request, guid, start, end, pace)


def _config(request: ReadRequest, guid: str, until: datetime) -> Read:
    """What has changed of the names; all of them when nothing has been read yet."""
    windows = request.plan.missing(CONFIG, guid, until)
    if not windows:
        return
    start = windows[0][0]
    params = {} if start <= request.plan.history_from else {"lastModified": _text(start)}
    for kind in CONFIG_KINDS:
        yield from _config_kind(request, guid, kind, params)
    yield WindowRead(CONFIG.name, (guid,), start, until)


def _config_kind(request: ReadRequest, guid: str, kind: str, params: dict[str, str]) -> Iterator[Page]:
    """All pages of one kind; when the restaurant publishes meanwhile, they begin anew.

    Source: developer guide, paginating response data: 409 tells that the configuration was published.
    """
    for attempt in range(1, _CONFIG_ATTEMPTS + 1):
        try:
            for answer in token_pages(request.http, f"/config/v2/{kind}", params, guid):
                documents = [placed(each, guid, kind) for each in items(answer.body)]
                yield Page(CONFIG.name, documents, answer.asked_at)
            return
        except VendorRequestError as error:
            if error.code != "409" or attempt == _CONFIG_ATTEMPTS:
                raise


def _orders_window(request: ReadRequest, guid: str, start: datetime, end: datetime, pace: Limiter) -> Read:
    """Reads a window until what it holds is known for sure.

    An order that changes leaves the window and shifts the pages after it, so that one is skipped; and nobody
    says in which order they come. A window of one page is one answer and cannot shift. One of several is read
    twice; when the passes differ its halves are read, which are shorter and see less change.

    Raises:
        VendorFaultError: the orders keep changing although the window is short.
    """
    if end > EARLIEST:
        pages, seen = yield from _pass(request, guid, max(start, EARLIEST), end, pace)
        is_short = end - start <= _SHORTEST_WINDOW
        passes, is_stable = 1, pages == 1
        while not is_stable and passes < (_PASSES if is_short else 2):
            _, again = yield from _pass(request, guid, max(start, EARLIEST), end, pace)
            is_stable, seen = again == seen, again
            passes += 1
        if not is_stable and is_short:
            raise VendorFaultError("Toast's list of orders keeps changing while it is read.")
        if not is_stable:
            middle = start + (end - start) / 2
            yield from _orders_window(request, guid, start, middle, pace)
            yield from _orders_window(request, guid, middle, end, pace)
            return
    yield WindowRead(ORDERS.name, (guid,), start, end)


def _pass(
    request: ReadRequest, guid: str, start: datetime, end: datetime, pace: Limiter
) -> Generator[Page, None, tuple[int, Seen]]:
    """All pages of a window once; returns how many there were and what was on them."""
    params = {
        "startDate": _text(start),
        "endDate": _text(end),
        "page": "1",
        "pageSize": str(_ORDERS_PER_PAGE),
    }
    pages = 0
    seen: set[tuple[str, str]] = set()
    while True:
        pace.try_acquire(_ORDERS_PATH)
        answer = request.http.get(_ORDERS_PATH, params, {RESTAURANT_HEADER: guid})
        documents = items(answer.body)
        yield Page(ORDERS.name, [placed(each, guid) for each in documents], answer.asked_at)
        pages += 1
        seen.update(_version(each) for each in documents)
        following = next_page(answer)
        if following is None:
            return pages, frozenset(seen)
        if following == params["page"]:
            raise VendorFaultError("Toast's list of orders names a page as its own next one.")
        params = {**params, "page": following}


def _orders_again(request: ReadRequest, guids: list[str]) -> Read:
    """Asks again for orders that were incomplete; which restaurant has one is found by asking each."""
    for order_id in request.waiting.get(ORDERS.name, ()):
        for guid in guids:
            path = f"/orders/v2/orders/{quote(order_id, safe='')}"
            try:
                answer = request.http.get(path, headers={RESTAURANT_HEADER: guid})
            except (VendorAuthError, VendorRequestError):
                continue
            yield Page(ORDERS.name, [placed(answer.body, guid)], answer.asked_at)
            break


def _version(document: Any) -> tuple[str, str]:
    if not isinstance(document, dict):
        return ("", "")
    return (str(document.get("guid")), str(document.get("modifiedDate")))


def _text(at: datetime) -> str:
    """The time down to the millisecond.

    Source: developer guide, dates and timestamps: `yyyy-MM-dd'T'HH:mm:ss.SSS+0000`.
    """
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
