"""Values as they come in and go out: strict forms, within bounds that everything behind can hold."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_D = TypeVar("_D", date, datetime)
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def _written_as_instant(value: object) -> object:
    if isinstance(value, str) and not _INSTANT.fullmatch(value):
        raise ValueError("write an instant as 2026-03-01T00:00:00Z, with a time zone")
    return value


def _written_as_day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("write a day as 2026-03-01")
    return value


def _within_years(value: _D) -> _D:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"must be between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


def _as_utc(value: datetime) -> datetime:
    return _within_years(value).astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_written_as_instant), AfterValidator(_as_utc)]
"""An instant of RFC 3339; kept in UTC."""

Day = Annotated[date, BeforeValidator(_written_as_day), AfterValidator(_within_years)]
"""A calendar day of ISO 8601."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
"""A short text that PostgreSQL can hold."""

Amount = Annotated[
    str,
    Field(
        pattern=r"^-?[0-9]+\.[0-9]{2,6}$",
        description="Exact decimal, at least two places.",
        examples=["12.50"],
    ),
]
"""Money as it goes out."""

Quantity = Annotated[
    str, Field(pattern=r"^-?[0-9]+(\.[0-9]{1,6})?$", description="Exact decimal.", examples=["0.25"])
]
"""How much, as it goes out."""
