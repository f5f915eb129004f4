"""Cursors: the place of a row in one listing, as text that is good for that listing alone.

A cursor grants nothing: whoever makes one up gets a place among the rows of his own tenant. Its digest is
there so that one of another listing, or a damaged one, is refused instead of giving the wrong rows; no key is
part of it, so an incremental reader may keep one for as long as it likes.
"""

import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from pos_core.errors import QueryError
from pos_core.repositories.transactions import Filters, Position, Sort

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = struct.Struct(">Biq16s")  # format, days, microseconds, id
_FORMAT = 1
_DIGEST_BYTES = 12

START: Position = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""Before every change."""


def encode(tenant_id: UUID, sort: Sort, filters: Filters, position: Position) -> str:
    """The cursor of a place in a listing."""
    *days, at, row_id = position
    assert isinstance(at, datetime)
    assert isinstance(row_id, UUID)
    day = days[0].toordinal() if days and isinstance(days[0], date) else 0
    place = _PLACE.pack(_FORMAT, day, (at - _EPOCH) // _MICROSECOND, row_id.bytes)
    return urlsafe_b64encode(place + _digest(place, tenant_id, sort, filters)).rstrip(b"=").decode()


def decode(tenant_id: UUID, sort: Sort, filters: Filters, cursor: str) -> Position:
    """The place that a cursor of this listing stands for.

    Raises:
        QueryError: it is damaged, or of a listing with other filters.
    """
    try:
        content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place, digest = content[: _PLACE.size], content[_PLACE.size :]
        day, microseconds, row_id = _PLACE.unpack(place)[1:]
    except (ValueError, struct.error):
        raise _wrong() from None
    # Several texts decode to the same bytes; one of them is the cursor.
    is_canonical = urlsafe_b64encode(content).rstrip(b"=").decode() == cursor
    if not is_canonical or digest != _digest(place, tenant_id, sort, filters):
        raise _wrong()
    try:  # whoever knows how may make a cursor of numbers that no row has
        at = _EPOCH + microseconds * _MICROSECOND
        if sort is Sort.BUSINESS_DATE:
            return date.fromordinal(day), at, UUID(bytes=row_id)
    except (ValueError, OverflowError):
        raise _wrong() from None
    return at, UUID(bytes=row_id)


def _digest(place: bytes, tenant_id: UUID, sort: Sort, filters: Filters) -> bytes:
    listing = repr(
        (str(tenant_id), sort.value, [(name, str(value)) for name, value in vars(filters).items()])
    )
    return hashlib.sha256(place + listing.encode()).digest()[:_DIGEST_BYTES]


def _wrong() -> QueryError:
    return QueryError(
        "The cursor is not one of this listing: send it with the filters and the sort of the page it came "
        "with, or begin again without it."
    )
