"""`pos webhooks`: register, rotate, test, status."""

import pytest

from pos_core.settings import get_settings
from sandbox.square.driver import Driver
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.conftest import Project
from tests.pipelines.scripted import scripted
from tests.pos_cli.conftest import Pos

TENANT = "5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11"
ADDRESS = "http://127.0.0.1:8000/api/v1/webhooks/square"


@pytest.fixture(autouse=True)
def _at_the_sandbox(pos: Pos, sandbox: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url)
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", OWNER_ACCESS_TOKEN)


def _add(project: Project, pos_system: str, name: str) -> str:
    """A live configuration; returns its id."""
    project.execute(
        "insert into pos_configurations (id, tenant_id, pos_system, name, account_id, base_url, status) "
        "values (gen_random_uuid(), :tenant, :pos, :name, :name, 'http://127.0.0.1:1', 'active')",
        tenant=TENANT, pos=pos_system, name=name,
    )  # fmt: skip
    return str(project.value("select id from pos_configurations where name = :name", name=name))


def test_register_says_what_it_did_and_where(pos: Pos, sandbox: Driver) -> None:
    said = pos("webhooks", "register", "square").succeeded().out
    assert "Registered: " in said
    assert ADDRESS in said
    again = pos("webhooks", "register", "square", "--json").succeeded().json
    assert (again["ok"], again["action"], again["url"]) == (True, "unchanged", ADDRESS)
    assert [each["url"] for each in sandbox.http.get("/_sandbox/webhooks").json()["targets"]] == [ADDRESS]


def test_no_command_shows_a_secret(pos: Pos, sandbox: Driver) -> None:
    ran = [pos("webhooks", "register", "square"), pos("webhooks", "rotate", "square", "--json")]
    ran += [pos("webhooks", "status", "square"), pos("webhooks", "status", "--json")]
    headers = {"Authorization": f"Bearer {OWNER_ACCESS_TOKEN}"}
    path = f"/v2/webhooks/subscriptions/{ran[1].json['external_id']}"
    key = sandbox.http.get(path, headers=headers).json()["subscription"]["signature_key"]
    for each in ran:
        each.succeeded()
        assert OWNER_ACCESS_TOKEN not in each.out + each.err
        assert key not in each.out + each.err


def test_rotate_says_that_the_key_before_is_still_accepted(pos: Pos) -> None:
    pos("webhooks", "register", "square").succeeded()
    assert "accepted for three days more" in pos("webhooks", "rotate", "square").succeeded().out
    assert pos("webhooks", "rotate", "square", "--json").succeeded().json["action"] == "rotated"


