"""Making POS_HOME and the databases ready, and what may be in the way."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from pos_core.database.embedded import EmbeddedServer
from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_cli.process import finish, processes_of, run_pos, start_pos

Environment = dict[str, str]


def test_two_at_once_make_one_home_and_a_third_changes_nothing(own_home: Environment) -> None:
    both = [start_pos("init", "--json", **own_home) for _ in range(2)]
    answers = [finish(each).succeeded().json for each in both]
    assert all(each["ok"] for each in answers)
    assert sorted(each["migrated"] for each in answers) == [False, True]
    key = (Path(own_home["POS_HOME"]) / "encryption.key").read_text()
    again = run_pos("init", "--json", **own_home).succeeded().json
    assert again == {"ok": True, "home": own_home["POS_HOME"], "migrated": False, "missing_roles": []}
    assert (Path(own_home["POS_HOME"]) / "encryption.key").read_text() == key


def test_nothing_runs_when_a_command_has_ended(own_home: Environment) -> None:
    run_pos("init", **own_home).succeeded()
    assert processes_of(own_home) == []
    assert not EmbeddedServer(Path(own_home["POS_HOME"])).is_running()


def test_the_url_is_good_until_down(own_home: Environment) -> None:
    import psycopg

    url = run_pos("database-url", **own_home).succeeded().out.strip()
    assert run_pos("database-url", "--json", **own_home).succeeded().json == {"url": url}
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from pos_transactions").fetchone() == (0,)
    assert run_pos("down", "--json", **own_home).succeeded().json == {"ok": True, "was_up": False}
    assert processes_of(own_home) == []


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


DAMAGES: dict[str, tuple[str, str, str]] = {
    "empty key": ("encryption.key", "", "encryption.key must hold base64"),
    "short key": ("encryption.key", "aGFsZg==", "encryption.key must hold base64"),
    "no data folder": ("postgres/base/1", "", "is not a PostgreSQL data folder"),
    "old data folder": ("postgres/PG_VERSION", "15\n", "was made by PostgreSQL 15"),
}


@pytest.mark.parametrize(("file", "content", "words"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_home_is_told_in_one_line(tmp_path: Path, file: str, content: str, words: str) -> None:
    _write(tmp_path / "home" / file, content)
    line = run_pos("status", POS_HOME=str(tmp_path / "home"), POS_DATABASE_URL="").failed(3)
    assert words in line


def test_what_a_killed_first_start_left_is_made_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "postgres.new").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")
    (home / "encryption.new").write_text("half")
    (home / "stack.json").write_text('{"pid": 1, "star')
    own = {"POS_HOME": str(home), "POS_DATABASE_URL": ""}
    assert run_pos("configurations", "list", "--json", **own).succeeded().json == []
    assert processes_of(own) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is not a folder" in run_pos(
        "status", POS_HOME=str(tmp_path / "file"), POS_DATABASE_URL=""
    ).failed(2)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://pos:hidden@127.0.0.1:1/pos", "does not answer"),
        ("mysql://pos:hidden@127.0.0.1/pos", "must look like"),
        ("hidden", "is not a URL"),
    ],
)
def test_a_database_that_is_not_there_is_one_line_without_its_password(
    tmp_path: Path, url: str, words: str
) -> None:
    ran = run_pos("status", POS_HOME=str(tmp_path), POS_DATABASE_URL=url)
    assert words in ran.failed(3)
    assert "hidden" not in ran.line


def test_a_schema_of_newer_code_is_refused_by_every_command(pos: Pos, project: Project) -> None:
    version = project.value("select version_num from pos_schema_version where version_num like 'core%'")
    change = "update pos_schema_version set version_num = :to where version_num = :from"
    project.execute(change, **{"from": version, "to": "core_9999"})
    try:
        for command in ("init", "status", "sync", "database-url"):
            assert "newer version of this project" in pos(command).failed(3)
    finally:
        project.execute(change, **{"from": "core_9999", "to": version})


def test_a_wrong_setting_is_named(project: Project) -> None:
    assert "POS_API_PORT is not valid" in run_pos("status", POS_API_PORT="many").failed(2)
    assert "POS_ENVIRONMENT is not valid" in run_pos("status", POS_ENVIRONMENT="moon").failed(2)
    assert "POS_ENCRYPTION_KEYS" in run_pos("status", POS_ENVIRONMENT="production").failed(3)


def test_roles_that_this_user_may_not_make_are_told_and_found_once_they_are_there(tmp_path: Path) -> None:
    import psycopg

    server = EmbeddedServer(tmp_path)
    superuser = server.acquire().libpq()
    owner = replace(server.address, user="small").libpq()
    own = {"POS_HOME": str(tmp_path / "home"), "POS_DATABASE_URL": owner}
    try:
        with psycopg.connect(superuser) as connection:
            connection.execute("create role small login")
            connection.execute("alter database pos owner to small")
        ran = run_pos("init", "--json", **own)
        assert ran.code == 0
        sentence, *statements = ran.err.splitlines()
        assert "A superuser has to run these statements, and you `pos init` again" in sentence
        assert "create role pos_api nologin;" in statements
        assert [f"{each};" for each in ran.json["missing_roles"]] == statements
        assert "`pos init` prints what a superuser has to run" in run_pos("readers", "list", **own).failed(3)
        with psycopg.connect(superuser) as connection:
            connection.execute("\n".join(statements).encode())
        assert run_pos("init", "--json", **own).succeeded().json["missing_roles"] == []
        ran = run_pos("readers", "grant", "sales", "--tenant", str(uuid4()), "--json", **own)
        assert (ran.code, len(ran.json["granted"])) == (0, 1)
        assert ran.err.splitlines()[1:] == [f"{each};" for each in ran.json["statements"]]
        assert 'create role "sales" login' in ran.json["statements"]
    finally:
        server.release()
