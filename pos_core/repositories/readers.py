"""Readers of the marts: logins of the database, each of which sees the tenants it was granted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Row, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from pos_core.database.roles import API_ROLE, OWN_ROLES, READER_ROLE, WEBHOOK_ROLE, quoted
from pos_core.database.tables import reader_tenants
from pos_core.errors import DatabaseError, ReaderError
from pos_core.repositories import audit
from pos_core.repositories.audit import Actor

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_ROLE_NAMES = {"api": API_ROLE, "webhook": WEBHOOK_ROLE, "reader": READER_ROLE}
_RESERVED = ("public", "none")
# What the role of a reader must not be, by column of the query.
_TOO_MUCH = {
    "is_superuser": "is or may become a superuser, or a role that bypasses row-level security",
    "is_owner": "has the rights of the tables' owner",
    "is_service": "has the rights of the HTTP service",
}


@dataclass(frozen=True)
class Granted:
    """What a grant did.

    Args:
        tenants: those that the reader did not have before.
        statements: what a superuser has to run before the reader can log in; empty where nothing is missing.
        hashes_with_scram: whether the server keeps passwords that are set now in the form that does not
            give them away.
    """

    tenants: list[UUID]
    statements: list[str]
    hashes_with_scram: bool


@dataclass(frozen=True)
class Reader:
    """A reader and what it sees; `state` is ready, missing (no such role) or outside (not in pos_reader)."""

    name: str
    state: str
    tenants: list[UUID]


def grant(connection: Connection, name: str, tenants: Sequence[UUID], actor: Actor) -> Granted:
    """Lets a login see tenants in the marts; makes the login where it is missing and this user may.

    Raises:
        ReaderError: the name is none, or its role may do more than a reader, or cannot log in.
        DatabaseError: the database has not got the readers' role yet.
    """
    check_name(name)
    _require_roles(connection)
    statements = _make_login(connection, name)
    statement = insert(reader_tenants).values([{"reader": name, "tenant_id": each} for each in set(tenants)])
    new = connection.execute(statement.on_conflict_do_nothing().returning(reader_tenants.c.tenant_id))
    granted: list[UUID] = sorted(new.scalars())
    for each in granted:
        audit.record(connection, each, None, actor, "reader.granted", None, {"reader": name})
    encryption: str = connection.execute(text("show password_encryption")).scalar_one()
    return Granted(granted, statements, encryption == "scram-sha-256")


def revoke(connection: Connection, name: str, tenants: Sequence[UUID] | None, actor: Actor) -> list[UUID]:
    """Takes tenants from a reader, at once; its role stays.

    Args:
        tenants: None for all it has.

    Returns:
        Those that it had.

    Raises:
        ReaderError: the name is none.
    """
    check_name(name)
    statement = delete(reader_tenants).where(reader_tenants.c.reader == name)
    if tenants is not None:
        statement = statement.where(reader_tenants.c.tenant_id.in_(tenants))
    revoked: list[UUID] = sorted(
        connection.execute(statement.returning(reader_tenants.c.tenant_id)).scalars()
    )
    for each in revoked:
        audit.record(connection, each, None, actor, "reader.revoked", {"reader": name}, None)
    return revoked


def listed(connection: Connection) -> list[Reader]:
    """All readers by name: who was granted a tenant, and who is in the readers' role without one.

    Raises:
        DatabaseError: the database has not got the readers' role yet.
    """
    _require_roles(connection)
    found = connection.execute(_STATES, {"reader": READER_ROLE}).all()
    tenants: dict[str, list[UUID]] = {}
    query = select(reader_tenants.c.reader, reader_tenants.c.tenant_id).order_by("reader", "tenant_id")
    for row in connection.execute(query):
        tenants.setdefault(row.reader, []).append(row.tenant_id)
    return [Reader(row.name, row.state, tenants.get(row.name, [])) for row in found]


def check_name(name: str) -> None:
    """Refuses what cannot be the name of a reader.

    Raises:
        ReaderError: it is no plain name, or one of PostgreSQL's or of the project's own.
    """
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED or name.startswith("pg_"):
        raise ReaderError(
            "The name of a reader has 1 to 63 letters, digits, dots, dashes and underscores, begins with a "
            "letter or an underscore, and is not one of PostgreSQL's own."
        )
    if name in OWN_ROLES:
        raise ReaderError(f"{name} is a role of the project's own; choose another name.")


def _require_roles(connection: Connection) -> None:
    query = text("select count(*) from pg_roles where rolname = any(:names)")
    names = list(_ROLE_NAMES.values())
    if connection.execute(query, {"names": names}).scalar_one() != len(names):
        raise DatabaseError(
            f"The database has no role {READER_ROLE} yet; `pos init` prints what a superuser has to run."
        )


def _make_login(connection: Connection, name: str) -> list[str]:
    """Makes a login a reader; returns the statements for which this user has no right."""
    role = connection.execute(_ROLE, _ROLE_NAMES | {"name": name}).one_or_none()
    wanted = []
    if role is None:
        wanted.append(f"create role {quoted(name)} login")
    else:
        _refuse_more_than_a_reader(name, role)
    if role is None or not role.is_reader:
        wanted.append(f"grant {READER_ROLE} to {quoted(name)} with inherit true, set false")
    try:
        with connection.begin_nested():
            for statement in wanted:
                connection.execute(text(statement))
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return wanted
    return []


def _refuse_more_than_a_reader(name: str, role: Row[Any]) -> None:
    for column, words in _TOO_MUCH.items():
        if getattr(role, column):
            raise ReaderError(f"{name} {words}: it would see every tenant. Choose another name.")
    if not role.rolcanlogin:
        raise ReaderError(f"{name} cannot log in; readers are told apart by their logins.")


_ROLE = text("""
    select
        rolcanlogin,
        exists (
            select from pg_roles as s
            where (s.rolsuper or s.rolbypassrls) and pg_has_role(r.oid, s.oid, 'member')
        ) as is_superuser,
        pg_has_role(oid, (select relowner from pg_class where oid = 'pos_reader_tenants'::regclass), 'member')
            as is_owner,
        pg_has_role(oid, :api, 'member') or pg_has_role(oid, :webhook, 'member') as is_service,
        pg_has_role(oid, :reader, 'usage') as is_reader
    from pg_roles as r where rolname = :name
""")
# The owner may give the readers' role to others, for which it is in it without being a reader.
_STATES = text("""
    with logins as (
        select rolname as name from pg_roles
        where
            rolcanlogin and not rolsuper and pg_has_role(oid, :reader, 'usage')
            and oid <> (select relowner from pg_class where oid = 'pos_reader_tenants'::regclass)
    )
    select
        name,
        case
            when name in (select name from logins) then 'ready'
            when name in (select rolname from pg_roles) then 'outside'
            else 'missing'
        end as state
    from (select name from logins union select reader from pos_reader_tenants) as known
    order by name
""")
