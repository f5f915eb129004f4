"""The log of syncs: each has a row, and none stays open."""

from dataclasses import asdict
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select

from pos_core.database.tables import sync_logs as table
from pos_core.repositories import sync_logs
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.sync_logs import SyncCounts
from tests.pos_core.given import connect


def _start(connection: Connection, configuration: Configuration, run_id: str | None = None) -> Row[tuple[()]]:
    [sync_id] = sync_logs.start(connection, [configuration], run_id, "poll")
    return _row(connection, sync_id)


def _row(connection: Connection, sync_id: object) -> Row[tuple[()]]:
    return connection.execute(select(*table.c).where(table.c.id == sync_id)).one()


def test_a_sync_that_begins_has_a_running_row(connection: Connection) -> None:
    configuration = connect(connection)
    row = _start(connection, configuration, "run-1")
    assert (row.tenant_id, row.configuration_id) == (configuration.tenant_id, configuration.id)
    assert (row.status, row.source, row.run_id, row.finished_at) == ("running", "poll", "run-1", None)


def test_a_success_has_its_figures(connection: Connection) -> None:
    counts = SyncCounts(*range(1, len(asdict(SyncCounts())) + 1))
    sync_id = _start(connection, connect(connection)).id
    sync_logs.finish(connection, sync_id, counts, {"fetch": 1.5}, None)
    row = _row(connection, sync_id)
    assert {name: row._mapping[name] for name in asdict(counts)} == asdict(counts)
    assert (row.status, row.seconds) == ("succeeded", {"fetch": 1.5})
    assert (row.error_class, row.error) == (None, None)
    assert row.finished_at == connection.execute(select(func.now())).scalar()


def test_a_failure_has_its_reason_and_the_figures_until_then(connection: Connection) -> None:
    sync_id = _start(connection, connect(connection)).id
    counts = SyncCounts(calls=3)
    sync_logs.finish(connection, sync_id, counts, {}, ("auth", "The token is expired."))
    row = _row(connection, sync_id)
    assert (row.status, row.calls) == ("failed", 3)
    assert (row.error_class, row.error) == ("auth", "The token is expired.")


def test_the_row_of_a_dead_run_is_closed_as_interrupted_by_the_next_sync(connection: Connection) -> None:
    configuration, other = connect(connection), connect(connection)
    others = _start(connection, other)
    finished = _start(connection, configuration)
    sync_logs.finish(connection, finished.id, SyncCounts(), {}, None)
    finished = _row(connection, finished.id)
    dead = _start(connection, configuration)
    now_running = _start(connection, configuration)
    closed = _row(connection, dead.id)
    assert (closed.status, closed.error_class) == ("failed", "interrupted")
    assert closed.error.endswith("nothing of it counts.")
    assert closed.finished_at is not None
    assert _row(connection, now_running.id).status == "running"
    assert _row(connection, others.id) == others
    assert _row(connection, finished.id) == finished


def test_a_reason_keeps_no_user_of_an_address(connection: Connection) -> None:
    sync_id = _start(connection, connect(connection)).id
    said = "The vendor at https://ada:flour@vendor.example.com/v2 does not answer."
    sync_logs.finish(connection, sync_id, SyncCounts(), {}, ("unreachable", said))
    told = _row(connection, sync_id).error
    assert told == "The vendor at https://vendor.example.com/v2 does not answer."


def test_the_last_syncs_are_listed_newest_first_of_one_configuration_alone(connection: Connection) -> None:
    mine, other = connect(connection), connect(connection)
    ids = [_start(connection, mine, f"run-{number}").id for number in range(3)]
    for age, each in enumerate(ids):
        connection.execute(
            table.update()
            .where(table.c.id == each)
            .values(started_at=func.now() - func.make_interval(0, 0, 0, 0, age))
        )
    _start(connection, other)
    found = sync_logs.recent(connection, mine.tenant_id, mine.id, 2)
    assert [each.run_id for each in found] == ["run-0", "run-1"]
    assert sync_logs.recent(connection, other.tenant_id, mine.id, 2) == []


