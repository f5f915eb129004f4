"""Readers from the command line."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Project
from tests.pos_cli.conftest import Pos
from tests.pos_cli.process import run_pos

NAME = "sales_under_test"
FIRST, SECOND = sorted(str(uuid4()) for _ in range(2))


@pytest.fixture(autouse=True)
def _without_its_role(project: Project) -> Iterator[None]:
    yield
    project.execute(f"drop role if exists {NAME}")


def test_from_the_first_grant_to_the_last_revocation(pos: Pos, project: Project) -> None:
    told = pos("readers", "grant", NAME, "--tenant", FIRST, "--tenant", SECOND, "--json").succeeded().json
    assert (told["ok"], told["granted"], told["statements"]) == (True, [FIRST, SECOND], [])
    with psycopg.connect(told["url"]) as connection:
        assert connection.execute("select current_user").fetchone() == (NAME,)
        assert connection.execute("select * from pos_transactions").fetchall() == []
        assert connection.execute("select count(*) from pos_reader_tenants").fetchone() == (2,)
    assert pos("readers", "list", "--json").succeeded().json == [
        {"name": NAME, "state": "ready", "tenants": [FIRST, SECOND]}
    ]
    assert "1 tenants were taken" in pos("readers", "revoke", NAME, "--tenant", FIRST).succeeded().out
    assert SECOND in pos("readers", "list").succeeded().out
    assert pos("readers", "revoke", NAME, "--json").succeeded().json["revoked"] == [SECOND]
    assert "nothing has changed" in pos("readers", "revoke", NAME).succeeded().out
    assert "none" in pos("readers", "list").succeeded().out
    [actor] = project.rows("select distinct actor, origin from pos_audit_logs where action like 'reader.%'")
    assert actor["actor"].startswith("cli:")
    assert actor["origin"]


def test_it_is_said_how_its_password_is_set(
    pos: Pos, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = pos("readers", "grant", NAME, "--tenant", FIRST).succeeded().out
    assert f'\\password "{NAME}"' in said
    assert "md5" not in said
    older = replace(project.address, query=(("options", "-c password_encryption=md5"),))
    ran = run_pos("readers", "grant", NAME, "--tenant", FIRST, POS_DATABASE_URL=older.libpq()).succeeded()
    assert "set password_encryption = 'scram-sha-256';" in ran.out


def test_the_owners_password_is_not_in_the_readers_address(pos: Pos, project: Project) -> None:
    with_password = replace(project.address, password="the-owners-own").libpq()
    ran = run_pos("readers", "grant", NAME, "--tenant", FIRST, "--json", POS_DATABASE_URL=with_password)
    assert ran.succeeded().json["url"] == replace(project.address, user=NAME).libpq()


@pytest.mark.parametrize(
    ("name", "words"),
    [("postgres", "every tenant"), ("pos_api", "the project's own"), ("a b", "The name of")],
)
def test_who_cannot_be_a_reader_is_told_in_one_line(pos: Pos, name: str, words: str) -> None:
    assert words in pos("readers", "grant", name, "--tenant", FIRST).failed(2)


def test_without_readers_it_is_said_how_to_make_one(pos: Pos) -> None:
    assert "pos readers grant" in pos("readers", "list").succeeded().out
