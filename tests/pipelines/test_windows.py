"""Which intervals are still to be read: no gap, nothing before the history, and always an overlap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.windows import Interval, Plan, Span, merge, split, subtract
from pos_core.errors import ConfigurationError

START = datetime(2026, 1, 1, tzinfo=UTC)
quick = settings(deadline=None, derandomize=True, database=None, max_examples=300)


def at(minutes: int) -> datetime:
    """A time on a line of minutes."""
    return START + timedelta(minutes=minutes)


minute = st.integers(-50, 150)
interval = st.tuples(minute, minute).filter(lambda pair: pair[0] < pair[1])
intervals = st.lists(interval, max_size=6)


def minutes_of(found: list[Interval]) -> set[int]:
    """The minutes that intervals hold."""
    return {minute for minute in range(-60, 200) if any(start <= at(minute) < end for start, end in found)}


def plan_of(pairs: list[tuple[int, int]], since: int | None = None) -> Plan:
    """A plan whose history begins at minute 0."""
    covered = {("orders", "L1"): [(at(start), at(end)) for start, end in pairs]}
    return Plan(START, covered, None if since is None else at(since))


@quick
@given(intervals, st.integers(0, 120), st.integers(0, 20))
def test_what_is_missing_leaves_no_gap_and_reads_nothing_it_should_not(
    pairs: list[tuple[int, int]], until: int, overlap: int
) -> None:
    plan = plan_of(pairs)
    found = plan.missing("orders", "L1", at(until), timedelta(minutes=overlap))
    read = minutes_of(found)
    covered = minutes_of([(at(start), at(end)) for start, end in pairs])
    assert set(range(until)) - covered <= read
    assert read <= set(range(until))
    assert found == sorted(found)
    assert all(first[1] < second[0] for first, second in pairwise(found))
    ends = [end for _, end in merge((at(start), at(end)) for start, end in pairs)]
    for end in ends:
        again = {m for m in range(until) if end - timedelta(minutes=overlap) <= at(m) < end}
        assert again <= read


@quick
@given(intervals, st.integers(-50, 120), st.integers(0, 120))
def test_a_backfill_reads_all_from_its_beginning_but_never_before_the_history(
    pairs: list[tuple[int, int]], since: int, until: int
) -> None:
    found = plan_of(pairs, since).missing("orders", "L1", at(until), timedelta(minutes=5))
    assert minutes_of(found) == set(range(max(since, 0), until))


@quick
@given(intervals, st.integers(-50, 120), st.integers(1, 120), st.integers(0, 120))
def test_a_range_reads_all_from_its_beginning_to_its_end_and_nothing_that_is_to_come(
    pairs: list[tuple[int, int]], since: int, length: int, until: int
) -> None:
    plan = replace(plan_of(pairs, since), until=at(since + length))
    found = plan.missing("orders", "L1", at(until), timedelta(minutes=5))
    assert minutes_of(found) == set(range(max(since, 0), min(since + length, until)))


@pytest.mark.parametrize(("since", "until"), [(None, 5), (5, 5), (6, 5)])
def test_a_range_that_is_none_is_refused(since: int | None, until: int) -> None:
    with pytest.raises(ConfigurationError):
        Span(None if since is None else at(since), at(until))


def test_another_location_or_stream_covers_nothing() -> None:
    plan = plan_of([(0, 100)])
    assert plan.missing("orders", "L2", at(10), timedelta(0)) == [(at(0), at(10))]
    assert plan.missing("payments", "L1", at(10), timedelta(0)) == [(at(0), at(10))]


def test_a_new_end_is_read_with_the_overlap_before_it() -> None:
    plan = plan_of([(0, 60)])
    assert plan.missing("orders", "L1", at(70), timedelta(minutes=10)) == [(at(50), at(70))]


def test_a_vendors_clock_that_went_back_makes_no_window() -> None:
    assert plan_of([(0, 60)]).missing("orders", "L1", at(-5), timedelta(minutes=10)) == []


@quick
@given(intervals)
def test_merging_keeps_the_minutes_and_leaves_nothing_that_touches(pairs: list[tuple[int, int]]) -> None:
    given_intervals = [(at(start), at(end)) for start, end in pairs]
    merged = merge(given_intervals)
    assert minutes_of(merged) == minutes_of(given_intervals)
    assert all(first[1] < second[0] for first, second in pairwise(merged))


@quick
@given(interval, intervals)
def test_subtracting_leaves_what_no_part_covers(whole: tuple[int, int], pairs: list[tuple[int, int]]) -> None:
    parts = merge((at(start), at(end)) for start, end in pairs)
    left = subtract((at(whole[0]), at(whole[1])), parts)
    assert minutes_of(left) == minutes_of([(at(whole[0]), at(whole[1]))]) - minutes_of(parts)


@quick
@given(interval, st.integers(1, 60))
def test_pieces_are_short_and_join_to_the_whole(whole: tuple[int, int], step: int) -> None:
    pieces = split((at(whole[0]), at(whole[1])), timedelta(minutes=step))
    assert all(end - start <= timedelta(minutes=step) for start, end in pieces)
    assert all(first[1] == second[0] for first, second in pairwise(pieces))
    assert (pieces[0][0], pieces[-1][1]) == (at(whole[0]), at(whole[1]))
