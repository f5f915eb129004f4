"""Reading the normalised tables: pages by key, one transaction, sums by day; a tenant is always an argument.

Pages are found by the place of the last row, never by counting, so that each costs the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Engine,
    Select,
    TableClause,
    Text,
    Uuid,
    column,
    func,
    literal,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.types import NullType, TypeEngine

from pos_core.errors import DatabaseError

Row = Mapping[str, Any]
Position = tuple[datetime, UUID] | tuple[date, datetime, UUID]
"""The place of a row in a sort: the values of its key."""

# Of the columns that values are compared with.
_TYPES: dict[str, TypeEngine[Any]] = {
    "tenant_id": Uuid(),
    "transaction_id": Uuid(),
    "configuration_id": Uuid(),
    "occurred_at": DateTime(timezone=True),
    "normalized_at": DateTime(timezone=True),
    "business_date": Date(),
}
TRANSACTION_COLUMNS = (
    "transaction_id", "configuration_id", "pos_system", "external_id", "external_order_id",
    "external_location_id", "parent_external_id", "parent_external_order_id", "kind", "status", "is_revenue",
    "prices_include_tax", "opened_at", "closed_at", "occurred_at", "business_date", "timezone", "currency",
    "gross_sales_amount", "discount_amount", "net_sales_amount", "tax_amount", "service_charge_amount",
    "tip_amount", "rounding_amount", "non_sales_amount", "total_amount", "residual_amount", "paid_amount",
    "item_count", "external_version", "external_updated_at", "source", "first_received_at", "normalized_at",
)  # fmt: skip
ITEM_COLUMNS = (
    "transaction_item_id", "line_number", "external_line_id", "parent_external_line_id", "kind",
    "external_product_id", "sku", "name", "variation_name", "category", "quantity", "unit", "unit_price",
    "gross_amount", "discount_amount", "net_amount", "tax_amount", "total_amount", "currency", "is_voided",
    "is_revenue",
)  # fmt: skip
PAYMENT_COLUMNS = (
    "transaction_payment_id", "external_payment_id", "method", "amount", "tip_amount", "status", "card_brand",
    "card_last4", "paid_at", "currency",
)  # fmt: skip
SUMMED_COLUMNS = (
    "gross_sales_amount", "discount_amount", "net_sales_amount", "tax_amount", "service_charge_amount",
    "tip_amount", "rounding_amount", "non_sales_amount", "total_amount",
)  # fmt: skip


def _mart(name: str, columns: Iterable[str]) -> TableClause:
    return table(name, *(column(each, _TYPES.get(each, NullType())) for each in columns))


_transactions = _mart("pos_transactions", ("tenant_id", *TRANSACTION_COLUMNS))
_items = _mart("pos_transaction_items", ("tenant_id", "transaction_id", *ITEM_COLUMNS))
_payments = _mart("pos_transaction_payments", ("tenant_id", "transaction_id", *PAYMENT_COLUMNS))


class Sort(StrEnum):
    """The order of a listing; each has an index whose columns are its key, the tenant first."""

    OCCURRED = "occurred"
    BUSINESS_DATE = "business_date"
    CHANGED = "changed"


SORT_KEYS = {
    Sort.OCCURRED: ("occurred_at", "transaction_id"),
    Sort.BUSINESS_DATE: ("business_date", "occurred_at", "transaction_id"),
    Sort.CHANGED: ("normalized_at", "transaction_id"),
}
_BEGINS_WITH = {
    Sort.OCCURRED: "occurred_to",
    Sort.BUSINESS_DATE: "business_date_to",
    Sort.CHANGED: "changed_since",
}


class Group(StrEnum):
    """What sums can be grouped by."""

    DAY = "day"
    LOCATION = "location"
    POS_SYSTEM = "pos_system"


_GROUP_COLUMNS = {
    Group.DAY: ("business_date",),
    # Two systems may give two shops the same id.
    Group.LOCATION: ("pos_system", "external_location_id"),
    Group.POS_SYSTEM: ("pos_system",),
}


@dataclass(frozen=True)
class Filters:
    """Which transactions; what is None or empty leaves nothing out.

    Args:
        occurred_from: at or after it.
        occurred_to: before it.
        business_date_from: on it or later.
        business_date_to: on it or earlier.
        locations: the vendors' ids of locations.
        changed_since: normalised at or after it.
    """

    occurred_from: datetime | None = None
    occurred_to: datetime | None = None
    business_date_from: date | None = None
    business_date_to: date | None = None
    configuration_id: UUID | None = None
    locations: tuple[str, ...] = ()
    pos_system: str | None = None
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    revenue_only: bool = False
    changed_since: datetime | None = None


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements all see the marts as they are now, headers with their own lines.

    The tables are locked against being replaced before the snapshot is taken: a rebuild swaps them, and a
    snapshot from before the swap would see the new ones empty.

    Raises:
        DatabaseError: nothing was ever normalised here, so there are no marts yet.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            tables = ", ".join(each.name for each in (_transactions, _items, _payments))
            try:
                connection.exec_driver_sql(f"lock table {tables} in access share mode")
            except ProgrammingError as error:
                if isinstance(error.orig, psycopg.errors.UndefinedTable):
                    raise DatabaseError(
                        "There are no sales yet; the first sync makes their tables."
                    ) from None
                raise
            yield connection


def page(
    connection: Connection, tenant_id: UUID, filters: Filters, sort: Sort, after: Position | None, limit: int
) -> list[Row]:
    """The rows behind a place, in the order of the sort: newest first, but `changed` oldest change first."""
    statement = page_statement(tenant_id, filters, sort, after, limit)
    return [dict(row._mapping) for row in connection.execute(statement)]


def page_statement(
    tenant_id: UUID, filters: Filters, sort: Sort, after: Position | None, limit: int
) -> Select[Any]:
    """What `page` runs.

    Args:
        after: the place of the last row that the reader has. It counts instead of the bound at which the
            listing begins: with two bounds on a column an index is read from the outer one on. For `changed`
            it may lie before `changed_since`.
    """
    t = _transactions.c
    key = [t[name] for name in SORT_KEYS[sort]]
    is_upward = sort is Sort.CHANGED
    if after is not None:
        bound: dict[str, Any] = {_BEGINS_WITH[sort]: None}
        filters = replace(filters, **bound)
    conditions = [t.tenant_id == tenant_id, *_conditions(filters)]
    if after is not None:
        place = tuple_(*(literal(value, each.type) for value, each in zip(after, key, strict=True)))
        conditions.append(tuple_(*key) > place if is_upward else tuple_(*key) < place)
    order = [each.asc() if is_upward else each.desc() for each in key]
    columns = [t[name] for name in TRANSACTION_COLUMNS]
    return select(*columns).where(*conditions).order_by(*order).limit(limit)


def position(row: Row, sort: Sort) -> Position:
    """The place of a row in a sort."""
    return tuple(row[name] for name in SORT_KEYS[sort])


def newest_change(connection: Connection, tenant_id: UUID) -> Position | None:
    """The place of the tenant's row that was normalised last, or None when there is no row."""
    t = _transactions.c
    key = [t[name] for name in SORT_KEYS[Sort.CHANGED]]
    statement = select(*key).where(t.tenant_id == tenant_id).order_by(*(each.desc() for each in key)).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else (row[0], row[1])


