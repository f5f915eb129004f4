"""The ledger: what was read is known, what was not is a gap."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from pos_core.database.tables import sync_windows
from pos_core.repositories import ledger
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.ledger import Window
from tests.pos_core.given import connect

START = datetime(2026, 3, 1, tzinfo=UTC)
Span = tuple[int, int]


@pytest.fixture
def configuration(connection: Connection) -> Configuration:
    """A configuration of which nothing was read."""
    return connect(connection)


def _commit(
    connection: Connection,
    configuration: Configuration,
    *spans: Span,
    stream: str = "orders",
    location: str = "L1",
) -> None:
    """Records windows, given in minutes from the start."""
    windows = [
        Window(stream, location, *(START + timedelta(minutes=each) for each in span)) for span in spans
    ]
    ledger.commit(connection, configuration.tenant_id, configuration.id, uuid4(), windows)


def _covered(
    connection: Connection, configuration: Configuration, stream: str = "orders", location: str = "L1"
) -> list[Span]:
    intervals = ledger.covered(connection, configuration.id).get((stream, location), [])
    minute = timedelta(minutes=1)
    return sorted((int((a - START) / minute), int((b - START) / minute)) for a, b in intervals)


def test_nothing_is_covered_at_first(connection: Connection, configuration: Configuration) -> None:
    assert ledger.covered(connection, configuration.id) == {}


@pytest.mark.parametrize(
    ("spans", "covered"),
    [
        pytest.param([(0, 10), (10, 20)], [(0, 20)], id="touching after"),
        pytest.param([(10, 20), (0, 10)], [(0, 20)], id="touching before"),
        pytest.param([(0, 10), (11, 20)], [(0, 10), (11, 20)], id="a gap stays"),
        pytest.param([(0, 10), (20, 30), (10, 20)], [(0, 30)], id="a gap that is closed"),
        pytest.param([(0, 10), (20, 30), (10, 19)], [(0, 19), (20, 30)], id="a gap that is half closed"),
        pytest.param([(0, 10), (5, 15)], [(0, 15)], id="overlapping"),
        pytest.param([(0, 30), (10, 20)], [(0, 30)], id="inside"),
        pytest.param([(10, 20), (0, 30)], [(0, 30)], id="around"),
        pytest.param([(0, 10), (0, 10)], [(0, 10)], id="again"),
        pytest.param([(0, 5), (10, 15), (20, 25), (3, 22)], [(0, 25)], id="across several"),
    ],
)
def test_windows_that_touch_become_one(
    connection: Connection, configuration: Configuration, spans: list[Span], covered: list[Span]
) -> None:
    _commit(connection, configuration, *spans)
    assert _covered(connection, configuration) == covered


def test_any_windows_in_any_order_cover_exactly_their_minutes(
    connection: Connection, configuration: Configuration
) -> None:
    chance = random.Random(7)
    for location in map(str, range(20)):
        starts = [chance.randrange(60) for _ in range(12)]
        spans = [(start, start + chance.randrange(1, 8)) for start in starts]
        _commit(connection, configuration, *spans, location=location)
        covered = _covered(connection, configuration, location=location)
        minutes = {minute for start, end in spans for minute in range(start, end)}
        assert {minute for start, end in covered for minute in range(start, end)} == minutes
        assert all(end < start for (_, end), (start, _) in pairwise(covered))


def test_streams_locations_and_configurations_are_kept_apart(
    connection: Connection, configuration: Configuration
) -> None:
    other = connect(connection)
    _commit(connection, configuration, (0, 10))
    _commit(connection, configuration, (10, 20), stream="payments")
    _commit(connection, configuration, (10, 20), location="L2")
    _commit(connection, configuration, (10, 20), location="")
    _commit(connection, other, (10, 20))
    assert _covered(connection, configuration) == [(0, 10)]
    assert set(ledger.covered(connection, configuration.id)) == {
        ("orders", "L1"),
        ("payments", "L1"),
        ("orders", "L2"),
        ("orders", ""),
    }
    assert _covered(connection, other) == [(10, 20)]


def test_a_row_says_whose_it_is_and_which_sync_extended_it_last(
    connection: Connection, configuration: Configuration
) -> None:
    _commit(connection, configuration, (0, 10))
    last = uuid4()
    window = Window("orders", "L1", START + timedelta(minutes=10), START + timedelta(minutes=20))
    ledger.commit(connection, configuration.tenant_id, configuration.id, last, [window])
    row = connection.execute(select(sync_windows)).one()
    assert (row.tenant_id, row.configuration_id) == (configuration.tenant_id, configuration.id)
    assert row.sync_id == last


@pytest.mark.parametrize("span", [(5, 5), (6, 5)])
def test_a_window_in_which_nothing_can_be_is_refused(
    connection: Connection, configuration: Configuration, span: Span
) -> None:
    with pytest.raises(IntegrityError, match="half_open"):
        _commit(connection, configuration, span)


@pytest.mark.parametrize(
    ("spans", "since", "until", "left"),
    [
        pytest.param([(0, 100)], 20, 40, [(0, 20), (40, 100)], id="in the middle"),
        pytest.param([(0, 100)], -10, 40, [(40, 100)], id="from before the beginning"),
        pytest.param([(0, 10), (20, 30), (40, 50)], 5, 45, [(0, 5), (45, 50)], id="across gaps"),
        pytest.param([(0, 10), (20, 30)], 12, 18, [(0, 10), (20, 30)], id="a gap"),
        pytest.param([(0, 10), (20, 30)], 31, None, [(0, 10), (20, 30)], id="what is to come"),
    ],
)
def test_what_is_forgotten_is_a_gap_and_nothing_else(
    connection: Connection,
    configuration: Configuration,
    spans: list[Span],
    since: int,
    until: int | None,
    left: list[Span],
) -> None:
    _commit(connection, configuration, *spans)
    _commit(connection, configuration, (0, 1000), stream="payments")
    begin, end = (None if each is None else START + timedelta(minutes=each) for each in (since, until))
    assert begin is not None
    ledger.forget(connection, configuration.id, ["orders"], begin, end)
    assert _covered(connection, configuration) == left
    assert _covered(connection, configuration, stream="payments") == [(0, 1000)]


def test_the_last_second_of_what_was_read_is_never_forgotten(
    connection: Connection, configuration: Configuration
) -> None:
    _commit(connection, configuration, (0, 10), (20, 30))
    ledger.forget(connection, configuration.id, ["orders"], START, None)
    end = START + timedelta(minutes=30)
    assert ledger.covered(connection, configuration.id) == {
        ("orders", "L1"): [(end - timedelta(seconds=1), end)]
    }


def test_another_configuration_forgets_nothing(connection: Connection, configuration: Configuration) -> None:
    _commit(connection, configuration, (0, 30))
    other = connect(connection)
    ledger.forget(connection, other.id, ["orders"], START, None)
    assert _covered(connection, configuration) == [(0, 30)]
