"""Breakers of vendors: opened for longer each time, asked again by one, closed by an answer."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, text

from pos_core.repositories import breakers
from pos_core.repositories.breakers import PROBE_FOR, Breaker

VENDOR = ("vendor", "http://127.0.0.1:1")
OTHER = ("vendor", "http://127.0.0.1:2")


class _Highest(random.Random):
    """Dice that leave nothing off."""

    def random(self) -> int:
        return 1


HIGHEST = _Highest()


def _trip(connection: Connection, *, is_probe: bool = False) -> Breaker:
    return breakers.trip(connection, *VENDOR, "unreachable", is_probe=is_probe, dice=HIGHEST)


def _left(connection: Connection) -> timedelta:
    now = connection.execute(select(func.now())).scalar_one()
    found = breakers.find(connection, *VENDOR)
    assert found is not None
    left: timedelta = found.open_until - now
    return left


def _pass_time(connection: Connection) -> None:
    connection.execute(text("update pos_vendor_breakers set open_until = now()"))


def test_a_vendor_that_answers_has_no_breaker(connection: Connection) -> None:
    assert breakers.find(connection, *VENDOR) is None
    assert not breakers.claim_probe(connection, *VENDOR)
    breakers.close(connection, *VENDOR)
    assert breakers.listed(connection) == []


def test_it_opens_for_half_a_minute_and_twice_as_long_each_time_to_ten_minutes(
    connection: Connection,
) -> None:
    waits = []
    for _ in range(7):
        found = _trip(connection, is_probe=True)
        assert found.seconds_left == _left(connection).total_seconds()
        waits.append(found.seconds_left)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert (found.trips, found.error_class) == (7, "unreachable")


def test_its_wait_has_chance_in_it(connection: Connection) -> None:
    waits = set()
    for _ in range(10):
        breakers.close(connection, *VENDOR)
        breakers.trip(connection, *VENDOR, "unreachable", is_probe=False)
        waits.add(_left(connection))
    assert len(waits) > 5
    assert all(timedelta(seconds=15) <= each <= timedelta(seconds=30) for each in waits)


def test_what_was_on_its_way_when_it_opened_counts_once(connection: Connection) -> None:
    first = _trip(connection)
    assert _trip(connection) == first
    _pass_time(connection)
    assert _trip(connection).trips == 2


def test_one_address_is_not_another(connection: Connection) -> None:
    _trip(connection)
    assert breakers.find(connection, *OTHER) is None
    assert [(each.pos_system, each.base_url) for each in breakers.listed(connection)] == [VENDOR]


def test_one_asks_again_when_the_time_has_come_and_the_others_wait(connection: Connection) -> None:
    _trip(connection)
    assert not breakers.claim_probe(connection, *VENDOR)
    _pass_time(connection)
    assert breakers.claim_probe(connection, *VENDOR)
    assert not breakers.claim_probe(connection, *VENDOR)
    assert _left(connection) == PROBE_FOR


@pytest.mark.parametrize("ends", [breakers.hand_back, breakers.close])
def test_a_probe_ends_with_an_answer_or_for_the_next_one(connection: Connection, ends: object) -> None:
    _trip(connection)
    _pass_time(connection)
    assert breakers.claim_probe(connection, *VENDOR)
    assert callable(ends)
    ends(connection, *VENDOR)
    is_there = breakers.find(connection, *VENDOR) is not None
    assert is_there is (ends is breakers.hand_back)
    assert breakers.claim_probe(connection, *VENDOR) is is_there
