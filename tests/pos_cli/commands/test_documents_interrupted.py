"""`pos sync` killed or stopped at the worst moments, and two at once: the rows come out the same."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from pos_cli.demo.tie_out import compare
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations, held_normalising
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_cli.process import finish, start_pos, started

Configurations = list[Configuration]
_DEADLINE_SECONDS = 120
_LEFT = ("pos_configurations", "pos_configuration_locations", "pos_schema_version", "pos_model_builds")


@pytest.fixture
def undisturbed(pos: Pos, connected: Configurations, project: Project) -> dict[str, list[str]]:
    """The marts as one sync that nobody disturbs makes them; all but the configurations is then removed."""
    pos("sync").succeeded()
    marts = project.marts()
    assert len(marts["pos_transactions"]) > 100
    tables = project.rows(
        "select schemaname || '.' || quote_ident(tablename) as name from pg_tables "
        "where (schemaname = 'public' or schemaname like 'raw\\_%') and tablename <> all(:left) "
        "and tablename not like '%currency%'",
        left=list(_LEFT),
    )
    project.execute("truncate " + ", ".join(row["name"] for row in tables))
    return marts


def _wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def _held(project: Project, table: str) -> Iterator[Callable[[], bool]]:
    """Lets nobody write to a table; what it yields tells whether somebody wants to.

    Whoever still waits in the end does not get to write: the server notices late that a client was killed.
    """
    waiting = (
        "from pg_locks inner join pg_stat_activity using (pid) where not granted "
        "and relation = cast(:name as regclass) and query ~* '(insert into|delete from)'"
    )
    with project.engine.connect() as connection:
        connection.execute(text(f"lock table {table} in exclusive mode"))
        yield lambda: project.value(f"select exists (select {waiting})", name=table)
        connection.execute(text(f"select pg_terminate_backend(pid, 10000) {waiting}"), {"name": table})


def _kill(until: Callable[[], object]) -> None:
    """Kills a sync, with no chance to tidy up, at the moment that is waited for."""
    with started("sync") as process:
        _wait_until(until)
        assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL


def _assert_as_undisturbed(pos: Pos, project: Project, sandbox: Driver, undisturbed: object) -> None:
    pos("sync").succeeded()
    assert project.marts() == undisturbed
    assert compare(project.engine, sandbox.truth()) == []
    assert pos("sync", "--json").succeeded().json["configurations"][0]["landed"] == 0


def test_killed_while_a_page_is_on_its_way(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    sandbox.control("faults", {"kind": "slow", "path": "/v2/orders/search", "seconds": 600})
    sandbox.http.delete("/_sandbox/calls")
    _kill(lambda: any(each["path"] == "/v2/orders/search" for each in _calls(sandbox)))
    sandbox.http.delete("/_sandbox/faults")
    assert project.value("select count(*) from pos_sync_windows") == 0
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_killed_when_rows_are_copied_but_the_load_is_not_complete(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    with _held(project, "raw_square._dlt_loads") as is_wanted:
        _kill(is_wanted)
    assert project.value("select count(*) from raw_square.orders") > 0
    assert project.value("select count(*) from raw_square._dlt_loads") == 0
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_killed_when_the_load_is_complete_but_the_ledger_is_not_written(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    with _held(project, "pos_sync_windows") as is_wanted:
        _kill(is_wanted)
    assert project.value("select count(*) from raw_square._dlt_loads") == 1
    assert project.value("select count(*) from pos_sync_windows") == 0
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_killed_before_the_documents_are_normalised(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
    with held_normalising(project.engine):
        _kill(lambda: project.value(waiting))
    assert project.value("select count(*) from pos_sync_windows") > 0
    assert project.value("select count(*) from pos_transactions") == 0
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_killed_while_the_marts_are_written(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    with _held(project, "pos_transaction_payments") as is_wanted:
        _kill(is_wanted)
    assert project.value("select count(*) from pos_transactions") == 0
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_a_killed_sync_is_told_as_failed_in_the_log_and_in_dagster_and_leaves_no_folder(
    pos: Pos, project: Project, undisturbed: object
) -> None:
    with _held(project, "pos_sync_windows") as is_wanted:
        _kill(is_wanted)
    pos("sync").succeeded()
    logs = project.rows("select status, error_class from pos_sync_logs order by started_at")
    assert [each["status"] for each in logs].count("running") == 0
    assert [each["error_class"] for each in logs].count("interrupted") == 2
    assert list((project.home / "work").glob("run-*")) == []
    address = project.address.with_database(f"{project.address.database}_dagster")
    with psycopg.connect(address.libpq()) as connection:
        running = connection.execute("select count(*) from runs where status in ('STARTED', 'STARTING')")
        assert running.fetchone() == (0,)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_sync_that_is_asked_to_stop_says_so_in_one_line(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object, sign: signal.Signals
) -> None:
    with _held(project, "pos_sync_windows") as is_wanted:
        process = start_pos("sync")
        _wait_until(is_wanted)
        process.send_signal(sign)
        assert finish(process).failed(130) == "interrupted"
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_two_at_the_same_moment_end_with_the_rows_of_one(
    pos: Pos, project: Project, sandbox: Driver, undisturbed: object
) -> None:
    both = [finish(each) for each in [start_pos("sync", "--json"), start_pos("sync", "--json")]]
    statuses = [one["status"] for each in both for one in each.succeeded().json["configurations"]]
    assert set(statuses) <= {"succeeded", "busy"}
    assert project.marts() == undisturbed
    duplicates = (
        "select external_id from raw_square.orders "
        "group by configuration_id, external_id, content_hash having count(*) > 1"
    )
    assert project.rows(duplicates) == []
    _assert_as_undisturbed(pos, project, sandbox, undisturbed)


def test_one_that_another_run_is_syncing_is_busy_and_left_to_it(
    pos: Pos, project: Project, connected: Configurations
) -> None:
    taken, free = connected
    with held_configurations(project.engine, [taken.id]):
        answer = pos("sync", "--json").succeeded().json
    assert _by_status(answer["configurations"]) == {"busy": [taken.id], "succeeded": [free.id]}


def test_with_wait_a_sync_waits_for_the_other_and_then_does_its_own(
    pos: Pos, project: Project, connected: Configurations
) -> None:
    waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
    with held_configurations(project.engine, [connected[0].id]):
        process = start_pos("sync", "--wait", "--json")
        _wait_until(lambda: project.value(waiting))
        assert process.poll() is None
    answer = finish(process).succeeded().json
    assert {each["status"] for each in answer["configurations"]} == {"succeeded"}


def _calls(sandbox: Driver) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = sandbox.http.get("/_sandbox/calls").json()
    return calls


def _by_status(rows: list[dict[str, str]]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["status"], []).append(UUID(row["configuration_id"]))
    return found
