"""Every table and every function, as every role: nothing of another tenant is given out or touched."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pos_core.database.roles import API_ROLE, OWN_ROLES, READER_ROLE, SERVICE_LOGIN, WEBHOOK_ROLE
from tests.conftest import Project

REFUSED = "42501"
"""SQLSTATE insufficient_privilege: no right, or a row that a policy does not allow."""
STRANGER, NEIGHBOUR = "reader_without_tenants", "reader_of_the_other_tenant"
# The operator's own tokens, sealed, and how many deliveries left nothing; they belong to no tenant.
OF_NOBODY = {"pos_shared_tokens", "pos_webhook_counts"}
# To which the receiver adds what has come for whichever tenant.
LOG = "pos_webhook_logs"
# Which loads are complete, and the operator's subscriptions but for their keys; nothing tells a tenant.
COLUMNS_TOLD = {
    "load_id", "status", "pos_system", "base_url", "external_id", "url", "is_enabled", "checked_at",
    "problem", "tried_at",
}  # fmt: skip
# With their owner's rights; what each answers about other tenants.
DEFINER_FUNCTIONS = {
    "pos_documents_of_order": "nothing",
    "pos_live_elsewhere": "yes or no",
    "pos_account_elsewhere": "yes or no",
    "pos_runs_asked_for": "how many in all",
}
# What the receiver of webhooks finds whose an event is with, and counts by.
RECEIVER_FUNCTIONS = {
    "pos_webhook_recipients", "pos_webhook_connection", "pos_webhook_keys", "pos_webhook_knock",
    "pos_webhook_unanswered", "pos_webhook_count",
}  # fmt: skip
_OURS = "nspname not like 'pg\\_%' and nspname <> 'information_schema'"
_RELATIONS = text(f"""
    select c.oid::regclass::text as name, c.relkind::text as kind from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and {_OURS} order by 1
""")
_COLUMNS = text("""
    select attname as name, format_type(atttypid, null) as type,
        attnotnull or attname in ('payload', '_dlt_load_id') as is_needed,
        attidentity <> '' or attgenerated <> '' as is_made
    from pg_attribute where attrelid = cast(:table as regclass) and attnum > 0 and not attisdropped
""")
# Each tenant's texts and ids are its own, and the same in all tables, so that what belongs together meets.
_EXAMPLES: dict[str, Any] = {
    "smallint": 0, "integer": 0, "bigint": 0, "numeric": 0, "boolean": True, "character": "EUR",
    "date": "2026-03-01", "bytea": "\\x00",
    "timestamp with time zone": "2026-03-01T00:00:00Z", "time without time zone": "04:00",
}  # fmt: skip


@dataclass(frozen=True)
class Tenant:
    """A tenant with one configuration."""

    number: int
    id: UUID
    configuration_id: UUID

    def row(self, table: "Table") -> str:
        """A row of the tenant's, as JSON."""
        values = {
            **_EXAMPLES,
            "uuid": str(self.configuration_id),
            "json": {"order_id": self.configuration_id.hex},
            "jsonb": {},
            "text[]": [],
        }
        row = {
            name: values.get(each.type, self.configuration_id.hex)
            for name, each in table.columns.items()
            if each.is_needed
        }
        whose = {"tenant_id": str(self.id), "configuration_id": str(self.configuration_id)}
        if "id" in row and row["id"] == 0:
            row["id"] = self.number
        return json.dumps({**row, **{name: value for name, value in whose.items() if name in table.columns}})


@dataclass(frozen=True)
class Who:
    """A role, and the tenant that its transaction is set to."""

    role: str
    tenant: UUID | None


@dataclass(frozen=True)
class Table:
    """A table or a view."""

    name: str
    kind: str
    columns: dict[str, Any]

    def mine(self, mine: Tenant) -> str:
        """The condition of what is the first tenant's; all of it where the table does not say."""
        if "tenant_id" in self.columns:
            return f"tenant_id::text = '{mine.id}'"
        return (
            f"configuration_id::text = '{mine.configuration_id}'"
            if "configuration_id" in self.columns
            else "true"
        )


