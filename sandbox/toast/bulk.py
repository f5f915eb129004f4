"""Lists of orders: which window, which page, and the links to the pages beside it.

Source: Toast orders API 2.9.0, ordersBulk; developer guide, pages on pagination and on rate limiting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox.clock import DAY, Instant, parse_instant
from sandbox.toast.errors import VendorError
from sandbox.toast.shelf import Row

MOST_LISTED = 100
_LONGEST_WINDOW = 31 * DAY
_FIRST_AT = parse_instant("2015-12-01T00:00:00.000+0000")
_DAY_TEXT = re.compile(r"20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be given, a page of it."""

    accepts: Callable[[Row], bool]
    page: int
    page_size: int


def read_listing(parameters: Mapping[str, str]) -> Listing:
    """Reads the parameters of a list of orders.

    ``startDate`` is inclusive, ``endDate`` exclusive, both of the time of change; a window has at most
    31 days. ``pageSize`` is within 1 and 100; 100 when not given, for no default is documented.

    Raises:
        VendorError: a value the vendor refuses.
    """
    page = _whole(parameters, "page", 1, 1_000_000)
    page_size = _whole(parameters, "pageSize", MOST_LISTED, MOST_LISTED)
    has_window = "startDate" in parameters and "endDate" in parameters
    if has_window == ("businessDate" in parameters):
        raise VendorError(400, "EITHER (startDate and endDate) OR businessDate is required")
    if not has_window:
        day = read_day(parameters, "businessDate")
        return Listing(lambda row: day in row.days(), page, page_size)
    start_at, end_at = _instant(parameters, "startDate"), _instant(parameters, "endDate")
    if start_at < _FIRST_AT:
        raise VendorError(400, "startDate must be after 2015-12-01T00:00:00.000+0000")
    if end_at <= start_at:
        raise VendorError(400, "endDate must be later than startDate")
    if end_at - start_at > _LONGEST_WINDOW:
        raise VendorError(400, "startDate and endDate must not be more than one month apart")
    return Listing(lambda row: start_at <= row.modified_at < end_at, page, page_size)


def cut(rows: Sequence[Row], listing: Listing, url: str, query: Mapping[str, str]) -> tuple[list[Row], str]:
    """One page of what a list accepts, and its ``Link`` header: no ``last``, no count of all.

    Args:
        rows: all rows of the restaurant.
        listing: what is asked for.
        url: the request's, without its query.
        query: the request's parameters, which the links repeat.
    """
    found = [row for row in rows if listing.accepts(row)]
    first = (listing.page - 1) * listing.page_size
    links = {"first": 1, "self": listing.page}
    if listing.page > 1:
        links["prev"] = listing.page - 1
    if len(found) > first + listing.page_size:
        links["next"] = listing.page + 1
    told = [
        f'<{url}?{urlencode({**query, "page": page, "pageSize": listing.page_size})}>; rel="{name}"'
        for name, page in links.items()
    ]
    return found[first : first + listing.page_size], ", ".join(told)


def read_day(parameters: Mapping[str, str], name: str) -> int:
    """A business date, written yyyymmdd.

    Raises:
        VendorError: it is none.
    """
    text = parameters.get(name, "")
    if not _DAY_TEXT.fullmatch(text):
        raise VendorError(400, f"{name} must be a business date like 20260401")
    return int(text)


def _whole(parameters: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    text = parameters.get(name, str(otherwise))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise VendorError(400, f"{name} must be a whole number within 1 and {most}")
    return int(text)


def _instant(parameters: Mapping[str, str], name: str) -> Instant:
    text = parameters[name]
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise VendorError(400, f"{name} is no date and time like 2026-04-01T00:00:00.000+0000") from error
