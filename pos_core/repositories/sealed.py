"""Everything that is sealed, whichever table holds it: by which keys, and how one envelope replaces another.

The key of an envelope is read by SQL, without opening it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Table, Text, func, literal_column, select, update

from pos_core.database.tables import configurations, shared_tokens, webhook_subscriptions
from pos_core.repositories import tokens
from pos_core.vault import NOBODY


@dataclass(frozen=True)
class Envelope:
    """A sealed text, and whose it is.

    Args:
        row: the primary key of its row.
        key_id: None where the text is no envelope.
    """

    row: Any
    tenant_id: UUID
    owner_id: UUID
    key_id: str | None
    text: str


@dataclass(frozen=True)
class Place:
    """A column that holds envelopes.

    Args:
        owner_of: what an envelope is bound to besides its tenant, by the primary key of its row.
    """

    name: str
    table: Table
    row: Column[Any]
    sealed: Column[Any]
    tenant_id: Column[Any] | None
    owner_of: Callable[[Any], UUID]


@dataclass(frozen=True)
class KeyUse:
    """How many envelopes of a place a key sealed; `key_id` is None for texts that are no envelopes."""

    key_id: str | None
    place: str
    count: int


CONFIGURATIONS = Place(
    "configurations",
    configurations,
    configurations.c.id,
    configurations.c.credentials_sealed,
    configurations.c.tenant_id,
    lambda configuration_id: configuration_id,
)
SHARED_TOKENS = Place(
    "shared_tokens",
    shared_tokens,
    shared_tokens.c.key_hash,
    shared_tokens.c.token_sealed,
    None,
    tokens.owner,
)
SUBSCRIPTIONS = Place(
    "subscriptions",
    webhook_subscriptions,
    webhook_subscriptions.c.id,
    webhook_subscriptions.c.keys_sealed,
    None,
    lambda subscription_id: subscription_id,
)
PLACES = (CONFIGURATIONS, SHARED_TOKENS, SUBSCRIPTIONS)


def key_uses(connection: Connection) -> list[KeyUse]:
    """Which keys sealed what is stored now."""
    found = []
    for place in PLACES:
        key_id = _key_id(place)
        query = select(key_id, func.count()).where(place.sealed.is_not(None)).group_by(key_id)
        found += [KeyUse(each, place.name, count) for each, count in connection.execute(query)]
    return found


def batch(connection: Connection, place: Place, after: Any, limit: int) -> list[Envelope]:
    """The next envelopes of a place in the order of their rows.

    Args:
        after: the row that the last batch ended with; None to begin.
        limit: at most so many; fewer mean that there are no more.
    """
    query = _envelopes(place).order_by(place.row).limit(limit)
    if after is not None:
        query = query.where(place.row > after)
    return [_read(place, row) for row in connection.execute(query)]


def read(connection: Connection, place: Place, row: Any) -> Envelope | None:
    """The envelope of one row; None where the row or the secret is gone."""
    found = connection.execute(_envelopes(place).where(place.row == row)).one_or_none()
    return None if found is None else _read(place, found)


def replace(connection: Connection, place: Place, old: Envelope, text: str) -> bool:
    """Puts a text in the place of an envelope, unless something newer is there by now.

    Returns:
        Whether it was put there.
    """
    statement = (
        update(place.table)
        .where(place.row == old.row, place.sealed == old.text)
        .values({place.sealed: text})
        .returning(place.row)
    )
    return connection.execute(statement).one_or_none() is not None


def _envelopes(place: Place) -> Any:
    tenant_id = [place.tenant_id] if place.tenant_id is not None else []
    return select(
        place.row.label("row"), place.sealed.label("text"), _key_id(place).label("key_id"), *tenant_id
    ).where(place.sealed.is_not(None))


def _key_id(place: Place) -> ColumnElement[str]:
    """A text that is no JSON must not end the query, so that it can be told which row has it."""
    column = f"{place.table.name}.{place.sealed.name}"
    return literal_column(f"case when {column} is json object then {column}::json ->> 'kid' end", Text)


def _read(place: Place, found: Any) -> Envelope:
    tenant_id = found.tenant_id if place.tenant_id is not None else NOBODY
    return Envelope(found.row, tenant_id, place.owner_of(found.row), found.key_id, found.text)
