"""A sync that was asked for survives the death of the process that does it."""

import signal
import time
from typing import Any

import pytest
from sqlalchemy import text

from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_cli.process import started

_DEADLINE_SECONDS = 120
_RANGE = ("2026-03-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00")


@pytest.mark.parametrize("span", [(), _RANGE])
def test_killed_while_it_does_what_was_asked_for(
    pos: Pos, project: Project, connected: list[Configuration], span: tuple[str, ...]
) -> None:
    mine = connected[0]
    project.execute(
        "insert into pos_sync_requests "
        "(id, tenant_id, configuration_id, requested_by, requested_at, launched_at, read_from, read_to) "
        "values (gen_random_uuid(), :tenant, :id, 'test', now() - interval '1 hour', "
        "now() - interval '1 hour', cast(:since as timestamptz), cast(:until as timestamptz))",
        tenant=mine.tenant_id,
        id=mine.id,
        since=span[0] if span else None,
        until=span[1] if span else None,
    )
    what = ["backfill", "--from", span[0], "--to", span[1]] if span else ["sync"]
    command = [*what, "--configuration", str(mine.id)]
    with project.engine.connect() as holding:
        holding.execute(text("lock table pos_configuration_locations in exclusive mode"))
        with started(*command) as process:
            waiting = (
                "select exists (select from pg_locks where not granted "
                "and relation = 'pos_configuration_locations'::regclass)"
            )
            _wait_until(project, waiting)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        assert _request(project)["status"] == "running"
        ended = "select pg_terminate_backend(pid, 10000) from pg_locks where not granted"
        holding.execute(text(f"{ended} and relation = 'pos_configuration_locations'::regclass"))
    held = "select not exists (select from pg_locks where locktype = 'advisory' and granted)"
    _wait_until(project, held)
    with project.engine.begin() as connection:
        sync_requests.release_dead(connection)
        [launched] = sync_requests.take_to_launch(connection)
    assert _request(project) == {"id": launched.id, "status": "queued", "sync_id": None}
    pos(*command).succeeded()
    done = _request(project)
    assert done["status"] == "succeeded"
    logs = project.rows("select id, status, error_class from pos_sync_logs order by started_at")
    assert [(each["status"], each["error_class"]) for each in logs] == [
        ("failed", "interrupted"),
        ("succeeded", None),
    ]
    assert done["sync_id"] == logs[1]["id"]


def test_a_range_without_a_beginning_or_backwards_is_refused(pos: Pos, project: Project) -> None:
    assert "--from" in pos("backfill", "--to", _RANGE[1]).failed(2)
    assert "after it begins" in pos("backfill", "--from", _RANGE[1], "--to", _RANGE[0]).failed(2)
    assert "--to 'soon'" in pos("backfill", "--from", _RANGE[0], "--to", "soon").failed(2)


def _request(project: Project) -> dict[str, Any]:
    return project.rows("select id, status, sync_id from pos_sync_requests")[0]


def _wait_until(project: Project, query: str) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not project.value(query):
        assert time.monotonic() < deadline
        time.sleep(0.02)