def test_to_close_a_row_that_is_not_there_changes_none(connection: Connection) -> None:
    row = _start(connection, connect(connection))
    sync_logs.finish(connection, uuid4(), SyncCounts(), {}, None)
    assert _row(connection, row.id) == row


def test_a_postponed_sync_has_asked_nothing_and_is_no_failure(connection: Connection) -> None:
    sync_id = _start(connection, connect(connection)).id
    said = ("vendor_down", "The vendor does not answer at the moment.")
    sync_logs.finish(connection, sync_id, SyncCounts(), {}, said, "postponed")
    row = _row(connection, sync_id)
    assert (row.status, row.error_class, row.error) == ("postponed", *said)


def test_what_is_landed_is_new_or_changed() -> None:
    counts = SyncCounts()
    for is_new in (True, True, False):
        counts.note_landed(is_new=is_new)
    assert (counts.documents_landed, counts.documents_new, counts.documents_changed) == (3, 2, 1)
    counts.note_nothing_landed()
    assert counts == SyncCounts()


def test_seconds_of_later_steps_are_added(connection: Connection) -> None:
    mine, other = (_start(connection, connect(connection)).id for _ in range(2))
    sync_logs.finish(connection, mine, SyncCounts(), {"fetch": 1.5}, None)
    sync_logs.add_seconds(connection, [mine], {"normalise": 0.25})
    assert _row(connection, mine).seconds == {"fetch": 1.5, "normalise": 0.25}
    assert _row(connection, other).seconds is None
    sync_logs.add_seconds(connection, [other], {"normalise": 1})
    assert _row(connection, other).seconds == {"normalise": 1}


def _ended(connection: Connection, configuration: Configuration, days: int, status: str) -> object:
    """A sync that ended so long ago."""
    sync_id = _start(connection, configuration).id
    values = {"status": status, "started_at": func.now() - func.make_interval(0, 0, 0, days)}
    connection.execute(table.update().where(table.c.id == sync_id).values(values))
    return sync_id


def _ids(connection: Connection) -> set[object]:
    return set(connection.execute(select(table.c.id)).scalars())


def test_rows_are_kept_for_ninety_days_and_the_last_success_for_ever(connection: Connection) -> None:
    healthy, broken, never = (connect(connection) for _ in range(3))
    gone = {
        _ended(connection, healthy, 200, "succeeded"),
        _ended(connection, healthy, 91, "failed"),
        _ended(connection, broken, 400, "succeeded"),
        _ended(connection, broken, 300, "postponed"),
        _ended(connection, never, 91, "failed"),
    }
    kept = {
        _ended(connection, healthy, 89, "failed"),
        _ended(connection, healthy, 1, "succeeded"),
        _ended(connection, broken, 200, "succeeded"),
        _ended(connection, broken, 2, "failed"),
    }
    assert sync_logs.prune(connection) == len(gone)
    assert _ids(connection) == kept
    assert sync_logs.prune(connection) == 0


def test_a_sync_that_still_runs_is_not_removed(connection: Connection) -> None:
    running = _ended(connection, connect(connection), 100, "running")
    assert sync_logs.prune(connection) == 0
    assert _ids(connection) == {running}


def test_the_newest_of_each_is_the_running_one_or_the_last_that_has_ended(connection: Connection) -> None:
    mine, other, never = (connect(connection) for _ in range(3))
    _ended(connection, mine, 3, "succeeded")
    _ended(connection, mine, 2, "failed")
    _ended(connection, mine, 1, "running")
    _ended(connection, other, 1, "postponed")
    now = sync_logs.newest(connection, is_finished=False)
    ended = sync_logs.newest(connection, is_finished=True)
    assert {key: row["status"] for key, row in now.items()} == {mine.id: "running", other.id: "postponed"}
    assert {key: row["status"] for key, row in ended.items()} == {mine.id: "failed", other.id: "postponed"}
    assert never.id not in now
    assert sync_logs.newest(connection, is_finished=True, configuration_id=mine.id).keys() == {mine.id}
