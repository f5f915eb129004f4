"""Syncs that were asked for: one at a time, taken by the sync that does them, not launched over and over."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, func, select, text, update

from pos_core.database.tables import sync_requests as table
from pos_core.errors import SyncBacklogError, UnknownResourceError
from pos_core.repositories import configurations, sync_logs, sync_requests
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import busy_configurations, held_configurations
from pos_core.repositories.sync_logs import SyncCounts
from pos_core.repositories.sync_requests import MOST_OPEN, SyncRequest
from tests.pos_core.given import connect

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def _ask(connection: Connection, configuration: Configuration, *span: datetime | None) -> SyncRequest:
    return sync_requests.ask(connection, configuration.tenant_id, configuration.id, "tester", *span)[0]


def _get(connection: Connection, configuration: Configuration, request: SyncRequest) -> SyncRequest:
    return sync_requests.get(connection, configuration.tenant_id, configuration.id, request.id)


def _start(connection: Connection, configuration: Configuration, *span: datetime | None) -> UUID:
    [sync_id] = sync_logs.start(connection, [configuration], None, "poll")
    sync_requests.claim(connection, configuration.id, sync_id, *(span or (None, None)))
    return sync_id


def _age(connection: Connection, request: SyncRequest, **ages: timedelta) -> None:
    """Lets columns of a request be so long ago."""
    values: dict[str, Any] = {name: func.now() - age for name, age in ages.items()}
    connection.execute(update(table).where(table.c.id == request.id).values(**values))


def test_the_same_asked_for_again_is_the_same_until_it_is_done(connection: Connection) -> None:
    mine = connect(connection)
    first, is_new = sync_requests.ask(connection, mine.tenant_id, mine.id, "ada")
    assert (is_new, first.status, first.requested_by) == (True, "queued", "ada")
    assert sync_requests.ask(connection, mine.tenant_id, mine.id, "ben") == (first, False)
    sync_id = _start(connection, mine)
    again, is_new = sync_requests.ask(connection, mine.tenant_id, mine.id, "ben")
    assert (again.id, again.status, is_new) == (first.id, "running", False)
    sync_logs.finish(connection, sync_id, SyncCounts(), {}, None)
    assert _ask(connection, mine).id != first.id


def test_ranges_are_requests_of_their_own(connection: Connection) -> None:
    mine = connect(connection)
    asked = [_ask(connection, mine, *span) for span in [(), (MARCH,), (MARCH, APRIL), (APRIL,)]]
    assert len({each.id for each in asked}) == 4
    assert [_ask(connection, mine, MARCH, APRIL).id, _ask(connection, mine, MARCH).id] == [
        asked[2].id,
        asked[1].id,
    ]
    assert sync_requests.listed_open(connection, mine.tenant_id, mine.id) == sorted(
        asked, key=lambda each: each.id
    )


def test_more_than_can_be_done_is_refused(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    for day in range(MOST_OPEN):
        _ask(connection, mine, MARCH + timedelta(days=day))
    with pytest.raises(SyncBacklogError, match=f"{MOST_OPEN} syncs"):
        _ask(connection, mine)
    assert _ask(connection, mine, MARCH).status == "queued"
    assert _ask(connection, other).status == "queued"


def test_another_tenants_request_is_unknown(connection: Connection) -> None:
    mine, theirs = connect(connection), connect(connection)
    request = _ask(connection, theirs)
    for tenant, configuration in ((mine.tenant_id, theirs.id), (theirs.tenant_id, mine.id)):
        with pytest.raises(UnknownResourceError):
            sync_requests.get(connection, tenant, configuration, request.id)


@pytest.mark.parametrize("error", [None, ("auth", "The token is expired.")])
def test_a_sync_takes_what_it_does_and_ends_it(connection: Connection, error: tuple[str, str] | None) -> None:
    mine = connect(connection)
    plain, march = _ask(connection, mine), _ask(connection, mine, MARCH, APRIL)
    open_ended = _ask(connection, mine, MARCH)
    sync_id = _start(connection, mine, MARCH, APRIL)
    taken = _get(connection, mine, march)
    assert (taken.status, taken.sync_id) == ("running", sync_id)
    sync_logs.finish(connection, sync_id, SyncCounts(), {}, error)
    ended = _get(connection, mine, march)
    assert ended.status == ("failed" if error else "succeeded")
    assert ended.finished_at is not None
    assert {_get(connection, mine, each).status for each in (plain, open_ended)} == {"queued"}


def test_what_is_asked_for_while_a_sync_reads_a_range_is_left_for_the_next(connection: Connection) -> None:
    mine = connect(connection)
    sync_id = _start(connection, mine)
    late = _ask(connection, mine)
    sync_logs.finish(connection, sync_id, SyncCounts(), {}, None)
    assert _get(connection, mine, late).status == "queued"


def test_what_a_dead_sync_had_taken_is_queued_again_by_the_next(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    march, theirs = _ask(connection, mine, MARCH, APRIL), _ask(connection, other)
    _start(connection, mine, MARCH, APRIL)
    _start(connection, other)
    _start(connection, mine)
    assert _get(connection, mine, march).status == "queued"
    assert _get(connection, mine, march).sync_id is None
    assert _get(connection, other, theirs).status == "running"


def test_what_a_dead_sync_had_taken_is_queued_again_by_the_sweep(engine: Engine) -> None:
    with engine.begin() as connection:
        dead, alive = connect(connection), connect(connection)
        lost, kept = _ask(connection, dead), _ask(connection, alive)
        _start(connection, dead)
        _start(connection, alive)
    with held_configurations(engine, [alive.id]), engine.begin() as connection:
        assert busy_configurations(connection, [dead.id, alive.id]) == {alive.id}
        sync_requests.release_dead(connection)
        assert _get(connection, dead, lost).status == "queued"
        assert _get(connection, alive, kept).status == "running"


def test_a_request_is_launched_once_and_again_after_waits_that_double(connection: Connection) -> None:
    mine = connect(connection)
    request = _ask(connection, mine)
    minute = timedelta(minutes=1)
    assert [each.id for each in sync_requests.take_to_launch(connection)] == [request.id]
    assert sync_requests.take_to_launch(connection) == []
    waits = {0: 1, 1: 1, 2: 2, 10: 10, 60: 60}
    for age_at_launch, wait in waits.items():
        for since_launch, is_taken in ((wait * minute - timedelta(seconds=1), False), (wait * minute, True)):
            _age(
                connection,
                request,
                launched_at=since_launch,
                requested_at=since_launch + age_at_launch * minute,
            )
            assert bool(sync_requests.take_to_launch(connection)) == is_taken


def test_the_sweep_leaves_a_moment_to_who_took_the_request(connection: Connection) -> None:
    mine = connect(connection)
    request = _ask(connection, mine)
    grace = timedelta(seconds=5)
    assert sync_requests.take_to_launch(connection, grace=grace) == []
    _age(connection, request, requested_at=grace)
    assert [each.id for each in sync_requests.take_to_launch(connection, grace=grace)] == [request.id]


def test_of_one_configuration_one_is_launched_at_a_time_plain_ones_first(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    march = _ask(connection, mine, MARCH, APRIL)
    plain, others = _ask(connection, mine), _ask(connection, other)
    assert {each.id for each in sync_requests.take_to_launch(connection)} == {plain.id, others.id}
    assert sync_requests.take_to_launch(connection) == []
    sync_logs.finish(connection, _start(connection, mine), SyncCounts(), {}, None)
    assert [each.id for each in sync_requests.take_to_launch(connection)] == [march.id]


def test_only_a_tenants_own_are_launched_for_it(connection: Connection) -> None:
    mine, theirs = connect(connection), connect(connection)
    request = _ask(connection, mine)
    _ask(connection, theirs)
    assert [each.id for each in sync_requests.take_to_launch(connection, mine.tenant_id)] == [request.id]


def test_nothing_is_launched_while_a_sync_runs(engine: Engine) -> None:
    with engine.begin() as connection:
        mine = connect(connection)
        request = _ask(connection, mine)
    with held_configurations(engine, [mine.id]), engine.begin() as connection:
        assert sync_requests.take_to_launch(connection) == []
    with engine.begin() as connection:
        assert [each.id for each in sync_requests.take_to_launch(connection)] == [request.id]


def test_two_that_launch_at_once_do_not_launch_the_same(engine: Engine) -> None:
    with engine.begin() as connection:
        _ask(connection, connect(connection))
    second: list[SyncRequest] = []

    def launch_too() -> None:
        with engine.begin() as connection:
            second.extend(sync_requests.take_to_launch(connection))

    thread = threading.Thread(target=launch_too)
    with engine.connect() as first, engine.connect() as watching:
        assert len(sync_requests.take_to_launch(first)) == 1
        thread.start()
        waiting = text("select exists (select from pg_locks where not granted)")
        while not watching.execute(waiting).scalar():
            watching.rollback()
        first.commit()
    thread.join()
    assert second == []


def test_what_was_not_launched_after_all_is_launched_by_the_next(connection: Connection) -> None:
    mine = connect(connection)
    request = _ask(connection, mine)
    sync_requests.take_to_launch(connection)
    sync_requests.not_launched(connection, [request.id])
    assert [each.id for each in sync_requests.take_to_launch(connection)] == [request.id]


def test_a_run_over_what_is_due_launches_plain_requests_with_it(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    plain, march = _ask(connection, mine), _ask(connection, mine, MARCH, APRIL)
    assert sync_requests.just_launched(connection) == set()
    sync_requests.launched_with(connection, [mine.id, other.id])
    assert sync_requests.just_launched(connection) == {mine.id}
    assert sync_requests.take_to_launch(connection) == []
    _age(connection, plain, launched_at=timedelta(minutes=1), requested_at=timedelta(minutes=1))
    assert sync_requests.just_launched(connection) == set()
    assert _get(connection, mine, march).launched_at is None


def test_a_run_is_told_which_of_its_requests_are_still_to_be_done(connection: Connection) -> None:
    mine, done = connect(connection), connect(connection)
    _ask(connection, mine)
    _ask(connection, mine, MARCH, APRIL)
    _ask(connection, done)
    sync_logs.finish(connection, _start(connection, done), SyncCounts(), {}, None)
    both = [done.id, mine.id]
    assert sync_requests.still_wanted(connection, both, None, None) == [mine.id]
    assert sync_requests.still_wanted(connection, both, MARCH, APRIL) == [mine.id]
    assert sync_requests.still_wanted(connection, both, MARCH, None) == []


def test_what_was_asked_of_a_configuration_that_is_disabled_fails(connection: Connection) -> None:
    mine, other, kept = (connect(connection) for _ in range(3))
    asked = {each.id: _ask(connection, each) for each in (mine, other, kept)}
    for each in (mine, other):
        configurations.disable(connection, each.id, "closed", Actor("tester"))
    assert [each.id for each in sync_requests.take_to_launch(connection)] == [asked[kept.id].id]
    sync_requests.refuse(connection, [mine.id])
    statuses = select(table.c.configuration_id, table.c.status)
    found: dict[Any, Any] = {row[0]: row[1] for row in connection.execute(statuses)}
    assert found == {mine.id: "failed", other.id: "queued", kept.id: "queued"}
    sync_requests.refuse(connection)
    assert _get(connection, other, asked[other.id]).status == "failed"
    assert _get(connection, kept, asked[kept.id]).status == "queued"


def test_releasing_a_sync_that_took_nothing_changes_nothing(connection: Connection) -> None:
    mine = connect(connection)
    request = _ask(connection, mine)
    sync_requests.release(connection, [uuid4()])
    assert _get(connection, mine, request) == request


def test_a_tenant_may_not_take_all_the_room_there_is_for_runs(connection: Connection) -> None:
    greedy, other = connect(connection), connect(connection)
    assert sync_requests.room_for_runs(connection, greedy.tenant_id) == 3
    for month in range(1, 5):
        _ask(connection, greedy, datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month, 2, tzinfo=UTC))
    connection.execute(update(table).values(launched_at=func.now()))
    assert sync_requests.room_for_runs(connection, greedy.tenant_id) == 0
    assert sync_requests.room_for_runs(connection, other.tenant_id) == 3
    assert sync_requests.room_for_runs(connection) == 6
    connection.execute(update(table).values(launched_at=func.now() - timedelta(minutes=2)))
    assert sync_requests.room_for_runs(connection) == 10