def test_test_says_how_the_event_was_answered(pos: Pos, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pos webhooks register square" in pos("webhooks", "test", "square").failed(2)
    with scripted() as receiver:
        monkeypatch.setenv("WEBHOOK_BASE_URL", receiver.url)
        get_settings.cache_clear()
        pos("webhooks", "register", "square").succeeded()
        assert "it was accepted" in pos("webhooks", "test", "square").succeeded().out
        assert receiver.requests[0].path == "/api/v1/webhooks/square"
    refused = pos("webhooks", "test", "square", "--json")
    assert "HTTP 504" in refused.failed(4)
    assert (refused.json["ok"], refused.json["status_code"]) == (False, 504)


@pytest.mark.parametrize(
    ("variable", "value", "code", "words"),
    [
        ("SQUARE_ACCESS_TOKEN", "", 2, "SQUARE_ACCESS_TOKEN is not set"),
        ("SQUARE_ACCESS_TOKEN", "canary", 4, "does not accept the token"),
        ("WEBHOOK_BASE_URL", "http://pos.example.com", 2, "must be a public https address"),
    ],
)
def test_a_failure_is_one_clear_line_and_in_the_status(
    pos: Pos, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    get_settings.cache_clear()
    assert words in pos("webhooks", "register", "square").failed(code)
    assert words in pos("webhooks", "status", "square").succeeded().out
    known = pos("webhooks", "status", "square", "--json").succeeded().json["registration"]
    assert known["is_registered"] is False
    assert words in known["problem"]


def test_a_sellers_token_is_refused_in_clear_words(
    pos: Pos, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sandbox.accounts[0]["credentials"]["access_token"]
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", token)
    line = pos("webhooks", "register", "square").failed(4)
    assert "application's owner" in line
    assert token not in line


def test_a_vendor_without_an_api_has_its_instructions_printed_with_exact_addresses(
    pos: Pos, project: Project
) -> None:
    first, second = _add(project, "lightspeed", "Corner"), _add(project, "lightspeed", "Station")
    said = pos("webhooks", "register", "lightspeed").succeeded().out
    own = {each: f"http://127.0.0.1:8000/api/v1/webhooks/lightspeed/{each}" for each in (first, second)}
    assert all(address in said for address in own.values())
    shown = pos("webhooks", "register", "lightspeed", "--json").succeeded().json
    assert shown["for_all"] is None
    assert {each["configuration_id"]: each["address"] for each in shown["configurations"]} == own
    assert all(each["address"] in each["instructions"] for each in shown["configurations"])


def test_where_both_ways_are_open_both_are_said(pos: Pos, project: Project) -> None:
    configuration = _add(project, "toast", "Corner")
    said = pos("webhooks", "register", "toast").succeeded().out
    assert "For all accounts together" in said
    assert f"/api/v1/webhooks/toast/{configuration}" in said
    shown = pos("webhooks", "register", "toast", "--json").succeeded().json
    assert shown["for_all"]["address"] == "http://127.0.0.1:8000/api/v1/webhooks/toast"
    assert shown["for_all"]["address"] in shown["for_all"]["instructions"]


@pytest.mark.parametrize("command", ["rotate", "test"])
def test_what_takes_an_api_is_refused_where_there_is_none(pos: Pos, command: str) -> None:
    assert "pos webhooks register toast" in pos("webhooks", command, "toast").failed(2)


def test_an_unknown_pos_is_refused(pos: Pos) -> None:
    for command in ("register", "rotate", "test", "status"):
        assert "There is no POS system 'till'" in pos("webhooks", command, "till").failed(2)


def _event(project: Project, configuration: str, event_id: str, outcome: str) -> None:
    project.execute(
        "insert into pos_webhook_logs (tenant_id, configuration_id, pos_system, event_id, event_type,"
        " outcome, vendor_sent_at, visible_at) values (:tenant, :configuration, 'square', :event,"
        " 'payment.created', :outcome, now() - interval '3 seconds',"
        " case when :outcome = 'processed' then now() end)",
        tenant=TENANT, configuration=configuration, event=event_id, outcome=outcome,
    )  # fmt: skip


def test_status_shows_counts_delays_what_waits_and_the_loss_meter(pos: Pos, project: Project) -> None:
    configuration = _add(project, "square", "Corner")
    _event(project, configuration, "e1", "processed")
    _event(project, configuration, "e2", "pending")
    project.execute(
        "insert into pos_sync_logs (id, configuration_id, tenant_id, run_id, source, status,"
        " changes_announced, changes_unannounced, changes_unpolled)"
        " values (gen_random_uuid(), :id, :tenant, 'r', 'poll', 'succeeded', 5, 2, 1)",
        id=configuration, tenant=TENANT,
    )  # fmt: skip
    project.execute("insert into pos_webhook_counts values ('square', 'refused', now(), 4)")
    pos("webhooks", "register", "square").succeeded()
    shown = pos("webhooks", "status", "square", "--json").succeeded().json
    assert (shown["registration"]["is_registered"], shown["registration"]["is_enabled"]) == (True, True)
    assert shown["last_day"]["by_outcome"] == {"pending": 1, "processed": 1}
    assert shown["last_hour"]["by_type"] == {"payment.created": 2}
    assert shown["not_stored_last_day"] == {"refused": 4}
    assert (shown["pending"], shown["seconds_to_row"]) == (1, {"p50": 3.0, "p95": 3.0})
    [meter] = shown["configurations"]
    assert (meter["announced"], meter["unannounced"], meter["unpolled"]) == (5, 2, 1)
    said = pos("webhooks", "status").succeeded().out
    for words in (ADDRESS, "Pending: 1", "refused 4", "p50 3.0", "Corner", "Toast", "Lightspeed"):
        assert words in said


def test_status_of_all_needs_no_setting_of_any_vendor(pos: Pos, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOAST_BASE_URL", "SQUARE_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    shown = pos("webhooks", "status", "--json").succeeded().json
    assert [each["pos_system"] for each in shown] == ["lightspeed", "square", "toast"]
    assert [each["registration"]["is_registered"] for each in shown] == [None, False, None]
