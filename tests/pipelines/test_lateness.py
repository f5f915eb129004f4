"""Which changes came late, and by how much."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lateness import ON_TIME, bucket, measure

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """A time on a line of minutes."""
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-5, ON_TIME), (0, 12), (50, 10), (59, 6), (60, ON_TIME), (75, ON_TIME)],
)
def test_a_change_is_late_where_everything_had_been_read(minutes: int, expected: int) -> None:
    """The newest end beyond it says by how much: 60 minutes are less than 2**12 seconds."""
    seen = measure({("orders", "L1"): [(at(0), at(60))], ("orders", "L2"): [(at(0), at(70))]}, {})
    seen.note("orders", "a", at(minutes))
    assert seen.changes == {("orders", expected): 1}


def test_what_was_waited_for_has_no_time_or_was_never_read_is_not_counted() -> None:
    seen = measure({("orders", "L1"): [(at(0), at(60))]}, {"orders": ["waited"]})
    seen.note("orders", "waited", at(30))
    seen.note("orders", "timeless", None)
    seen.note("payments", "a", at(30))
    assert seen.changes == {}


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10**7))
def test_an_overlap_of_a_bucket_reaches_every_change_in_it(seconds: int) -> None:
    assert timedelta(seconds=2 ** bucket(timedelta(seconds=seconds))) > timedelta(seconds=seconds)


minute = st.integers(0, 60)
intervals = st.lists(st.tuples(minute, minute).filter(lambda pair: pair[0] < pair[1]), max_size=5)


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(intervals, min_size=1, max_size=3))
def test_read_before_is_what_was_read_of_every_location(locations: list[list[tuple[int, int]]]) -> None:
    covered = {
        ("orders", str(number)): [(at(start), at(end)) for start, end in each]
        for number, each in enumerate(locations)
    }
    found = measure(covered, {}).read_before["orders"]
    read = {m for m in range(60) if any(start <= at(m) < end for start, end in found)}
    every = [{m for start, end in each for m in range(start, end)} for each in locations]
    assert read == set.intersection(*every)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
