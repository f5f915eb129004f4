"""The database's roles: who may read and write what, and only of which tenants.

pos_api       what a request of a tenant may do; sees the tenant that its transaction is set to
pos_webhook   what the receiver of webhooks may do: write its log
pos_reader    what readers of the marts have in common; each sees the tenants it was granted
pos_service   the login of the HTTP service: nothing by itself, may become pos_api or pos_webhook

The pipeline is the owner of the tables and is not held by their policies.
"""

from collections.abc import Sequence

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

API_ROLE, WEBHOOK_ROLE, READER_ROLE, SERVICE_LOGIN = "pos_api", "pos_webhook", "pos_reader", "pos_service"

_READABLE = ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")
# Beyond reading, which `pos_protect` grants on every table with a tenant.
_API_WRITES = {
    "pos_configurations": "insert, update",
    "pos_configuration_locations": "insert, update",
    "pos_sync_requests": "insert, update",
    "pos_connect_states": "insert, update, delete",
    "pos_audit_logs": "insert",
    "pos_touched_documents": "insert",
    "pos_shared_tokens": "select, insert, update",
    "pos_webhook_counts": "select",
}
# Answers about other tenants: yes, no, or how many in all.
_API_FUNCTIONS = (
    "pos_live_elsewhere(uuid, text, text[])",
    "pos_account_elsewhere(uuid)",
    "pos_runs_asked_for(interval)",
)
_RECEIVER_FUNCTIONS = (
    "pos_webhook_recipients(text, text[], text[])",
    "pos_webhook_connection(uuid)",
    "pos_webhook_keys(text)",
    "pos_webhook_knock()",
    "pos_webhook_unanswered()",
    "pos_webhook_count(text, text, bigint)",
)
_TENANT_TABLES = text("""
    select c.oid::regclass::text
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_attribute as a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and (n.nspname in ('public', 'pos_work') or n.nspname like 'raw\\_%')
    order by 1
""")
OWN_ROLES = (API_ROLE, WEBHOOK_ROLE, READER_ROLE, SERVICE_LOGIN)
# What does not follow from a table's own tenant_id: table, name of the policy, and the rest of it.
_POLICIES = (
    ("pos_reader_tenants", "own_grants", f"for select to {READER_ROLE} using (reader = current_user)"),
    ("pos_webhook_logs", "received", f"for insert to {WEBHOOK_ROLE} with check (true)"),
    (
        "pos_webhook_logs",
        "all_for_operators",
        f"for select to {API_ROLE} using (current_setting('pos.operator', true) = 'on')",
    ),
    (
        "pos_touched_documents",
        "configurations_of_request",
        f"for insert to {API_ROLE} with check (configuration_id in (select id from pos_configurations))",
    ),
)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def statements(owner: str) -> list[str]:
    """What makes the roles, for somebody who may.

    Args:
        owner: the user that owns the tables; it may become what the service becomes, for a service that has
            no login of its own.
    """
    return [
        *(f"create role {role} nologin" for role in (API_ROLE, WEBHOOK_ROLE, READER_ROLE)),
        f"create role {SERVICE_LOGIN} login noinherit",
        f"grant {API_ROLE}, {WEBHOOK_ROLE} to {SERVICE_LOGIN}",
        f"grant {API_ROLE}, {WEBHOOK_ROLE} to {quoted(owner)} with inherit false, set true",
        f"grant {READER_ROLE} to {quoted(owner)} with admin option",
    ]


def are_established(connection: Connection) -> bool:
    """Whether the roles exist and every table of tenants is protected."""
    protected = text("select polrelid::regclass::text from pg_policy where polname = 'tenant_of_request'")
    tables: set[str] = set(connection.execute(_TENANT_TABLES).scalars())
    return _have_all(connection) and tables <= set(connection.execute(protected).scalars())


def establish(connection: Connection) -> list[str]:
    """Makes the roles where this user may, and gives each its rights.

    Returns:
        The statements that somebody with more rights has to run first; empty when all is done.
    """
    owner: str = connection.execute(text("select current_user")).scalar_one()
    wanted = statements(owner)
    missing = []
    if not _have_all(connection):
        try:
            with connection.begin_nested():
                for statement in wanted:
                    _run_unless_there(connection, statement)
        except DBAPIError:
            missing = wanted
    _protect(connection)
    return missing


def _have_all(connection: Connection) -> bool:
    query = text("select count(*) from pg_roles where rolname = any(:names)")
    return connection.execute(query, {"names": list(OWN_ROLES)}).scalar_one() == len(OWN_ROLES)


def _run_unless_there(connection: Connection, statement: str) -> None:
    """Another database of the same server may make the same roles at the same moment."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.DuplicateObject | psycopg.errors.UniqueViolation):
            raise


def _protect(connection: Connection) -> None:
    """Gives every table of tenants its policies, and the roles that exist their rights."""
    tables: Sequence[str] = connection.execute(_TENANT_TABLES).scalars().all()
    for table in tables:
        connection.execute(
            text("select pos_protect(cast(:table as regclass), :for_readers)"),
            {"table": table, "for_readers": table in _READABLE},
        )
    # Nobody rewrites the audit trail; its owner could give itself the right back, which would be seen.
    connection.execute(text("revoke update, delete, truncate on pos_audit_logs from current_user"))
    if not _have_all(connection):
        return
    for table, rights in _API_WRITES.items():
        connection.execute(text(f"grant {rights} on {table} to {API_ROLE}"))
    for function in _API_FUNCTIONS:
        connection.execute(text(f"grant execute on function {function} to {API_ROLE}"))
    connection.execute(text(f"grant insert on pos_webhook_logs to {WEBHOOK_ROLE}"))
    connection.execute(text(f"grant execute on function {', '.join(_RECEIVER_FUNCTIONS)} to {WEBHOOK_ROLE}"))
    connection.execute(text(f"grant select on pos_reader_tenants to {READER_ROLE}"))
    query = text("select quote_ident(nspname) from pg_namespace where nspname like 'raw\\_%'")
    schemas: Sequence[str] = connection.execute(query).scalars().all()
    for schema in schemas:
        connection.execute(text(f"grant usage on schema {schema} to {API_ROLE}"))
        # Which loads are complete; whose they were is not told.
        connection.execute(text(f"grant select (load_id, status) on {schema}._dlt_loads to {API_ROLE}"))
    connection.execute(text(f"grant execute on function pos_documents_of_order to {API_ROLE}"))
    there = text("select from pg_policy where polrelid = cast(:table as regclass) and polname = :name")
    seen = "pos_system, base_url, external_id, url, is_enabled, problem, checked_at, tried_at"
    connection.execute(text(f"grant select ({seen}) on pos_webhook_subscriptions to {API_ROLE}"))
    for table, name, rest in _POLICIES:
        if connection.execute(there, {"table": table, "name": name}).one_or_none() is None:
            connection.execute(text(f"alter table {table} enable row level security"))
            connection.execute(text(f"create policy {name} on {table} {rest}"))
