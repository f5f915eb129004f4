"""Subscriptions that were made by a vendor's API: what is known of them, their signature keys sealed.

One row per POS and vendor address, made before the vendor is asked for anything, so that an answer that gets
lost can be asked for again. Who changes a row holds the lock of `held`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from pos_core.database.tables import webhook_subscriptions as table
from pos_core.errors import VaultError
from pos_core.repositories.locks import held_key
from pos_core.vault import NOBODY, Vault

OVERLAP = timedelta(days=3)
"""How long a key or an address that was replaced is still accepted; vendors repeat for up to a day."""

_CHECK_AFTER, _TRY_AFTER = timedelta(days=1), timedelta(minutes=10)


@dataclass(frozen=True)
class Held:
    """One row, opened.

    Args:
        external_id: None until the vendor is known to have a subscription.
        url: the address that the vendor has.
        other_url: an address that is accepted as well, because the vendor had or is getting it.
        keys: `current`, and `previous` while that is still accepted.
        is_overlap_over: whether nothing can come any more that was sent before the last change.
        request_key: of a request whose answer is not stored yet.
    """

    id: UUID
    external_id: str | None
    url: str
    other_url: str | None
    keys: Mapping[str, str] = field(repr=False)
    is_overlap_over: bool
    request_key: UUID | None


@dataclass(frozen=True)
class Settled:
    """What the vendor has confirmed."""

    external_id: str
    url: str
    is_enabled: bool
    key: str = field(repr=False)


@contextmanager
def held(engine: Engine, pos_system: str) -> Iterator[None]:
    """Holds the one lock under which the subscriptions of a POS are looked after; waits for it."""
    with held_key(engine, f"pos-webhook-subscriptions:{pos_system}"):
        yield


def begin(connection: Connection, vault: Vault, pos_system: str, base_url: str, url: str) -> Held:
    """Makes or finds the row of a vendor address, and notes the attempt.

    Args:
        base_url: the vendor's.
        url: the address to register.

    Returns:
        The row as it was; without keys where they do not open, so that the vendor is asked for them.
    """
    new_id = uuid4()
    statement = insert(table).values(
        id=new_id,
        pos_system=pos_system,
        base_url=base_url,
        url=url,
        is_enabled=False,
        keys_sealed=vault.seal(NOBODY, new_id, {}),
    )
    statement = statement.on_conflict_do_update(
        index_elements=["pos_system", "base_url"],
        set_={
            "tried_at": func.now(),
            "url": case((table.c.external_id.is_(None), statement.excluded.url), else_=table.c.url),
        },
    )
    row = connection.execute(
        statement.returning(
            *(
                table.c[name]
                for name in ("id", "external_id", "url", "other_url", "keys_sealed", "request_key")
            ),
            (table.c.rotated_at < func.now() - OVERLAP).label("is_overlap_over"),
        )
    ).one()
    try:
        keys = vault.open(NOBODY, row.id, row.keys_sealed)
    except VaultError:
        keys = {}
    return Held(
        id=row.id,
        external_id=row.external_id,
        url=row.url,
        other_url=row.other_url,
        keys={name: str(key) for name, key in keys.items()},
        is_overlap_over=bool(row.is_overlap_over),
        request_key=row.request_key,
    )


def announce(connection: Connection, subscription_id: UUID, url: str) -> None:
    """The vendor is about to send to another address: it is accepted from now on."""
    _set(connection, subscription_id, other_url=url)


def request_key(connection: Connection, subscription_id: UUID) -> UUID:
    """Names the request that is about to be sent; the same as long as no answer was stored."""
    statement = update(table).where(table.c.id == subscription_id)
    statement = statement.values(request_key=func.coalesce(table.c.request_key, uuid4()))
    found: UUID = connection.execute(statement.returning(table.c.request_key)).scalar_one()
    return found


def forget_request(connection: Connection, subscription_id: UUID) -> None:
    """The vendor has refused the request of this name: the next one is another."""
    _set(connection, subscription_id, request_key=None)


def settle(connection: Connection, vault: Vault, before: Held, now: Settled) -> None:
    """Stores what the vendor has confirmed; a key or an address that it replaces is accepted for a while."""
    keys: dict[str, str] = {} if before.is_overlap_over else dict(before.keys)
    other_url = None if before.is_overlap_over else before.other_url
    current = before.keys.get("current")
    values: dict[str, Any] = {}
    if current is not None and current != now.key:
        keys["previous"] = current
        values["rotated_at"] = func.now()
    if before.external_id is not None and before.url != now.url:
        other_url = before.url
        values["rotated_at"] = func.now()
    elif other_url == now.url:
        other_url = None
    keys["current"] = now.key
    _set(
        connection,
        before.id,
        external_id=now.external_id,
        url=now.url,
        other_url=other_url,
        is_enabled=now.is_enabled,
        keys_sealed=vault.seal(NOBODY, before.id, keys),
        request_key=None,
        problem=None,
        checked_at=func.now(),
        **values,
    )


def fail(connection: Connection, pos_system: str, base_url: str, problem: str) -> None:
    """Notes why an attempt failed, for the status."""
    statement = update(table).where(table.c.pos_system == pos_system, table.c.base_url == base_url)
    connection.execute(statement.values(problem=problem))


def is_due(connection: Connection, pos_system: str, base_url: str, url: str) -> bool:
    """Whether the subscription of a vendor address should be looked after now.

    That is so where a configuration of the POS is active and there is no subscription to `url`, or the last
    attempt has failed or was not ended; and once a day, for the vendor may have disabled it. An attempt is
    repeated after ten minutes at the earliest.
    """
    query = text("""
        select
            exists (
                select from pos_configurations
                where pos_system = :pos_system and base_url = :base_url and status = 'active'
            )
            and not exists (
                select from pos_webhook_subscriptions
                where pos_system = :pos_system and base_url = :base_url and (
                    tried_at > now() - :try_after
                    or (
                        external_id is not null and url = :url and is_enabled and problem is null
                        and request_key is null and checked_at > now() - :check_after
                    )
                )
            )
    """)
    parameters = {
        "pos_system": pos_system,
        "base_url": base_url,
        "url": url,
        "try_after": _TRY_AFTER,
        "check_after": _CHECK_AFTER,
    }
    return bool(connection.execute(query, parameters).scalar_one())


def registered(connection: Connection, pos_system: str, base_url: str) -> tuple[str, str] | None:
    """The vendor's id of a subscription and its address, or None."""
    query = select(table.c.external_id, table.c.url).where(
        table.c.pos_system == pos_system, table.c.base_url == base_url, table.c.external_id.is_not(None)
    )
    row = connection.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def _set(connection: Connection, subscription_id: UUID, **values: Any) -> None:
    connection.execute(update(table).where(table.c.id == subscription_id).values(**values))
