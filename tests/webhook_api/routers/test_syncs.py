"""Asking for syncs over HTTP, and what their status says, against the database and the sandbox."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from pos_core.repositories import breakers, configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from pos_core.settings import get_settings
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.given import log
from tests.webhook_api.dagster_servers import Noting, nobody, noting
from webhook_api.auth import OPERATOR, READ, WRITE, mint

_DEADLINE_SECONDS = 60
MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}


@pytest.fixture(autouse=True)
def no_dagster(project: Project, monkeypatch: pytest.MonkeyPatch) -> str:
    """Dagster is down, at an address of its own."""
    address = nobody()
    monkeypatch.setenv("POS_DAGSTER_URL", address)
    get_settings.cache_clear()
    return address


@pytest.fixture
def dagster(no_dagster: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Noting]:
    """A server in Dagster's place."""
    with noting() as noted:
        monkeypatch.setenv("POS_DAGSTER_URL", noted.url)
        get_settings.cache_clear()
        yield noted


def _headers(tenant_id: UUID, *scopes: str) -> dict[str, str]:
    token = mint(get_settings(), tenant_id, frozenset(scopes or (READ, WRITE)), timedelta(minutes=5))
    return {"Authorization": f"Bearer {token}"}


def _path(configuration: Configuration, rest: str = "", tenant_id: UUID | None = None) -> str:
    tenant = tenant_id or configuration.tenant_id
    return f"/api/v1/tenants/{tenant}/pos/configurations/{configuration.id}/sync{rest}"


def _post(client: httpx.Client, configuration: Configuration, body: object = None) -> httpx.Response:
    json: dict[str, Any] = {} if body is None else {"json": body}
    return client.post(_path(configuration), headers=_headers(configuration.tenant_id), **json)


