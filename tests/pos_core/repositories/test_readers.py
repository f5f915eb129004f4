"""Readers: who may become one, what they see after a grant and a revocation, what a superuser has to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from pos_core.database.address import DatabaseAddress
from pos_core.database.roles import OWN_ROLES
from pos_core.errors import DatabaseError, ReaderError
from pos_core.repositories import audit, readers
from pos_core.repositories.audit import Actor
from pos_core.repositories.readers import Reader

TESTER = Actor("tester")
FIRST, SECOND = sorted([uuid4(), uuid4()])


def _execute(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))


def _actions(connection: Connection, tenant_id: UUID) -> list[tuple[str, object, object]]:
    entries = audit.listed(connection, tenant_id)
    return [(each.action, each.before, each.after) for each in reversed(entries)]


def test_a_grant_makes_a_login_in_the_readers_role(connection: Connection) -> None:
    granted = readers.grant(connection, "Sales-2", [SECOND, FIRST, FIRST], TESTER)
    assert granted.tenants == [FIRST, SECOND]
    assert granted.statements == []
    assert readers.listed(connection) == [Reader("Sales-2", "ready", [FIRST, SECOND])]
    query = (
        "select rolcanlogin, rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname = 'Sales-2'"
    )
    assert connection.execute(text(query)).one() == (True, False, False, False)
    assert _actions(connection, FIRST) == [("reader.granted", None, {"reader": "Sales-2"})]


def test_a_second_grant_adds_what_is_new(connection: Connection) -> None:
    readers.grant(connection, "sales", [FIRST], TESTER)
    assert readers.grant(connection, "sales", [FIRST, SECOND], TESTER).tenants == [SECOND]
    assert len(_actions(connection, FIRST)) == 1


def test_a_login_that_is_there_is_put_into_the_role(connection: Connection) -> None:
    _execute(connection, "create role sales login noinherit")
    readers.grant(connection, "sales", [FIRST], TESTER)
    assert readers.listed(connection) == [Reader("sales", "ready", [FIRST])]


def test_what_is_revoked_is_gone_and_the_login_stays(connection: Connection) -> None:
    readers.grant(connection, "sales", [FIRST, SECOND], TESTER)
    readers.grant(connection, "others", [FIRST], TESTER)
    assert readers.revoke(connection, "sales", [FIRST, uuid4()], TESTER) == [FIRST]
    assert readers.revoke(connection, "sales", None, TESTER) == [SECOND]
    assert readers.revoke(connection, "sales", None, TESTER) == []
    assert readers.listed(connection) == [Reader("others", "ready", [FIRST]), Reader("sales", "ready", [])]
    assert _actions(connection, SECOND)[1] == ("reader.revoked", {"reader": "sales"}, None)


def test_grants_of_a_role_that_is_no_reader_any_more_are_shown(connection: Connection) -> None:
    for name in ("sales", "others"):
        readers.grant(connection, name, [FIRST], TESTER)
    _execute(connection, "revoke pos_reader from sales", "drop role others")
    assert readers.listed(connection) == [
        Reader("others", "missing", [FIRST]),
        Reader("sales", "outside", [FIRST]),
    ]


@pytest.mark.parametrize(
    "name", ["", "a b", 'a"b', "a;b", "1st", "pg_monitor", "public", "NONE", "x" * 64, "ä"]
)
def test_what_is_no_name_of_a_reader_is_refused(connection: Connection, name: str) -> None:
    with pytest.raises(ReaderError, match="The name of a reader"):
        readers.grant(connection, name, [FIRST], TESTER)
    with pytest.raises(ReaderError, match="The name of a reader"):
        readers.revoke(connection, name, None, TESTER)


@pytest.mark.parametrize("name", OWN_ROLES)
def test_the_projects_own_roles_are_refused(connection: Connection, name: str) -> None:
    with pytest.raises(ReaderError, match="the project's own"):
        readers.grant(connection, name, [FIRST], TESTER)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("create role tested login superuser", "superuser"),
        ("create role tested login bypassrls", "bypasses row-level security"),
        ("create role tested login in role postgres", "superuser"),
        ("create role tested login in role small", "rights of the tables' owner"),
        ("create role tested login in role pos_service", "rights of the HTTP service"),
        ("create role tested login in role pos_api", "rights of the HTTP service"),
        ("create role tested nologin", "cannot log in"),
    ],
)
def test_who_would_see_more_or_nothing_is_refused(connection: Connection, made: str, words: str) -> None:
    _execute(connection, "create role small", "alter table pos_reader_tenants owner to small", made)
    with pytest.raises(ReaderError, match=words):
        readers.grant(connection, "tested", [FIRST], TESTER)


def test_a_hash_of_passwords_that_gives_them_away_is_told(connection: Connection) -> None:
    assert readers.grant(connection, "sales", [FIRST], TESTER).hashes_with_scram
    _execute(connection, "set local password_encryption = 'md5'")
    assert not readers.grant(connection, "sales", [FIRST], TESTER).hashes_with_scram


@contextmanager
def _small_owner(connection: Connection, rights: str) -> Iterator[None]:
    """For the block, a user who owns the tables and may do no more than this with roles."""
    _execute(
        connection,
        f"create role small {rights}",
        "alter table pos_reader_tenants owner to small",
        "alter table pos_audit_logs owner to small",
        "grant all on pos_audit_logs to small",
        "grant pos_reader to small with admin option",
        "set local role small",
    )
    yield
    _execute(connection, "reset role")


def test_what_this_user_may_not_do_is_told_and_the_tenants_are_granted(connection: Connection) -> None:
    with _small_owner(connection, "nocreaterole"):
        granted = readers.grant(connection, "sales", [FIRST], TESTER)
        assert granted.tenants == [FIRST]
        assert readers.listed(connection) == [Reader("sales", "missing", [FIRST])]
    _execute(connection, *granted.statements)
    assert readers.listed(connection)[0] == Reader("sales", "ready", [FIRST])
    assert granted.statements == [
        'create role "sales" login',
        'grant pos_reader to "sales" with inherit true, set false',
    ]


def test_an_owner_that_may_make_roles_needs_nobody(connection: Connection) -> None:
    with _small_owner(connection, "createrole"):
        assert readers.grant(connection, "sales", [FIRST], TESTER).statements == []
    assert Reader("sales", "ready", [FIRST]) in readers.listed(connection)


def test_without_the_roles_it_is_said_how_to_get_them(connection: Connection) -> None:
    _execute(connection, "alter role pos_reader rename to pos_reader_of_old")
    for act in (
        lambda: readers.grant(connection, "sales", [FIRST], TESTER),
        lambda: readers.listed(connection),
    ):
        with pytest.raises(DatabaseError, match="`pos init` prints what a superuser has to run"):
            act()


def test_a_reader_sees_what_it_is_granted_and_nothing_after_the_last_is_taken(
    engine: Engine, server: DatabaseAddress
) -> None:
    name = "reader_under_test"
    query = text("select tenant_id from pos_reader_tenants order by 1")
    database = str(engine.url.database)
    theirs = create_engine(replace(server, user=name).with_database(database).sqlalchemy())
    try:
        with engine.begin() as connection:
            readers.grant(connection, "other_reader_under_test", [SECOND], TESTER)
            readers.grant(connection, name, [FIRST], TESTER)
        with theirs.connect() as connection:
            assert list(connection.execute(query).scalars()) == [FIRST]
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text("set role pos_reader"))
            connection.rollback()
            with engine.begin() as ours:
                readers.revoke(ours, name, None, TESTER)
            assert list(connection.execute(query).scalars()) == []
    finally:
        theirs.dispose()
        with engine.begin() as connection:
            _execute(connection, f"drop role if exists {name}, other_reader_under_test")
