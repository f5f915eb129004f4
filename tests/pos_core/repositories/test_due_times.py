"""When configurations are due: spread, seldom while shops are closed, later after failures."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, select, text, update

from pos_core.database.tables import configurations as table
from pos_core.repositories import configurations, due_times
from tests.pos_core.given import connect

MONDAY = datetime(2026, 4, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)
# A bakery from Monday to Saturday, 4 to 13 o'clock.
BAKERY = [day * 24 + hour for day in range(6) for hour in range(4, 13)]


class _Highest(random.Random):
    """Dice that leave nothing off."""

    def random(self) -> int:
        return 1


HIGHEST = _Highest()


def _now(connection: Connection) -> datetime:
    return connection.execute(select(func.now())).scalar_one()


def _next(
    connection: Connection, after: datetime, hours: list[int] | None = None, interval: int = 300,
    of: UUID | None = None,
) -> datetime:  # fmt: skip
    query = text("select pos_next_sync_at(:of, :interval, cast(:hours as smallint[]), :after)")
    given = {"of": of or uuid4(), "interval": interval, "hours": hours, "after": after}
    found: datetime = connection.execute(query, given).scalar_one()
    return found


def test_after_a_success_it_is_due_within_one_interval_at_its_own_slot(connection: Connection) -> None:
    made = connect(connection, sync_interval_seconds=77)
    due_times.record_failure(connection, made, "auth")
    due_times.record_success(connection, made.id)
    now, after = _now(connection), configurations.get(connection, made.id)
    assert now < after.next_sync_at <= now + timedelta(seconds=77)
    assert after.next_sync_at == _next(connection, now, None, 77, made.id)
    assert (after.last_succeeded_at, after.consecutive_failures) == (now, 0)
    assert configurations.due_ids(connection) == []


def test_the_slots_of_a_configuration_lie_one_interval_apart(connection: Connection) -> None:
    mine = uuid4()
    slot = _next(connection, MONDAY, None, 300, mine)
    for seconds in (0, 1, 150, 299):
        assert _next(connection, slot + timedelta(seconds=seconds), None, 300, mine) == slot + 5 * HOUR / 60
    assert _next(connection, slot - timedelta(microseconds=1), None, 300, mine) == slot


def test_a_thousand_that_were_read_at_once_are_not_due_at_once(connection: Connection) -> None:
    query = text(
        "select count(*) as many from generate_series(1, 1000) as n "
        "group by floor(extract(epoch from pos_next_sync_at(md5(n::text)::uuid, 300, null, :at)) / 60)"
    )
    by_minute: list[int] = list(connection.execute(query, {"at": MONDAY}).scalars())
    assert len(by_minute) in (5, 6)
    assert sum(by_minute) == 1000
    assert max(by_minute) < 300


def test_an_interval_of_decades_has_a_next_slot(connection: Connection) -> None:
    assert _next(connection, MONDAY, BAKERY, 2**31 - 1) > MONDAY


@pytest.mark.parametrize(
    ("after", "longest"),
    [
        pytest.param(MONDAY + 5 * HOUR, timedelta(minutes=5), id="open"),
        pytest.param(MONDAY + 14 * HOUR, timedelta(minutes=20), id="closed"),
        pytest.param(MONDAY + 6 * 24 * HOUR, timedelta(minutes=20), id="closed on Sunday"),
        pytest.param(MONDAY + 4 * HOUR - timedelta(minutes=1), timedelta(minutes=6), id="about to open"),
        pytest.param(MONDAY + 13 * HOUR - timedelta(seconds=1), timedelta(minutes=5), id="about to close"),
    ],
)
def test_a_closed_shop_is_asked_a_quarter_as_often_and_in_time_for_its_opening(
    connection: Connection, after: datetime, longest: timedelta
) -> None:
    waits = [_next(connection, after, BAKERY) - after for _ in range(300)]
    assert max(waits) <= longest
    assert max(waits) > longest * 0.8
    assert min(waits) > timedelta(0)


def test_what_is_asked_seldom_anyway_is_asked_once_an_hour_at_least(connection: Connection) -> None:
    closed = MONDAY + 14 * HOUR
    assert max(_next(connection, closed, BAKERY, 1800) - closed for _ in range(100)) <= HOUR
    assert max(_next(connection, closed, BAKERY, 7200) - closed for _ in range(100)) > HOUR


def test_the_week_begins_again_after_sunday(connection: Connection) -> None:
    only_monday_at_0, sunday_night = [0], MONDAY + 7 * 24 * HOUR - timedelta(minutes=2)
    waits = [_next(connection, sunday_night, only_monday_at_0) - sunday_night for _ in range(100)]
    assert max(waits) <= timedelta(minutes=7)


@pytest.mark.parametrize(
    ("error_class", "waits"),
    [
        pytest.param("rate_limit", [300, 600, 1200, 2400, 3600, 3600], id="passes by itself"),
        pytest.param("vendor_fault", [300, 600, 1200, 2400, 3600, 3600], id="the vendor's"),
        pytest.param("internal", [300, 600, 1200, 2400, 4800, 9600, 19200, 21600], id="ours"),
        pytest.param("auth", [300, 1200, 4800, 19200, 76800, 86400, 86400], id="the tenant's"),
        pytest.param("permission", [300, 1200, 4800, 19200, 76800, 86400], id="a permission"),
    ],
)
def test_each_failure_waits_longer_by_who_can_mend_it(
    connection: Connection, error_class: str, waits: list[int]
) -> None:
    made = connect(connection, sync_interval_seconds=300)
    found = []
    for failures in range(1, len(waits) + 1):
        due_times.record_failure(connection, configurations.get(connection, made.id), error_class, HIGHEST)
        after = configurations.get(connection, made.id)
        assert after.consecutive_failures == failures
        found.append((after.next_sync_at - _now(connection)).total_seconds())
    assert found == waits


def test_what_failed_at_the_same_moment_is_tried_at_different_ones(connection: Connection) -> None:
    made = [connect(connection, sync_interval_seconds=300) for _ in range(20)]
    for each in made:
        due_times.record_failure(connection, each, "vendor_fault")
    now = _now(connection)
    waits = [configurations.get(connection, each.id).next_sync_at - now for each in made]
    assert len(set(waits)) > 15
    assert all(timedelta(seconds=150) <= each <= timedelta(seconds=300) for each in waits)


@pytest.mark.parametrize("interval", [10, 2**31 - 1])
def test_after_ever_so_many_failures_the_wait_is_the_longest(connection: Connection, interval: int) -> None:
    made = connect(connection, sync_interval_seconds=interval)
    connection.execute(update(table).values(consecutive_failures=1_000_000))
    due_times.record_failure(connection, configurations.get(connection, made.id), "internal", HIGHEST)
    after = configurations.get(connection, made.id)
    assert after.next_sync_at - _now(connection) == timedelta(hours=6)


def test_to_be_postponed_is_no_failure(connection: Connection) -> None:
    made, other = connect(connection), connect(connection)
    until = _now(connection) + timedelta(seconds=40)
    due_times.record_postponed(connection, made.id, until)
    after = configurations.get(connection, made.id)
    assert (after.next_sync_at, after.consecutive_failures, after.last_succeeded_at) == (until, 0, None)
    assert configurations.get(connection, other.id) == other


@pytest.fixture
def sales(connection: Connection) -> Connection:
    """The table of sales, as far as it matters here."""
    connection.execute(
        text("create table pos_transactions (tenant_id uuid, configuration_id uuid, occurred_at timestamptz)")
    )
    return connection


def _sell(connection: Connection, configuration: Any, days: int, hours: range, first_day: int = 1) -> None:
    """Sales at half past of some hours of so many days before today."""
    connection.execute(
        text("""
            insert into pos_transactions
            select :tenant, :id, date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'
                - day * interval '1 day' + hour * interval '1 hour' + interval '30 minutes'
            from generate_series(:first, :first + :days - 1) as day, unnest(cast(:hours as int[])) as hour
        """),
        {
            "tenant": configuration.tenant_id,
            "id": configuration.id,
            "first": first_day,
            "days": days,
            "hours": list(hours),
        },
    )


def test_open_are_the_hours_with_sales_and_one_on_either_side(sales: Connection) -> None:
    made, other = connect(sales), connect(sales)
    _sell(sales, made, 27, range(7, 15))
    assert due_times.note_open_hours(sales) == 1
    found = configurations.get(sales, made.id).open_hours
    assert found == [day * 24 + hour for day in range(7) for hour in range(6, 16)]
    assert configurations.get(sales, other.id).open_hours is None
    assert due_times.note_open_hours(sales) == 0, "what is known already is not written again"


def test_the_margin_goes_round_midnight_and_the_week(sales: Connection) -> None:
    made = connect(sales)
    _sell(sales, made, 27, range(0, 1))
    due_times.note_open_hours(sales)
    found = configurations.get(sales, made.id).open_hours
    assert found == sorted((day * 24 + hour) % 168 for day in range(7) for hour in (-1, 0, 1))


@pytest.mark.parametrize(("days", "is_known"), [(13, False), (14, True)])
def test_nothing_is_known_of_a_shop_that_has_just_opened(
    sales: Connection, days: int, is_known: bool
) -> None:
    made = connect(sales)
    _sell(sales, made, days, range(7, 15))
    due_times.note_open_hours(sales)
    assert (configurations.get(sales, made.id).open_hours is not None) is is_known


def test_sales_of_long_ago_and_of_others_do_not_count(sales: Connection) -> None:
    made, other = connect(sales), connect(sales)
    _sell(sales, made, 20, range(7, 15))
    _sell(sales, made, 60, range(20, 23), first_day=30)
    _sell(sales, other, 20, range(1, 5))
    due_times.note_open_hours(sales)
    mine, theirs = (configurations.get(sales, each.id).open_hours or [] for each in (made, other))
    assert {each % 24 for each in mine} == set(range(6, 16))
    assert {each % 24 for each in theirs} == set(range(0, 6))


def test_what_was_known_is_forgotten_when_sales_have_stopped(sales: Connection) -> None:
    made = connect(sales)
    sales.execute(update(table).values(open_hours=BAKERY))
    assert due_times.note_open_hours(sales) == 1
    assert configurations.get(sales, made.id).open_hours is None


def test_without_a_table_of_sales_nothing_is_learned(connection: Connection) -> None:
    connect(connection)
    assert due_times.note_open_hours(connection) == 0
