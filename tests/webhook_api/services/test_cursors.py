"""A cursor gives its place back, in its own listing alone, and nothing that was changed is taken for one."""

from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pos_core.errors import QueryError
from pos_core.repositories.transactions import Filters, Position, Sort
from webhook_api.services import cursors
from webhook_api.services.cursors import START, decode, encode

TENANT = UUID(int=1)
INSTANTS = st.datetimes(timezones=st.just(UTC))
POSITIONS: dict[Sort, st.SearchStrategy[Position]] = {
    Sort.OCCURRED: st.tuples(INSTANTS, st.uuids()),
    Sort.CHANGED: st.tuples(INSTANTS, st.uuids()),
    Sort.BUSINESS_DATE: st.tuples(st.dates(), INSTANTS, st.uuids()),
}
PLACES = st.sampled_from(list(Sort)).flatmap(lambda sort: st.tuples(st.just(sort), POSITIONS[sort]))
LISTINGS = [
    (TENANT, Sort.OCCURRED, Filters()),
    (UUID(int=2), Sort.OCCURRED, Filters()),
    (TENANT, Sort.CHANGED, Filters()),
    (TENANT, Sort.OCCURRED, Filters(revenue_only=True)),
    (TENANT, Sort.OCCURRED, Filters(kinds=("sale",))),
    (TENANT, Sort.OCCURRED, Filters(statuses=("sale",))),
    (TENANT, Sort.OCCURRED, Filters(locations=("a", "b"))),
    (TENANT, Sort.OCCURRED, Filters(locations=("a', 'b",))),
    (TENANT, Sort.OCCURRED, Filters(business_date_from=date(2026, 3, 1))),
    (TENANT, Sort.OCCURRED, Filters(business_date_to=date(2026, 3, 1))),
    (TENANT, Sort.OCCURRED, Filters(occurred_from=datetime(2026, 3, 1, tzinfo=UTC))),
]


@given(PLACES)
@example((Sort.CHANGED, START))
def test_a_cursor_gives_its_place_back(place: tuple[Sort, Position]) -> None:
    sort, position = place
    assert decode(TENANT, sort, Filters(), encode(TENANT, sort, Filters(), position)) == position


@pytest.mark.parametrize("other", LISTINGS[1:], ids=range(1, len(LISTINGS)))
def test_a_cursor_is_good_for_its_own_listing_alone(other: tuple[UUID, Sort, Filters]) -> None:
    position = (datetime(2026, 3, 1, tzinfo=UTC), uuid4())
    mine = encode(*LISTINGS[0], position)
    assert decode(*LISTINGS[0], mine) == position
    with pytest.raises(QueryError, match="not one of this listing"):
        decode(*other, mine)


@given(PLACES, st.data())
def test_a_changed_cursor_is_refused(place: tuple[Sort, Position], data: st.DataObject) -> None:
    sort, position = place
    cursor = encode(TENANT, sort, Filters(), position)
    at = data.draw(st.integers(0, len(cursor)))
    until = data.draw(st.integers(at, len(cursor)))
    put = data.draw(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", max_size=5))
    changed = cursor[:at] + put + cursor[until:]
    if changed != cursor:
        with pytest.raises(QueryError):
            decode(TENANT, sort, Filters(), changed)


@pytest.mark.parametrize(
    ("sort", "day", "microseconds"), [(Sort.OCCURRED, 0, 2**62), (Sort.BUSINESS_DATE, 0, 0)]
)
def test_a_cursor_of_numbers_that_no_row_has_is_refused(sort: Sort, day: int, microseconds: int) -> None:
    place = cursors._PLACE.pack(1, day, microseconds, uuid4().bytes)
    made = urlsafe_b64encode(place + cursors._digest(place, TENANT, sort, Filters())).rstrip(b"=").decode()
    with pytest.raises(QueryError, match="not one of this listing"):
        decode(TENANT, sort, Filters(), made)
