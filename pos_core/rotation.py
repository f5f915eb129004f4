"""Seals everything that is stored with the first key of the vault, while others read and write it.

Each row is replaced by itself, and only if it is still what was opened: who renews or connects meanwhile
wins, and a process that is killed leaves every row as it was or as it shall be.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from pos_core.errors import VaultError
from pos_core.repositories import sealed
from pos_core.repositories.sealed import CONFIGURATIONS, PLACES, SHARED_TOKENS, SUBSCRIPTIONS, Envelope, Place
from pos_core.vault import Vault

_BATCH = 200


@dataclass
class Rotation:
    """What became of the envelopes, by place; and the configurations whose credentials do not open."""

    resealed: Counter[str] = field(default_factory=Counter)
    already: Counter[str] = field(default_factory=Counter)
    unopenable: dict[str, list[Any]] = field(default_factory=lambda: {place.name: [] for place in PLACES})

    @property
    def lost_configurations(self) -> list[UUID]:
        """Configurations that have to be connected again, unless their key is found."""
        return self.unopenable[CONFIGURATIONS.name]

    @property
    def lost_tokens(self) -> int:
        """Shared tokens that do not open; whoever needs one asks the vendor for another."""
        return len(self.unopenable[SHARED_TOKENS.name])


@dataclass(frozen=True)
class KeyStatus:
    """A key: what it is here, and how many rows need it.

    Args:
        key_id: None for rows whose text is no envelope.
        role: seals (the first), opens, missing (rows need it and this process has not got it), damaged.
    """

    key_id: str | None
    role: str
    configurations: int
    shared_tokens: int
    subscriptions: int

    @property
    def rows(self) -> int:
        """How many rows need it, whatever they hold."""
        return self.configurations + self.shared_tokens + self.subscriptions

    @property
    def is_needed(self) -> bool:
        """Whether taking it away would lose something, now or with the next thing that is sealed."""
        return self.role == "seals" or self.rows > 0


def rotate(engine: Engine, vault: Vault) -> Rotation:
    """Seals with the first key what another sealed; opens everything, so that what is lost is known.

    May be interrupted, repeated, and run twice at once.
    """
    rotation = Rotation()
    # Each statement is a transaction: a row is locked no longer than its own update takes.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for place in PLACES:
            after: Any = None
            while found := sealed.batch(connection, place, after, _BATCH):
                for envelope in found:
                    _reseal(connection, vault, place, envelope, rotation)
                after = found[-1].row
    return rotation


def key_statuses(engine: Engine, vault: Vault) -> list[KeyStatus]:
    """The keys of this process in their order, then those that rows need and it has not got."""
    with engine.connect() as connection:
        uses = sealed.key_uses(connection)
    counts = {(use.key_id, use.place): use.count for use in uses}
    strangers = sorted({use.key_id for use in uses if use.key_id is not None} - set(vault.key_ids))
    damaged = [None] if any(use.key_id is None for use in uses) else []
    return [
        KeyStatus(
            key_id,
            _role(key_id, vault),
            counts.get((key_id, CONFIGURATIONS.name), 0),
            counts.get((key_id, SHARED_TOKENS.name), 0),
            counts.get((key_id, SUBSCRIPTIONS.name), 0),
        )
        for key_id in [*vault.key_ids, *strangers, *damaged]
    ]


def _role(key_id: str | None, vault: Vault) -> str:
    if key_id is None:
        return "damaged"
    if key_id == vault.sealing_key_id:
        return "seals"
    return "opens" if key_id in vault.key_ids else "missing"


def _reseal(
    connection: Connection, vault: Vault, place: Place, envelope: Envelope | None, rotation: Rotation
) -> None:
    """Goes on until a row is as it shall be: each turn that fails is somebody else's newer secret."""
    while envelope is not None:
        owner = envelope.tenant_id, envelope.owner_id
        try:
            content = vault.open(*owner, envelope.text)
        except VaultError:
            rotation.unopenable[place.name].append(envelope.row)
            return
        if envelope.key_id == vault.sealing_key_id:
            rotation.already[place.name] += 1
            return
        if sealed.replace(connection, place, envelope, vault.seal(*owner, content)):
            rotation.resealed[place.name] += 1
            return
        envelope = sealed.read(connection, place, envelope.row)