def _status(client: httpx.Client, configuration: Configuration, *scopes: str) -> dict[str, Any]:
    headers = _headers(configuration.tenant_id, *(scopes or (READ,)))
    answer = client.get(_path(configuration, "/status"), headers=headers)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def _wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_sync_is_asked_for_and_done_by_the_next(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    answer = _post(client, mine)
    made = answer.json()
    assert (answer.status_code, made["status"], made["from"], made["to"]) == (202, "queued", None, None)
    assert made["requested_by"] == "token:development"
    assert answer.headers["location"] == _path(mine, f"/{made['id']}")
    again = _post(client, mine, {})
    assert (again.status_code, again.json()["id"]) == (202, made["id"])
    assert [each["id"] for each in _status(client, mine)["open_requests"]] == [made["id"]]
    project.sync(mine)
    done = client.get(answer.headers["location"], headers=_headers(mine.tenant_id, READ)).json()
    assert (done["status"], done["sync_id"]) == ("succeeded", str(log(project, mine)["id"]))
    assert done["finished_at"].endswith("Z")
    assert _status(client, mine)["open_requests"] == []
    assert _post(client, mine).json()["id"] != made["id"]
    actions = "select count(*) from pos_audit_logs where action = 'sync.requested' and configuration_id = :id"
    assert project.value(actions, id=mine.id) == 2


def test_dagster_being_down_is_no_concern_of_the_callers(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    assert _post(client, connected[0]).status_code == 202
    # The mark of a launch comes and goes again in the background.
    _wait_until(
        lambda: project.value(
            "select count(*) = 1 from pos_sync_requests where status = 'queued' and launched_at is null"
        )
    )


def test_a_run_is_launched_after_the_answer(
    client: httpx.Client, project: Project, dagster: Noting, connected: list[Configuration]
) -> None:
    mine = connected[0]
    made = _post(client, mine, MARCH).json()
    assert (made["from"], made["to"]) == (MARCH["from"], MARCH["to"])
    _wait_until(lambda: dagster.asked)
    config = dagster.asked[0]["variables"]["runConfig"]["ops"]["sync"]["config"]
    assert config == {
        "configuration_ids": [str(mine.id)],
        "requested_only": True,
        "since": "2026-03-01T00:00:00+00:00",
        "until": "2026-04-01T00:00:00+00:00",
    }
    _post(client, mine, MARCH)
    _post(client, connected[1])
    _wait_until(lambda: len(dagster.asked) > 1)
    assert dagster.configurations == [[str(mine.id)], [str(connected[1].id)]]


@pytest.mark.parametrize(
    "body",
    [
        {"to": "2026-03-01T00:00:00Z"},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
        {"from": "2026-03-01"},
        {"from": "2026-03-01T00:00:00"},
        {"from": 1772323200},
        {"from": "1772323200"},
        {"from": "0001-01-01T00:00:00+23:59"},
        {"from": "9999-12-31T23:59:59-23:59"},
        {"from": "2026-02-30T00:00:00Z"},
        {"from": "2026-03-01T00:00:00Z\x00"},
        {"from": "2098-01-01T00:00:00Z"},
        {"from": True},
        {"since": "2026-03-01T00:00:00Z"},
        [],
        "now",
        7,
    ],
)
def test_a_body_that_makes_no_sense_is_refused(
    client: httpx.Client, project: Project, connected: list[Configuration], body: object
) -> None:
    answer = _post(client, connected[0], body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert project.value("select count(*) from pos_sync_requests") == 0


@pytest.mark.parametrize("status", ["disabled", "deleted"])
def test_a_configuration_that_is_not_read_any_more_says_so(
    client: httpx.Client, project: Project, connected: list[Configuration], status: str
) -> None:
    with project.engine.begin() as connection:
        if status == "disabled":
            configurations.disable(connection, connected[0].id, "the bakery closed", Actor("test"))
        else:
            configurations.delete(connection, connected[0].id, Actor("test"))
    answer = _post(client, connected[0])
    assert (answer.status_code, answer.json()["code"]) == (409, "configuration_inactive")
    reason = ": the bakery closed" if status == "disabled" else ""
    assert answer.json()["detail"].startswith(f"{connected[0].name} is {status}{reason}.")
    found = _status(client, connected[0])
    assert (found["status"], found["next_sync_at"]) == (status, None)


def test_another_tenants_configuration_and_an_unknown_one_are_the_same(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    mine, theirs = connected
    request_id = _post(client, theirs).json()["id"]
    own = _headers(mine.tenant_id)
    for path in ("", "/status", f"/{request_id}"):
        method = "GET" if path else "POST"
        by_my_path = client.request(method, _path(theirs, path, mine.tenant_id), headers=own)
        by_their_path = client.request(method, _path(theirs, path), headers=own)
        assert (by_my_path.status_code, by_their_path.status_code) == (404, 404), path
        assert by_my_path.json()["detail"] == f"There is no configuration {theirs.id}."
    assert client.get(_path(mine, f"/{request_id}"), headers=own).status_code == 404
    assert client.get(_path(mine, f"/{uuid4()}"), headers=own).status_code == 404
    assert project.value("select count(*) from pos_sync_requests") == 1


def test_each_endpoint_needs_its_scope(client: httpx.Client, connected: list[Configuration]) -> None:
    mine = connected[0]
    assert client.post(_path(mine), headers=_headers(mine.tenant_id, READ)).status_code == 403
    assert client.get(_path(mine, "/status"), headers=_headers(mine.tenant_id, WRITE)).status_code == 403
    for method, path in (("POST", ""), ("GET", "/status"), ("GET", f"/{uuid4()}")):
        assert client.request(method, _path(mine, path)).status_code == 401


def test_the_status_of_a_configuration_that_was_never_read(
    client: httpx.Client, connected: list[Configuration]
) -> None:
    found = _status(client, connected[0])
    assert (found["running"], found["finished"], found["open_requests"]) == (None, [], [])
    assert (found["lag_seconds"], found["newest_change_at"]) == (None, None)
    assert {each["stream"] for each in found["coverage"]} == {"catalog", "orders", "payments", "refunds"}
    assert {each["read_until"] for each in found["coverage"]} == {None}
    assert (found["state"], found["message"]) == ("never_read", "Square has not been asked yet.")
    assert found["open_hours"] is None
    assert found["quarantined"] == {"documents": 0, "reasons": []}


def test_the_figures_are_the_databases(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    project.sync(mine, run_id="run-1")
    project.normalise()
    row, found = log(project, mine), _status(client, mine)
    [last] = found["finished"]
    assert (last["id"], last["run_id"], last["run_url"]) == (str(row["id"]), "run-1", None)
    assert (last["status"], last["error"], last["source"]) == ("succeeded", None, "poll")
    assert last["documents"] == {
        name: row[f"documents_{name}"]
        for name in ("read", "landed", "new", "changed", "skipped", "quarantined", "waiting")
    }
    audited = ("windows_read", "calls", "pages", "retries", "received_bytes", "seconds")
    assert {name: last[name] for name in audited} == {name: row[name] for name in audited}
    assert found["state"] == "read"
    assert found["message"].startswith("Read completely until ")
    assert f"{row['documents_read']} documents: {row['documents_new']} new" in found["message"]
    assert last["documents"]["landed"] > 50
    windows = project.rows(
        "select stream, external_location_id as location, max(window_to) as until from pos_sync_windows "
        "where configuration_id = :id and stream not like '%\\_reread' group by 1, 2",
        id=mine.id,
    )
    read = {
        (each["stream"], each["location_id"] or ""): datetime.fromisoformat(each["read_until"])
        for each in found["coverage"]
    }
    assert read == {(each["stream"], each["location"]): each["until"] for each in windows}
    assert all(each["gap_count"] == 0 for each in found["coverage"])
    as_of = datetime.fromisoformat(found["as_of"])
    assert found["lag_seconds"] == max(0.0, (as_of - min(read.values())).total_seconds())
    newest = project.value(
        "select max(external_updated_at) from pos_transactions where configuration_id = :id "
        "and business_date = (select max(business_date) from pos_transactions where configuration_id = :id)",
        id=mine.id,
    )
    assert datetime.fromisoformat(found["newest_change_at"]) == newest
    due = project.value("select next_sync_at from pos_configurations where id = :id", id=mine.id)
    assert datetime.fromisoformat(found["next_sync_at"]) == due


def test_gaps_and_documents_kept_aside_are_told(
    client: httpx.Client, project: Project, sandbox: Driver, connected: list[Configuration]
) -> None:
    mine = connected[0]
    merchant = {"merchant_id": sandbox.merchant_id(0)}
    for document in ('{"state": "OPEN"}', '{"state": "COMPLETED"}'):
        sandbox.http.post("/_sandbox/inject", params=merchant, content=document).raise_for_status()
    project.sync(mine)
    project.execute(
        "update pos_sync_windows set window_from = window_from + interval '1 hour' "
        "where configuration_id = :id and stream = 'refunds'",
        id=mine.id,
    )
    found = _status(client, mine)
    [refunds] = [each for each in found["coverage"] if each["stream"] == "refunds"]
    assert mine.history_from is not None
    [gap] = refunds["gaps"]
    assert datetime.fromisoformat(gap["from"]) == mine.history_from
    assert datetime.fromisoformat(gap["to"]) == mine.history_from + timedelta(hours=1)
    [reason] = found["quarantined"]["reasons"]
    assert (found["quarantined"]["documents"], reason["documents"], reason["stream"]) == (2, 2, "orders")
    assert reason["reason"]


def test_a_failure_is_told_in_plain_words_and_only_operators_get_a_link(
    client: httpx.Client,
    project: Project,
    sandbox: Driver,
    connected: list[Configuration],
    no_dagster: str,
) -> None:
    mine = connected[0]
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(0), "state": "expired"})
    project.sync(mine, run_id="run-1")
    [last] = _status(client, mine, READ, OPERATOR)["finished"]
    assert last["error"]["kind"] == "auth"
    assert "has expired" in last["error"]["message"]
    assert last["run_url"] == f"{no_dagster}/runs/run-1"
    found = _status(client, mine)
    assert no_dagster not in str(found)
    assert (found["consecutive_failures"], found["state"]) == (1, "failing")
    assert found["message"].startswith("Could not ask: Square says that the access token has expired")
    for _ in range(2):
        project.sync(mine)
    assert _status(client, mine)["state"] == "connect_again"
    assert "somebody connects the account again" in _status(client, mine)["message"]
    token = str(sandbox.accounts[0]["credentials"]["access_token"])
    assert token not in str(found)


def test_a_sync_that_was_postponed_is_told_from_one_that_failed(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    with project.engine.begin() as connection:
        breakers.trip(connection, mine.pos_system, mine.base_url, "unreachable", is_probe=False)
    project.sync(mine, is_scheduled=True)
    found = _status(client, mine)
    [last] = found["finished"]
    assert (last["status"], last["error"]["kind"], last["calls"]) == ("postponed", "vendor_down", 0)
    assert (found["state"], found["consecutive_failures"]) == ("vendor_down", 0)
    assert found["message"].startswith("Not asked: Square does not answer at the moment")


def test_a_running_sync_is_told_from_one_whose_process_is_gone(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    mine = connected[0]
    project.execute(
        "insert into pos_sync_logs (id, tenant_id, configuration_id, source) "
        "values (gen_random_uuid(), :tenant, :id, 'poll')",
        tenant=mine.tenant_id,
        id=mine.id,
    )
    with held_configurations(project.engine, [mine.id]):
        found = _status(client, mine)
        assert (found["running"]["status"], found["finished"]) == ("running", [])
    found = _status(client, mine)
    assert found["running"] is None
    [dead] = found["finished"]
    assert (dead["status"], dead["error"]["kind"]) == ("failed", "interrupted")


def test_the_last_ten_syncs_are_told_newest_first(
    client: httpx.Client, project: Project, connected: list[Configuration]
) -> None:
    project.execute(
        "insert into pos_sync_logs (id, tenant_id, configuration_id, source, status, started_at, calls) "
        "select gen_random_uuid(), :tenant, :id, 'poll', 'succeeded', now() + interval '1 second' * n, n "
        "from generate_series(1, 12) as n",
        tenant=connected[0].tenant_id,
        id=connected[0].id,
    )
    calls = [each["calls"] for each in _status(client, connected[0])["finished"]]
    assert calls == list(range(12, 2, -1))
