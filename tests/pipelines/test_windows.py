"""Which intervals are still to be read: no gap, nothing before the history, and always an overlap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.connector import Stream
from pipelines.windows import Interval, Plan, Span, merge, reread_name, split, subtract
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


ORDERS = Stream("orders", is_per_location=True, is_sliced=True)


def stream(overlap: int, reread: int = 0) -> Stream:
    """A stream with slices, its overlap and its daily reading in minutes."""
    return replace(ORDERS, overlap=timedelta(minutes=overlap), reread=timedelta(minutes=reread))


def plan_of(pairs: list[tuple[int, int]], reach: int | None = None) -> Plan:
    """A plan whose history begins at minute 0."""
    covered = {("orders", "L1"): [(at(start), at(end)) for start, end in pairs]}
    return Plan(START, covered, reach=None if reach is None else timedelta(minutes=reach))


@quick
@given(intervals, st.integers(0, 120), st.integers(0, 20))
def test_what_is_missing_leaves_no_gap_and_reads_nothing_it_should_not(
    pairs: list[tuple[int, int]], until: int, overlap: int
) -> None:
    found = plan_of(pairs).missing(stream(overlap), "L1", at(until))
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
@given(intervals, st.integers(0, 120), st.integers(0, 20), st.integers(1, 40), st.integers(0, 6_000))
def test_slices_go_back_from_now_and_read_all_that_is_missing_once(
    pairs: list[tuple[int, int]], until: int, overlap: int, reach: int, documents: int
) -> None:
    orders = stream(overlap)
    whole = minutes_of(plan_of(pairs).missing(orders, "L1", at(until)))
    plan: Plan | None = plan_of(pairs, reach)
    read: list[set[int]] = []
    while plan is not None:
        read.append(minutes_of(plan.missing(orders, "L1", at(until))))
        plan = plan.before(documents)
    assert set().union(*read) == whole
    assert sum(map(len, read)) == len(whole)
    assert all(read[1:]), "an older slice is only made where something is missing"
    assert all(min(newer) > max(older) for newer, older in pairwise(filter(None, read)))


def test_a_slice_grows_after_few_documents_and_shrinks_after_many() -> None:
    plan = Plan(START - timedelta(days=1000), reach=timedelta(days=8))
    plan.missing(ORDERS, "L1", START)
    reaches = [older.reach for each in (10, 1_000, 9_000) if (older := plan.before(each))]
    assert reaches == [timedelta(days=32), timedelta(days=8), timedelta(days=2)]


def test_what_has_no_slices_is_read_whole_and_only_with_the_newest_slice() -> None:
    plan = plan_of([], reach=10)
    catalog = Stream("catalog")
    assert plan.missing(catalog, "", at(100)) == [(at(0), at(100))]
    assert plan.missing(ORDERS, "L1", at(100)) == [(at(90), at(100))]
    older = plan.before(1_000)
    assert older is not None
    assert older.missing(catalog, "", at(100)) == []
    assert older.missing(ORDERS, "L1", at(100)) == [(at(80), at(90))]


def test_the_overlap_is_at_least_what_was_seen_to_be_late() -> None:
    covered = {("orders", "L1"): [(at(0), at(60))]}
    for seen, begin in ((5, 50), (30, 30)):
        plan = Plan(START, covered, {"orders": timedelta(minutes=seen)})
        assert plan.missing(stream(10), "L1", at(70)) == [(at(begin), at(70))]


def test_once_a_day_a_stream_is_read_again_further_back() -> None:
    day = 24 * 60
    covered = [(at(0), at(3 * day))]
    orders = stream(10, reread=2 * day)
    for again, begin in (([], day), ([2 * day + 6], 3 * day - 10), ([2 * day + 5], day)):
        read = {(reread_name("orders"), "L1"): [(at(0), at(end)) for end in again]}
        plan = Plan(START, {("orders", "L1"): covered, **read})
        assert plan.missing(orders, "L1", at(3 * day + 5)) == [(at(begin), at(3 * day + 5))]
        expected = {("orders", "L1"): (at(day + 5), at(3 * day + 5))} if begin == day else {}
        assert plan.reread == expected


@pytest.mark.parametrize(("since", "until"), [(None, 5), (5, 5), (6, 5)])
def test_a_range_that_is_none_is_refused(since: int | None, until: int) -> None:
    with pytest.raises(ConfigurationError):
        Span(None if since is None else at(since), at(until))


def test_another_location_or_stream_covers_nothing() -> None:
    plan = plan_of([(0, 100)])
    assert plan.missing(ORDERS, "L2", at(10)) == [(at(0), at(10))]
    assert plan.missing(Stream("payments"), "L1", at(10)) == [(at(0), at(10))]


def test_a_new_end_is_read_with_the_overlap_before_it() -> None:
    plan = plan_of([(0, 60)])
    assert plan.missing(stream(10), "L1", at(70)) == [(at(50), at(70))]


def test_a_vendors_clock_that_went_back_makes_no_window() -> None:
    assert plan_of([(0, 60)]).missing(stream(10), "L1", at(-5)) == []


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
