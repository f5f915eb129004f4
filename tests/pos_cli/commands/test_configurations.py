"""`pos configurations`: create, list, disable."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pos_cli.conftest import Pos, write_json
from tests.pos_cli.process import finish, run_pos, start_pos

TENANT = "5f0c6c1e-7d57-4c3f-9d43-0d8a2c5b9a11"


@pytest.fixture(autouse=True)
def _at_the_sandbox(pos: Pos, sandbox: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url)


def _create(pos: Pos, file: Path, *more: str) -> Any:
    given = ("--tenant", TENANT, "--pos", "square", "--name", "Corner", "--credentials", file)
    return pos("configurations", "create", *given, "--json", *more)


def test_the_vendor_says_whose_account_it_is(pos: Pos, credentials: Path, sandbox: Driver) -> None:
    created = _create(pos, credentials).succeeded().json
    assert created["account_id"] == sandbox.merchant_id()
    assert created["revived"] is False
    (listed,) = pos("configurations", "list", "--json").succeeded().json
    assert listed["id"] == created["id"]
    assert (listed["tenant_id"], listed["name"], listed["status"]) == (TENANT, "Corner", "active")
    assert listed["base_url"] == sandbox.url


def test_a_configuration_shows_no_secret_anywhere(
    pos: Pos, credentials: Path, sandbox: Driver, project: Project
) -> None:
    token = sandbox.accounts[0]["credentials"]["access_token"]
    ran = [_create(pos, credentials), pos("configurations", "list"), pos("configurations", "list", "--json")]
    ran += [pos("status"), pos("status", "--json")]
    assert all(token not in each.out + each.err for each in ran)
    assert token not in project.value("select string_agg(c::text, '') from pos_configurations as c")
    assert token not in project.value("select string_agg(a::text, '') from pos_audit_logs as a")


def test_the_same_account_again_revives_its_configuration(pos: Pos, credentials: Path) -> None:
    first = _create(pos, credentials, "--day-starts-at", "04:00").json
    disabled = pos("configurations", "disable", first["id"], "--reason", "shop sold", "--json").succeeded()
    assert (disabled.json["status"], disabled.json["status_reason"]) == ("disabled", "shop sold")
    again = _create(pos, credentials, "--name", "Corner at the Mill").succeeded().json
    assert again == {**first, "revived": True}
    (listed,) = pos("configurations", "list", "--json").json
    assert (listed["status"], listed["name"]) == ("active", "Corner at the Mill")
    assert listed["day_starts_at"] == "04:00:00"


def test_the_audit_trail_says_who_did_what(pos: Pos, credentials: Path, project: Project) -> None:
    first = _create(pos, credentials).json
    pos("configurations", "disable", first["id"])
    _create(pos, credentials)
    rows = project.rows("select actor, action from pos_audit_logs order by id")
    assert [row["action"].rpartition(".")[2] for row in rows] == ["created", "disabled", "revived"]
    assert all(row["actor"].startswith("cli:") for row in rows)


def test_another_vendor_address_is_refused_for_an_account_that_has_one(
    pos: Pos, credentials: Path, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _create(pos, credentials).json
    elsewhere = sandbox.url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("SQUARE_BASE_URL", elsewhere)
    line = _create(pos, credentials).failed(2)
    assert first["id"] in line
    assert sandbox.url in line
    assert elsewhere in line


def test_people_get_a_table_and_in_a_file_it_is_wide_enough_for_ids(
    pos: Pos, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = _create(pos, credentials).json
    monkeypatch.delenv("COLUMNS", raising=False)
    assert created["id"] in run_pos("configurations", "list").succeeded().out
    assert "No configurations yet" in pos("configurations", "list", "--tenant", uuid4()).succeeded().out
    assert pos("configurations", "list", "--tenant", uuid4(), "--json").succeeded().json == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "holds no valid JSON"),
        ("[]", "one JSON object"),
        ("{}", "access_token is missing"),
        ('{"access_token": 5}', "access_token must be text"),
        ('{"access_token": "two words"}', "access_token contains a character"),
    ],
)
def test_a_wrong_credentials_file_is_one_line(
    pos: Pos, tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "wrong.json"
    if content is not None:
        file.write_text(content)
    ran = _create(pos, file)
    assert words in ran.failed(2)
    assert ran.json["ok"] is False


def test_credentials_that_the_vendor_refuses_are_one_line_without_them(
    pos: Pos, tmp_path: Path, credentials: Path, sandbox: Driver
) -> None:
    line = _create(pos, write_json(tmp_path / "no.json", {"access_token": "unknown-to-it"})).failed(4)
    assert "does not accept the access token" in line
    assert "unknown-to-it" not in line
    sandbox.control("tokens", {"merchant_id": sandbox.merchant_id(), "state": "expired"})
    assert "expired" in _create(pos, credentials).failed(4)


def test_credentials_of_another_account_than_they_name_are_refused(
    pos: Pos, tmp_path: Path, sandbox: Driver
) -> None:
    given = {**sandbox.accounts[0]["credentials"], "merchant_id": sandbox.merchant_id(1)}
    line = _create(pos, write_json(tmp_path / "mixed.json", given)).failed(2)
    assert sandbox.merchant_id(0) in line
    assert sandbox.merchant_id(1) not in line  # what was given is not repeated


def test_a_vendor_that_does_not_answer_is_one_line_and_tries_leave_output_to_the_json(
    pos: Pos, credentials: Path
) -> None:
    given = ("--tenant", TENANT, "--pos", "square", "--name", "Corner", "--credentials", str(credentials))
    ran = finish(
        start_pos("configurations", "create", *given, "--json", SQUARE_BASE_URL="http://127.0.0.1:1")
    )
    assert "http://127.0.0.1:1 does not answer" in ran.failed(4)
    assert ran.json["ok"] is False


def test_wrong_words_are_refused(pos: Pos, credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "choose one of" in _create(pos, credentials, "--pos", "abacus").failed(2)
    assert "must not be empty" in _create(pos, credentials, "--name", " ").failed(2)
    assert "like 04:00" in _create(pos, credentials, "--day-starts-at", "late").failed(2)
    unknown = uuid4()
    line = pos("configurations", "disable", unknown).failed(2)
    assert line == f"There is no configuration {unknown}."
    monkeypatch.setenv("SQUARE_BASE_URL", "ftp://nowhere")
    assert "SQUARE_BASE_URL" in _create(pos, credentials).failed(2)
