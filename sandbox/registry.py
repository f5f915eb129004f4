"""Finds the point-of-sale systems: every folder here that exports a ``SANDBOX`` record."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.routing import Route

import sandbox
from sandbox.clock import Clock, Instant
from sandbox.webhooks import Hooks
from sandbox.world import CHAINS, Chain, Merchant


class Server(Protocol):
    """What a point-of-sale system does for the rest of the sandbox."""

    hooks: Hooks
    """What the vendor tells of changes, and to whom."""

    def routes(self) -> Sequence[Route]:
        """The vendor's routes, from the root."""
        ...

    def account_id(self, merchant: Merchant) -> str:
        """The vendor's name for an account."""
        ...

    def account(self, merchant: Merchant) -> dict[str, Any]:
        """How to register an account: credentials, locations, settings, the operator's address variables."""
        ...

    def transactions(self, merchant: Merchant, now: Instant) -> list[dict[str, Any]]:
        """What was really sold until now, one row per transaction; amounts in minor units.

        A row with ``places`` has its amounts in units of that many decimal places instead.
        """
        ...

    def edit(
        self, merchant: Merchant, number: int, start_at: Instant, end_at: Instant
    ) -> dict[str, list[str]]:
        """Runs a round of edits, and says which documents were ``changed`` and which ``created``."""
        ...

    def sell(self, merchant: Merchant, count: int, now: Instant) -> list[str]:
        """Sells some more, now, and says which documents that made."""
        ...

    def change(self, merchant: Merchant, now: Instant) -> str | None:
        """Changes the money of some document that is there already, and says of which.

        None where nothing is left that could change.
        """
        ...

    def merchant_of_token(self, authorization: str) -> Merchant | None:
        """Whose request carries this ``Authorization`` header."""
        ...

    def set_token(self, merchant: Merchant, state: str) -> None:
        """Sets how the account's token is answered from now on."""
        ...

    def inject(self, merchant: Merchant, stream: str, text: str) -> str:
        """Puts a document verbatim into what a stream answers, and says under which id."""
        ...

    def set_settings(self, settings: Mapping[str, int]) -> dict[str, int]:
        """Changes how the vendor behaves, and answers all settings."""
        ...

    def expire_cursors(self) -> int:
        """Makes every cursor handed out so far useless, and says how many there were."""
        ...

    def error_body(self, status: int) -> dict[str, Any]:
        """The vendor's body for an error of this HTTP status."""
        ...


@dataclass(frozen=True, slots=True)
class PosSandbox:
    """One point-of-sale system.

    Args:
        name: of the system.
        build: makes the server of its merchants, whose books it opens.
        chains: the merchants of each scale.
        demo_orders: how many sales each merchant of the ``demo`` scale has made.
    """

    name: str
    build: Callable[[Sequence[Merchant], Clock], Server]
    chains: Mapping[str, Sequence[Chain]] = field(default_factory=lambda: CHAINS)
    demo_orders: Sequence[int] = (2_150, 1_000, 350)


def find_sandboxes() -> dict[str, PosSandbox]:
    """All point-of-sale systems, by name, in alphabetical order."""
    found: dict[str, PosSandbox] = {}
    for module in pkgutil.iter_modules(sandbox.__path__):
        if module.ispkg:
            record = getattr(importlib.import_module(f"sandbox.{module.name}"), "SANDBOX", None)
            if isinstance(record, PosSandbox):
                found[record.name] = record
    return dict(sorted(found.items()))
