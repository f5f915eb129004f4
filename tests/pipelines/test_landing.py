"""Landing: append-only, without a change to any table, and nothing of a run that died counts."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from pipelines import json_text
from pipelines.documents import Landable, prepare
from pipelines.landing import Batch, land, make_batch
from pipelines.square import CONNECTOR
from pos_core.database.address import DatabaseAddress
from pos_core.repositories.configurations import Configuration
from pos_core.settings import PROJECT_ROOT
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import inject, open_quarantine, order

TENANT, CONFIGURATION = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def batch(stream: str, *documents: dict[str, Any]) -> Batch:
    """Documents ready to land."""
    prepared = [prepare(CONNECTOR, stream, document, NOON) for document in documents]
    return make_batch(
        TENANT, CONFIGURATION, stream, "poll", [each for each in prepared if isinstance(each, Landable)]
    )


def land_all(project: Project, *batches: Batch) -> str | None:
    """One load."""
    return land(project.address, "square", batches, project.home / "work")


def shape(project: Project) -> list[dict[str, Any]]:
    """Every table, column, index and constraint of the raw schema."""
    return project.rows("""
        select c.oid, c.relname, c.relkind::text, a.attname, a.atttypid, a.attnotnull
        from pg_class as c left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'raw_square'::regnamespace order by 1, 2, 4
    """)


@contextmanager
def watched(project: Project) -> Iterator[list[str]]:
    """The commands that change a schema, as the database sees them."""
    project.execute("create table public.pos_seen_commands (tag text)")
    project.execute("""
        create function public.pos_see() returns event_trigger language plpgsql as
        $$ begin insert into public.pos_seen_commands values (tg_tag); end $$
    """)
    project.execute("create event trigger pos_see on ddl_command_end execute function public.pos_see()")
    seen: list[str] = []
    try:
        yield seen
        seen += [row["tag"] for row in project.rows("select tag from public.pos_seen_commands")]
    finally:
        project.execute("drop event trigger pos_see")
        project.execute("drop function public.pos_see()")
        project.execute("drop table public.pos_seen_commands")


def test_landing_changes_no_table(project: Project) -> None:
    before = shape(project)
    with watched(project) as seen:
        for version in (1, 2):
            document = {"id": "o", "version": version, f"new_field_{version}": {"deep": [1, {"er": version}]}}
            land_all(project, batch("orders", document), batch("payments", {"id": "p", "order_id": "o"}))
    assert seen == []
    assert shape(project) == before


def test_versions_are_appended_and_none_is_changed(project: Project) -> None:
    first = land_all(project, batch("orders", {"id": "o", "version": 1, "amount": 1.10}))
    rows = project.rows("select *, payload::text as text from raw_square.orders")
    second = land_all(project, batch("orders", {"id": "o", "version": 2}))
    after = project.rows("select *, payload::text as text from raw_square.orders order by external_version")
    assert after[:1] == rows
    assert [row["_dlt_load_id"] for row in after] == [first, second]
    assert project.rows("select load_id, status from raw_square._dlt_loads order by 1") == [
        {"load_id": first, "status": 0},
        {"load_id": second, "status": 0},
    ]


def test_a_document_lands_with_everything_that_is_known_of_it(project: Project) -> None:
    text = (
        '{"amount":12345678901234567890.10,"id":"ö","updated_at":"2026-04-01T10:00:00.5+02:00","version":7}'
    )
    document = json_text.parse(text)
    load_id = land_all(project, batch("orders", document))
    (row,) = project.rows("select *, payload::text as text from raw_square.orders")
    assert row["text"] == text
    assert (row["tenant_id"], row["configuration_id"]) == (str(TENANT), str(CONFIGURATION))
    assert (row["external_id"], row["external_version"], row["source"]) == ("ö", 7, "poll")
    assert row["external_updated_at"] == datetime(2026, 4, 1, 8, 0, 0, 500_000, tzinfo=UTC)
    assert (row["read_at"], row["_dlt_load_id"]) == (NOON, load_id)


def test_nothing_to_land_makes_no_load(project: Project) -> None:
    assert land_all(project) is None
    assert project.rows("select * from raw_square._dlt_loads") == []


def test_streams_that_come_in_turns_land_in_one_load(project: Project) -> None:
    pieces = [
        batch(stream, {"id": f"{stream}-{number}"})
        for number in range(3)
        for stream in ("orders", "payments")
    ]
    land_all(project, *pieces)
    assert project.value("select count(*) from raw_square.orders") == 3
    assert project.value("select count(*) from raw_square.payments") == 3
    assert project.value("select count(*) from raw_square._dlt_loads") == 1


def test_an_error_while_reading_lands_nothing(project: Project) -> None:
    def batches() -> Iterator[Batch]:
        yield batch("orders", {"id": "o"})
        raise ValueError("the vendor is gone")

    with pytest.raises(Exception, match="the vendor is gone"):
        land(project.address, "square", batches(), project.home / "work")
    assert project.rows("select * from raw_square.orders") == []
    assert list((project.home / "work").iterdir()) == []


def test_what_raw_cannot_hold_is_quarantined_with_its_bytes(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    inject(sandbox, '{"id":"nul","name":"a\\u0000b","buyer_email_address":"x@example.com"}')
    inject(sandbox, '{"id":"half","name":"\\ud800"}')
    inject(sandbox, '{"id":"huge","amount":1e4000}')
    inject(sandbox, order(sandbox, "good"))
    project.sync(connected[0])
    aside = {row["external_id"]: row for row in open_quarantine(project)}
    assert set(aside) == {"nul", "half", "huge"}
    assert bytes(aside["nul"]["document"]) == b'{"id":"nul","name":"a\\u0000b"}'
    assert bytes(aside["half"]["document"]) == b'{"id":"half","name":"\xed\xa0\x80"}'
    assert bytes(aside["huge"]["document"]) == b'{"amount":1E+4000,"id":"huge"}'
    assert "NUL" in aside["nul"]["reason"]
    assert {row["stage"] for row in aside.values()} == {"landing"}
    assert project.value("select count(*) from raw_square.orders where external_id = 'good'") == 1
    first_seen = aside["nul"]["first_seen_at"]
    project.sync(connected[0])
    again = {row["external_id"]: row for row in open_quarantine(project)}["nul"]
    assert again["first_seen_at"] == first_seen < again["last_seen_at"]
    inject(sandbox, order(sandbox, "nul", version=2, updated_at=sandbox.now()))
    project.sync(connected[0])
    assert {row["external_id"] for row in open_quarantine(project)} == {"half", "huge"}


_DYING_RUN = """
import sys
from pathlib import Path
from pipelines.landing import land
from pos_core.database.address import DatabaseAddress
from tests.pipelines.test_landing import batch