@dataclass
class World:
    """A database in which the first tenant has a row in every table; all of it is undone."""

    connection: Connection
    mine: Tenant
    theirs: Tenant
    tables: list[Table]

    @property
    def strangers(self) -> list[Who]:
        """Everybody who must see nothing of the first tenant."""
        mine = self.mine.id
        return [
            Who(API_ROLE, self.theirs.id),
            Who(API_ROLE, None),
            *(Who(role, mine) for role in (WEBHOOK_ROLE, SERVICE_LOGIN, READER_ROLE, STRANGER, NEIGHBOUR)),
        ]

    def attempt(self, who: Who, table: Table, statement: str, **parameters: Any) -> int:
        """Runs a statement and undoes it; how many rows it gave or changed, -1 where it was refused.

        What the table has of the first tenant must be the same when it has run.
        """
        before = self.fingerprint(table)
        undone = self.connection.begin_nested()
        try:
            self.connection.execute(text(f"set local role {who.role}"))
            self.connection.execute(text(f"set local pos.tenant_id = '{who.tenant or ''}'"))
            result = self.connection.execute(text(statement), parameters)
            rows = len(result.all()) if result.returns_rows else result.rowcount
            self.connection.execute(text("set local role none"))
            assert self.fingerprint(table) == before, (who, statement)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != REFUSED:
                raise
            rows = -1
        finally:
            undone.rollback()
        return rows

    def fingerprint(self, table: Table) -> tuple[Any, ...]:
        """The first tenant's rows of a table: how many, and a digest of them."""
        query = f"""
            select count(*), md5(string_agg(found::text, '|' order by found::text))
            from {table.name} as found where {table.mine(self.mine)}
        """
        return tuple(self.connection.execute(text(query)).one())


@pytest.fixture
def world(project: Project) -> Iterator[World]:
    """Two tenants with a row of their own in every table, and two readers."""
    mine, theirs = Tenant(30_001, uuid4(), uuid4()), Tenant(30_002, uuid4(), uuid4())
    with project.engine.connect() as connection:
        found = connection.execute(_RELATIONS).all()
        tables = [Table(row.name, row.kind, _columns(connection, row.name)) for row in found]
        for reader in (STRANGER, NEIGHBOUR):
            connection.execute(text(f"create role {reader} login in role {READER_ROLE}"))
        for table in tables:
            if table.kind in "rp":
                _fill(connection, table, mine, theirs)
        grant = text("insert into pos_reader_tenants (reader, tenant_id) values (:reader, :tenant)")
        connection.execute(grant, {"reader": NEIGHBOUR, "tenant": theirs.id})
        yield World(connection, mine, theirs, tables)
        connection.rollback()


def _columns(connection: Connection, table: str) -> dict[str, Any]:
    return {row.name: row for row in connection.execute(_COLUMNS, {"table": table})}


def _fill(connection: Connection, table: Table, *tenants: Tenant) -> None:
    """Puts in a row of each, whatever rules it breaks: what is asked is who sees it."""
    rules = text("""
        select conname from pg_constraint where conrelid = cast(:table as regclass) and contype in ('c', 'f')
    """)
    names: Sequence[str] = connection.execute(rules, {"table": table.name}).scalars().all()
    for rule in names:
        connection.execute(text(f'alter table {table.name} drop constraint "{rule}"'))
    for tenant in tenants:
        connection.execute(text(_insert(table)), {"row": tenant.row(table)})


def _insert(table: Table) -> str:
    """Puts in a row that is given as JSON, but for what the table makes itself."""
    names = ", ".join(f'"{name}"' for name, column in table.columns.items() if not column.is_made)
    return f"""
        insert into {table.name} ({names})
        select {names} from jsonb_populate_record(cast(null as {table.name}), cast(:row as jsonb))
    """


def test_nobody_sees_a_row_of_another_tenant(world: World) -> None:
    seen = {
        (who.role, table.name)
        for who in world.strangers
        for table in world.tables
        if world.attempt(who, table, f"select * from {table.name} where {table.mine(world.mine)}") > 0
    }
    assert seen == {(API_ROLE, table) for table in OF_NOBODY}


def test_each_sees_what_is_its_own(world: World) -> None:
    """Without this, the others might see nothing because there is nothing."""
    seen = {
        who.role: {
            table.name
            for table in world.tables
            if world.attempt(who, table, f"select * from {table.name} where {table.mine(world.mine)}") > 0
        }
        for who in (Who(API_ROLE, world.mine.id), Who("postgres", None))
    }
    readable = {
        each.name for each in world.tables if "tenant_id" in each.columns and "work." not in each.name
    }
    assert seen[API_ROLE] == readable | OF_NOBODY
    assert {each.name for each in world.tables if each.kind in "rp"} <= seen["postgres"]
    neighbour, marts = Who(NEIGHBOUR, None), ("pos_transactions", "pos_transaction_items")
    for table in world.tables:
        if table.name in marts:
            tenants = f"select from {table.name} where tenant_id = '{world.theirs.id}'"
            assert world.attempt(neighbour, table, tenants) > 0


