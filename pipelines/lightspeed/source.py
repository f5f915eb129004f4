"""What is read from Lightspeed and in which windows.

Accounts are read by `timeClosed`, in windows that reach back two days, since V2 has no time of change. What
that misses is found by business days: each is read whole once it has ended, again until Lightspeed says that
it is complete (a till that was offline hands in its sales with their old times), and once more a day later.
Every week the last 35 days are read again. V1, which dates corrections back, is landed beside it as control.

Source: GET /f/data/businesses, /f/v2/business-location/{id}/sales and /sales-daily,
/f/finance/{id}/financials/{from}/{to}; Lightspeed Restaurant K-Series API, version 1.0.0 as of August 2026.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from pipelines.connector import Page, ReadRequest, Stream, WindowRead
from pipelines.http import Answer
from pipelines.lightspeed import client
from pipelines.lightspeed.documents import (
    BUSINESS_ID,
    LOCATION_ID,
    day_document,
    parse_instant,
    placed,
)
from pipelines.windows import Interval
from pos_core.errors import VendorFaultError, VendorRequestError

_OVERLAP = timedelta(days=2)
LOCATIONS = Stream("locations", holds_locations=True)
DAYS = Stream("days", is_per_location=True, is_gapless=False)
SALES = Stream("sales", overlap=_OVERLAP, is_per_location=True, is_sliced=True)
FINANCIALS = Stream("financials_v1", overlap=_OVERLAP, is_per_location=True, is_sliced=True)
STREAMS = (LOCATIONS, DAYS, SALES, FINANCIALS)

# Further readings of what was read, in the ledger under names of their own.
_DAYS_AGAIN = Stream("days_again", is_per_location=True, is_gapless=False)
_SALES_AGAIN = Stream("sales_again", is_per_location=True, is_gapless=False)

_INCLUDE = "payments,revenue_center"  # `consumer` would bring names and addresses, `staff` those who served
_SALES_PER_PAGE = "100"
_CONTROLS_PER_PAGE = "1000"
_LONGEST_WINDOW = timedelta(days=31)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_DAYS_BACK = 7
_READ_AGAIN_BACK = timedelta(days=35)
_DAY_IS_OVER_AT = timedelta(hours=6)  # local time of the next day; days start before it (05:30 by default)
_GRID = datetime(2018, 1, 1, tzinfo=UTC)

Read = Iterator[Page | WindowRead]
Range = Callable[[ReadRequest, str, datetime, datetime], Iterator[Page]]


def read(request: ReadRequest) -> Read:
    """Reads everything that the plan misses, location by location, days first.

    Raises:
        VendorRequestError: the business or one of its locations is no longer visible.
    """
    zones: dict[str, tzinfo] = {}
    until = None
    for answer, documents in client.businesses(request.http):
        until = until or answer.vendor_now
        own = [
            document
            for document in documents
            if str(document.get(BUSINESS_ID)) == request.account_id
            and client.is_chosen(document, request.credentials)
        ]
        yield Page(LOCATIONS.name, own, answer.asked_at)
        zones.update({str(each[LOCATION_ID]): _zone(each) for each in own if LOCATION_ID in each})
    if until is None or not zones:
        raise VendorRequestError(
            f"Lightspeed no longer shows business {request.account_id} to these credentials.",
            "unknown_business",
        )
    for location_id in sorted(zones):
        if request.plan.is_newest:
            yield from _days(request, location_id, until.astimezone(zones[location_id]))
        opened_at = yield from _windows(request, SALES, location_id, until, _sales)
        yield from _windows(request, FINANCIALS, location_id, until, _controls, opened_at)
        if request.plan.is_newest:
            yield from _again(request, location_id, until)


def _windows(
    request: ReadRequest,
    stream: Stream,
    location_id: str,
    until: datetime,
    read_range: Range,
    opened_at: datetime | None = None,
) -> Generator[Page | WindowRead, None, datetime | None]:
    """Reads what the plan misses of a stream, in pieces.

    Args:
        opened_at: nothing before it is asked for; None where that is not known.

    Returns:
        Where the location's history begins, when that is known.
    """
    for start, end in request.plan.missing(stream, location_id, until):
        at = start
        while at < end:
            if opened_at is not None and at < opened_at:
                stop = min(opened_at, end)
            else:
                stop = min(at + _LONGEST_WINDOW, end)
                opened_at = yield from _range(request, location_id, at, stop, read_range, opened_at)
            yield WindowRead(stream.name, (location_id,), at, stop)
            at = stop
    return opened_at


def _range(
    request: ReadRequest,
    location_id: str,
    start: datetime,
    end: datetime,
    read_range: Range,
    opened_at: datetime | None = None,
) -> Generator[Page, None, datetime | None]:
    """One range, a second wider at either end, since nobody says whether the ends belong to it.

    Args:
        opened_at: where the location's history begins, when that is known.

    Returns:
        The same, also when Lightspeed refused to go back as far as `start`.
    """
    begin, step = max(start - _SECOND, opened_at or start - _SECOND), _SECOND
    while begin < end:
        try:
            yield from read_range(request, location_id, begin, end + _SECOND)
            break
        except client.BeforeOpeningError as refusal:
            # It asks for a time «after» the one that it names; then later than that in growing steps.
            begin, step = (refusal.earliest, step) if refusal.earliest > begin else (begin + step, step * 60)
            opened_at = begin
    return opened_at


def _sales(request: ReadRequest, location_id: str, start: datetime, end: datetime) -> Iterator[Page]:
    """Accounts closed within [start, end], page by page.

    The next page begins after a bare time, so that of several accounts closed in one millisecond one may be
    missing at the edge between two pages; the edge is asked for by itself.
    """
    path = f"/f/v2/business-location/{location_id}/sales"
    params = {
        "from": _text(start),
        "to": _text(end),
        "include": _INCLUDE,
        "pageSize": _SALES_PER_PAGE,
    }
    for answer, has_next in _pages(request, path, params, _token_of_v2):
        sales = client.sales_of(answer.body)
        yield _page(SALES, sales, location_id, answer)
        closed_at = _closed_at(sales[-1]) if sales and has_next else None
        if closed_at is not None:
            edge = {**params, "from": _text(closed_at - _SECOND), "to": _text(closed_at + _SECOND)}
            for other, _ in _pages(request, path, edge, _token_of_v2):
                yield _page(SALES, client.sales_of(other.body), location_id, other)


def _controls(request: ReadRequest, location_id: str, start: datetime, end: datetime) -> Iterator[Page]:
    """The same accounts as V1 has them."""
    path = f"/f/finance/{location_id}/financials/{_text(start)}/{_text(end)}"
    params = {"include": _INCLUDE, "pageSize": _CONTROLS_PER_PAGE}
    for answer, _ in _pages(request, path, params, _token_of_v1):
        yield _page(FINANCIALS, client.sales_of(answer.body), location_id, answer)


def _days(request: ReadRequest, location_id: str, now: datetime) -> Read:
    """The last days that have ended and are not known to be complete, and complete ones once more.

    Args:
        now: the vendor's time in the location's zone.
    """
    last = (now - _DAY_IS_OVER_AT).date() - _DAY
    for back in reversed(range(_DAYS_BACK)):
        day = last - back * _DAY
        is_late = now - _DAY_IS_OVER_AT >= datetime.combine(day + 2 * _DAY, time(), now.tzinfo)
        is_known = not _is_missing(request, DAYS, location_id, day)
        if is_known and not (is_late and _is_missing(request, _DAYS_AGAIN, location_id, day)):
            continue
        try:
            answer = request.http.get(
                f"/f/v2/business-location/{location_id}/sales-daily",
                {"date": day.isoformat(), "include": _INCLUDE},
            )
        except client.BeforeOpeningError:
            yield WindowRead(DAYS.name, (location_id,), *_window_of(day))
            yield WindowRead(_DAYS_AGAIN.name, (location_id,), *_window_of(day))
            continue
        yield _page(SALES, client.sales_of(answer.body), location_id, answer)
        yield Page(DAYS.name, [day_document(answer.body, location_id, day)], answer.asked_at)
        if answer.body.get("dataComplete") is True:
            yield WindowRead(DAYS.name, (location_id,), *_window_of(day))
            if is_late:
                yield WindowRead(_DAYS_AGAIN.name, (location_id,), *_window_of(day))


def _again(request: ReadRequest, location_id: str, until: datetime) -> Read:
    """Once a week the last 35 days; not when they have just been read for the first time."""
    week = until - (until - _GRID) % _WEEK
    missing = request.plan.missing(_SALES_AGAIN, location_id, until)
    if not any(start <= week < end for start, end in missing):
        return
    if request.plan.covered.get((SALES.name, location_id)):
        for read_range in (_sales, _controls):
            yield from _range(request, location_id, until - _READ_AGAIN_BACK, until, read_range)
    yield WindowRead(_SALES_AGAIN.name, (location_id,), week, until)


def _pages(
    request: ReadRequest,
    path: str,
    params: Mapping[str, str],
    next_token: Callable[[Mapping[str, Any]], object],
) -> Iterator[tuple[Answer, bool]]:
    """The pages of a range, each with whether another follows; nothing but the token changes between them.

    Raises:
        VendorFaultError: a page names itself as the next one.
    """
    token = ""
    while True:
        answer = request.http.get(path, {**params, "nextPageToken": token} if token else params)
        found = next_token(answer.body) if isinstance(answer.body, Mapping) else None
        yield answer, bool(found)
        if not found:
            return
        if str(found) == token:
            raise VendorFaultError("Lightspeed's page names itself as the next one.")
        token = str(found)


def _token_of_v2(body: Mapping[str, Any]) -> object:
    return body.get("nextPageToken")


def _token_of_v1(body: Mapping[str, Any]) -> object:
    """From the body where it is, else out of the link to the next page."""
    links = body.get("_links")
    following = links.get("nextPage") if isinstance(links, Mapping) else None
    address = following.get("href") if isinstance(following, Mapping) else None
    linked = parse_qs(urlsplit(str(address or "")).query).get("nextPageToken", [""])[0]
    return body.get("nextPageToken") or linked


def _closed_at(sale: Any) -> datetime | None:
    return parse_instant(sale.get("timeClosed")) if isinstance(sale, Mapping) else None


def _page(stream: Stream, sales: list[Any], location_id: str, answer: Answer) -> Page:
    return Page(stream.name, [placed(sale, location_id) for sale in sales], answer.asked_at)


def _is_missing(request: ReadRequest, stream: Stream, location_id: str, day: date) -> bool:
    start, end = _window_of(day)
    missing = request.plan.missing(stream, location_id, end)
    return any(begin < end and start < stop for begin, stop in missing)


def _window_of(day: date) -> Interval:
    """A business day in the ledger, by its date: from midnight to midnight UTC."""
    start = datetime.combine(day, time(), UTC)
    return start, start + _DAY


def _zone(document: Mapping[str, Any]) -> tzinfo:
    """The location's zone; of one that is not known UTC, which at worst reads a day some hours late."""
    try:
        return ZoneInfo(str(document.get("timezone")))
    except (ValueError, OSError):
        return UTC


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
