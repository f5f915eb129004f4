"""Breakers of vendors, for all processes: who found that a vendor is down, and until when nobody asks it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert

from pos_core.backoff import wait_after
from pos_core.database.tables import vendor_breakers

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=10)
PROBE_FOR = timedelta(minutes=2)
"""For how long others leave a vendor to whoever asks it first; a process may die while it does."""


@dataclass(frozen=True)
class Breaker:
    """A vendor that does not answer.

    Args:
        trips: how often in a row it was found not to.
        open_until: nobody asks it before.
        error_class: of the failure that told so last.
        seconds_left: until then; by the database's clock, 0 when it has come.
    """

    pos_system: str
    base_url: str
    trips: int
    open_until: datetime
    error_class: str | None
    seconds_left: int


def find(connection: Connection, pos_system: str, base_url: str) -> Breaker | None:
    """The breaker of a vendor's address; None while the vendor answers."""
    row = connection.execute(_query().where(_is_of(pos_system, base_url))).one_or_none()
    return _read(row) if row else None


def listed(connection: Connection) -> list[Breaker]:
    """The vendors that do not answer, by name."""
    query = _query().order_by(vendor_breakers.c.pos_system, vendor_breakers.c.base_url)
    return [_read(row) for row in connection.execute(query)]


def claim_probe(connection: Connection, pos_system: str, base_url: str) -> bool:
    """Whether the time has come to ask again and nobody else does; for others it stays closed meanwhile."""
    statement = (
        update(vendor_breakers)
        .where(_is_of(pos_system, base_url), vendor_breakers.c.open_until <= func.now())
        .values(open_until=func.now() + PROBE_FOR)
    )
    return bool(connection.execute(statement).rowcount)


def trip(
    connection: Connection,
    pos_system: str,
    base_url: str,
    error_class: str,
    *,
    is_probe: bool,
    dice: Random | None = None,
) -> Breaker:
    """Has everybody leave a vendor alone, for 30 seconds first, twice as long each time, 10 minutes at most.

    Args:
        is_probe: this was the probe; otherwise a breaker that is open already stays as it is, so that what
            had been on its way when it opened counts once.
        dice: where the chance in the wait comes from.
    """
    key = {"pos_system": pos_system, "base_url": base_url}
    new = insert(vendor_breakers).values(**key, trips=0, open_until=func.now())
    connection.execute(new.on_conflict_do_nothing())
    before = _read(connection.execute(_query().where(_is_of(pos_system, base_url)).with_for_update()).one())
    if before.seconds_left > 0 and not is_probe:
        return before
    wait = wait_after(before.trips, _FIRST_WAIT, _LONGEST_WAIT, dice=dice)
    connection.execute(
        update(vendor_breakers)
        .where(_is_of(pos_system, base_url))
        .values(trips=before.trips + 1, open_until=func.now() + wait, error_class=error_class)
    )
    after = find(connection, pos_system, base_url)
    assert after is not None
    return after


def hand_back(connection: Connection, pos_system: str, base_url: str) -> None:
    """The probe said nothing about the vendor: the next may ask at once."""
    statement = update(vendor_breakers).where(_is_of(pos_system, base_url))
    connection.execute(statement.values(open_until=func.now()))


def close(connection: Connection, pos_system: str, base_url: str) -> None:
    """The vendor has answered."""
    connection.execute(delete(vendor_breakers).where(_is_of(pos_system, base_url)))


def _query() -> Any:
    left = func.greatest(0, func.ceil(extract("epoch", vendor_breakers.c.open_until - func.now())))
    names = ("pos_system", "base_url", "trips", "open_until", "error_class")
    return select(*(vendor_breakers.c[name] for name in names), left.label("seconds_left"))


def _read(row: Any) -> Breaker:
    return Breaker(**{**row._mapping, "seconds_left": int(row.seconds_left)})


def _is_of(pos_system: str, base_url: str) -> ColumnElement[bool]:
    return and_(vendor_breakers.c.pos_system == pos_system, vendor_breakers.c.base_url == base_url)