def one(connection: Connection, tenant_id: UUID, transaction_id: UUID) -> Row | None:
    """A transaction, or None."""
    t = _transactions.c
    statement = select(*(t[name] for name in TRANSACTION_COLUMNS)).where(
        t.tenant_id == tenant_id, t.transaction_id == transaction_id
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else dict(row._mapping)


def items(connection: Connection, tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The lines of transactions, by transaction, in the vendor's order."""
    return _children(connection, _items, ITEM_COLUMNS, tenant_id, ids, ("line_number", "transaction_item_id"))


def payments(connection: Connection, tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The payments of transactions, by transaction, oldest first."""
    order = ("paid_at", "transaction_payment_id")
    return _children(connection, _payments, PAYMENT_COLUMNS, tenant_id, ids, order)


def _children(
    connection: Connection,
    mart: TableClause,
    columns: Sequence[str],
    tenant_id: UUID,
    ids: Sequence[UUID],
    order: Sequence[str],
) -> dict[UUID, list[Row]]:
    statement = (
        select(mart.c.transaction_id, *(mart.c[name] for name in columns))
        .where(mart.c.tenant_id == tenant_id, mart.c.transaction_id == func.any(literal(ids, ARRAY(Uuid()))))
        .order_by(mart.c.transaction_id, *(mart.c[name] for name in order))
    )
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in connection.execute(statement).mappings():
        found[row["transaction_id"]].append({name: row[name] for name in columns})
    return found


def summary(
    connection: Connection,
    tenant_id: UUID,
    first_day: date,
    last_day: date,
    groups: Sequence[Group],
    limit: int,
) -> list[Row]:
    """Counts and sums of the documents that are revenue, by currency and what is asked for.

    Args:
        first_day: the first business date.
        last_day: the last one, which counts too.
        limit: at most so many rows.

    Returns:
        The columns of the groups, `currency`, `transaction_count`, `refund_count`, the summed columns and
        `refund_amount`: the total of the returns among them, negative.
    """
    t = _transactions.c
    names = dict.fromkeys(name for group in Group if group in groups for name in _GROUP_COLUMNS[group])
    keys = [*(t[name] for name in names), t.currency]
    is_return = t.kind == "return"
    statement = (
        select(
            *keys,
            func.count().label("transaction_count"),
            func.count().filter(is_return).label("refund_count"),
            *(func.sum(t[name]).label(name) for name in SUMMED_COLUMNS),
            func.coalesce(func.sum(t.total_amount).filter(is_return), text("0")).label("refund_amount"),
        )
        .where(t.tenant_id == tenant_id, t.is_revenue, t.business_date.between(first_day, last_day))
        .group_by(*keys)
        .order_by(*keys)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    t = _transactions.c
    if filters.occurred_from is not None:
        yield t.occurred_at >= filters.occurred_from
    if filters.occurred_to is not None:
        yield t.occurred_at < filters.occurred_to
    if filters.business_date_from is not None:
        yield t.business_date >= filters.business_date_from
    if filters.business_date_to is not None:
        yield t.business_date <= filters.business_date_to
    if filters.configuration_id is not None:
        yield t.configuration_id == filters.configuration_id
    if filters.pos_system is not None:
        yield t.pos_system == filters.pos_system
    if filters.changed_since is not None:
        yield t.normalized_at >= filters.changed_since
    if filters.revenue_only:
        yield t.is_revenue.is_(True)
    lists = (
        (t.external_location_id, filters.locations),
        (t.kind, filters.kinds),
        (t.status, filters.statuses),
    )
    for each, values in lists:
        if values:
            yield each == func.any(literal(list(values), ARRAY(Text())))
