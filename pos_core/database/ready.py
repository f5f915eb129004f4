"""Whether the database is what the HTTP service expects: its tables, and its role's rights on them."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

from pos_core.database.tables import metadata

Part = Literal["settings", "database", "schema", "roles"]

_MARTS = ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")
_COLUMNS = text("""
    select
        c.relname as name,
        array_agg(a.attname) as columns,
        bool_or(a.attname = 'tenant_id') as has_tenant,
        c.relrowsecurity as is_guarded,
        has_table_privilege(c.oid, 'select') as is_readable
    from pg_class as c
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.oid = any(array(select to_regclass(each) from unnest(cast(:names as text[])) as each))
    group by c.oid
""")


@dataclass(frozen=True)
class Lack:
    """What the service cannot work without; the detail holds no secret and no address."""

    part: Part
    detail: str


def lack(connection: Connection) -> Lack | None:
    """What is missing for this connection's role, or None; columns that are too many are fine.

    So a service goes on while the schema of its next version is there already.
    """
    expected = {
        table.name: {column.name for column in table.columns}
        for table in metadata.sorted_tables
        if table.schema is None  # the others are the connectors', and only they know of them
    }
    expected |= {name: set() for name in _MARTS}
    found = {row.name: row for row in connection.execute(_COLUMNS, {"names": list(expected)})}
    for name, columns in sorted(expected.items()):
        if name not in found:
            return Lack("schema", f"The table {name} is missing; `pos init` makes it.")
        if missing := columns - set(found[name].columns):
            return Lack("schema", f"{name} has no column {min(missing)}; `pos init` adds it.")
    for name, row in sorted(found.items()):
        if row.has_tenant and not (row.is_guarded and row.is_readable):
            return Lack("roles", f"The service's role has no rights on {name}; run `pos init`.")
    return None
