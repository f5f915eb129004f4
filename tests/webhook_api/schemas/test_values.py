"""Values from outside are taken in their strict form, within bounds, or refused."""

from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from webhook_api.schemas.values import Day, Instant, Word

_ADAPTERS: dict[str, TypeAdapter[object]] = {
    "instant": TypeAdapter(Instant), "day": TypeAdapter(Day), "word": TypeAdapter(Word),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("instant", "2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("instant", "2026-03-01t02:30:00.5+02:30", datetime(2026, 3, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("instant", "2200-12-31T23:59:59-23:59", datetime(2201, 1, 1, 23, 58, 59, tzinfo=UTC)),
        ("day", "2026-02-28", date(2026, 2, 28)),
        ("word", "a 'b'\n", "a 'b'\n"),
    ],
)
def test_what_is_well_written_is_taken(kind: str, text: str, value: object) -> None:
    assert _ADAPTERS[kind].validate_python(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("instant", "2026-03-01T00:00:00"), ("instant", "1700000000"), ("instant", "2026-03-01"),
        ("instant", "2026-02-30T00:00:00Z"), ("instant", "0001-01-01T00:00:00+23:59"),
        ("instant", "9999-12-31T23:59:59-23:59"), ("instant", "now"), ("instant", "2026-03-01T00:00:00Z\n"),
        ("instant", "2026-03-01T24:00:00Z"), ("instant", "٢٠٢٦-03-01T00:00:00Z"),
        ("day", "2026-02-30"), ("day", "20260228"), ("day", "9999-12-31"), ("day", "2026-02-28T00:00:00"),
        ("day", "1700000000"), ("day", "infinity"),
        ("word", ""), ("word", "a\x00"), ("word", "a" * 201), ("word", "\ud800"),
    ],
)  # fmt: skip
def test_everything_else_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValidationError):
        _ADAPTERS[kind].validate_python(text)