def test_nobody_writes_a_row_of_another_tenant(world: World) -> None:
    """Without a condition as well: whatever a role does to all that it may, the first tenant's rows stay."""
    written = set()
    for table in (each for each in world.tables if each.kind in "rp"):
        row, condition = world.mine.row(table), table.mine(world.mine)
        column = next(name for name, each in table.columns.items() if not each.is_made)
        for who in world.strangers:
            if who.role == API_ROLE and table.name in OF_NOBODY:
                continue
            for statement in (
                f'update {table.name} set "{column}" = "{column}"',
                f"delete from {table.name}",
            ):
                world.attempt(who, table, statement)
                if world.attempt(who, table, f"{statement} where {condition}") > 0:
                    written.add((who, statement))
            if (who.role, table.name) != (WEBHOOK_ROLE, LOG):
                assert world.attempt(who, table, _insert(table), row=row) == -1, (who, table.name)
            assert world.attempt(who, table, f"truncate {table.name} cascade") == -1, (who, table.name)
    assert written == set()


def test_what_the_roles_may_do_to_tables_is_no_more_than_rows(project: Project) -> None:
    """No right of theirs goes round the policies, none is everybody's."""
    granted = project.rows(f"""
        select distinct coalesce(r.rolname, 'everybody') as grantee, privilege_type as verb
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace and {_OURS}
        cross join lateral aclexplode(c.relacl) as acl
        left join pg_roles as r on r.oid = acl.grantee
        where acl.grantee <> c.relowner
    """)
    rights = {role: {row["verb"] for row in granted if row["grantee"] == role} for role in OWN_ROLES}
    assert rights == {
        API_ROLE: {"SELECT", "INSERT", "UPDATE", "DELETE"},
        WEBHOOK_ROLE: {"INSERT"},
        READER_ROLE: {"SELECT"},
        SERVICE_LOGIN: set(),
    }
    assert {row["grantee"] for row in granted} <= set(OWN_ROLES)
    columns = project.rows("""
        select distinct attname as name, acl.grantee::regrole::text as grantee, privilege_type as verb
        from pg_attribute inner join pg_class as c on c.oid = attrelid, lateral aclexplode(attacl) as acl
        where c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
    """)
    assert {row["name"] for row in columns} == COLUMNS_TOLD
    assert {(row["grantee"], row["verb"]) for row in columns} == {(API_ROLE, "SELECT")}


def test_functions_with_their_owners_rights_are_for_one_role_each(project: Project) -> None:
    found = project.rows(f"""
        select p.oid::regprocedure::text as called, proname as name, prorettype::regtype::text as type,
            array(select rolname::text from pg_roles as r where not rolsuper
                and rolname not like 'pg\\_%' and has_function_privilege(r.oid, p.oid, 'execute')) as callers,
            exists (select from unnest(proconfig) as set where set like 'search_path=pg_catalog,%') as is_safe
        from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace where prosecdef and {_OURS}
    """)
    assert {row["name"] for row in found} == DEFINER_FUNCTIONS.keys() | RECEIVER_FUNCTIONS
    callers = {row["name"]: row["callers"] for row in found}
    assert callers == {
        **{name: [API_ROLE] for name in DEFINER_FUNCTIONS},
        **{name: [WEBHOOK_ROLE] for name in RECEIVER_FUNCTIONS},
    }
    assert [row["called"] for row in found if not row["is_safe"]] == []
    yes_or_no = {name for name, told in DEFINER_FUNCTIONS.items() if told == "yes or no"}
    assert {row["name"] for row in found if row["type"] == "boolean"} - RECEIVER_FUNCTIONS == yes_or_no


def test_documents_of_an_order_are_those_of_the_tenant(world: World) -> None:
    [payments] = [each for each in world.tables if each.name == "raw_square.payments"]
    query = (
        f"select payload ->> 'order_id' from raw_square.payments where {payments.mine(world.mine)} limit 1"
    )
    order: str = world.connection.execute(text(query)).scalar_one()
    call = "select * from pos_documents_of_order('square', 'payments', :configuration, :order, 10)"
    given = {"configuration": world.mine.configuration_id, "order": order}
    assert world.attempt(Who(API_ROLE, world.mine.id), payments, call, **given) > 0
    assert {world.attempt(who, payments, call, **given) for who in world.strangers[:2]} == {0}
    assert {world.attempt(who, payments, call, **given) for who in world.strangers[2:]} == {-1}