def batches():
    yield batch("orders", {"id": "of-a-dead-run"})
    print("reading", flush=True)
    sys.stdin.read()

land(DatabaseAddress.parse(sys.argv[1]), "square", batches(), Path(sys.argv[2]))
"""


def test_what_a_killed_run_leaves_is_removed_and_never_counts(
    project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    work = project.home / "work"
    command = [sys.executable, "-c", _DYING_RUN, project.address.libpq(), str(work)]
    with subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        (living,) = work.iterdir()
        land_all(project, batch("orders", {"id": "beside-it"}))
        assert list(work.iterdir()) == [living]
        process.send_signal(signal.SIGKILL)
    assert list(work.iterdir()) == [living]
    project.sync(connected[0])
    assert list(work.iterdir()) == []
    assert project.value("select count(*) from raw_square.orders where external_id = 'of-a-dead-run'") == 0


def test_a_folder_is_locked_before_anybody_can_take_it_for_a_dead_runs(project: Project) -> None:
    work = project.home / "work"
    locked: list[bool] = []

    def batches() -> Iterator[Batch]:
        (folder,) = work.glob("run-*")
        with open(folder / "lock", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                locked.append(True)
        yield batch("orders", {"id": "o"})

    land(project.address, "square", batches(), work)
    assert locked == [True]
    assert list(work.iterdir()) == []


def test_the_password_of_the_database_is_not_in_what_a_failed_load_says(project: Project) -> None:
    address = DatabaseAddress.parse("postgresql://somebody:open-sesame@127.0.0.1:9/pos")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - dlt's own
        land(address, "square", [batch("orders", {"id": "o"})], project.home / "work")
    assert "open-sesame" not in str(caught.value)
