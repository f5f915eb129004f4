"""Records of what a shop did: sales, returns, payments and refunds, in no vendor's words.

A ``Sale`` knows its times and state from the start; its basket and payments are made when somebody
asks, from the sale's own seed, so that a large world is quick to open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from sandbox.clock import Instant
from sandbox.pricing import Amounts, Basket

if TYPE_CHECKING:
    from sandbox.world import Merchant, Shop

State: TypeAlias = Literal["draft", "open", "completed", "canceled"]
Kind: TypeAlias = Literal["sale", "return", "exchange", "other"]
Method: TypeAlias = Literal["cash", "card", "gift_card", "external", "wallet", "future", "drawer"]
TenderState: TypeAlias = Literal["captured", "authorized", "voided"]
RefundState: TypeAlias = Literal["pending", "completed", "rejected", "failed"]


@dataclass(slots=True)
class Tender:
    """Money offered for a sale; ``amount_minor`` is without the tip."""

    key: str
    method: Method
    amount_minor: int
    created_at: Instant
    updated_at: Instant
    tip_minor: int = 0
    state: TenderState = "captured"
    handed_minor: int | None = None
    is_offline: bool = False
    taken_at: Instant | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def total_minor(self) -> int:
        """Amount and tip."""
        return self.amount_minor + self.tip_minor


@dataclass(slots=True)
class Refund:
    """Money given back for a return; without ``tender`` it is linked to no payment.

    ``listed_state`` is what the return itself says: it may lag behind ``state`` for ever.
    """

    key: str
    amount_minor: int
    state: RefundState
    listed_state: RefundState
    reason: str
    created_at: Instant
    updated_at: Instant
    tender: Tender | None = None
    method: Method = "card"


@dataclass(slots=True)
class ReturnPart:
    """What one earlier sale gets back; no ``source`` when nobody knows which sale it was."""

    key: str
    basket: Basket
    source: Sale | None


@dataclass(slots=True)
class Pickup:
    """Goods that are paid now and handed over later."""

    person: int
    pickup_at: Instant
    handed_over_at: Instant | None = None


@dataclass(slots=True)
class Body:
    """What a document says beyond its times and state."""

    basket: Basket = field(default_factory=Basket)
    tenders: list[Tender] = field(default_factory=list)
    returns: list[ReturnPart] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    pickup: Pickup | None = None
    customer: int | None = None
    note: str | None = None
    is_bare: bool = False


BodyMaker: TypeAlias = Callable[["Sale"], Body]


class Sale:
    """One document of one shop."""

    __slots__ = (
        "_body",
        "_maker",
        "available_at",
        "closed_at",
        "has_version",
        "is_refunded",
        "kind",
        "merchant",
        "number",
        "opened_at",
        "recipe",
        "revision",
        "shop",
        "state",
        "updated_at",
        "version",
    )

    def __init__(
        self,
        merchant: Merchant,
        shop: Shop,
        number: int,
        recipe: str,
        opened_at: Instant,
        maker: BodyMaker,
    ) -> None:
        """Makes a completed sale that nobody has looked into yet.

        Args:
            merchant: whose it is.
            shop: where it was made.
            number: its place in the merchant's book, from 0.
            recipe: what sort of sale it is.
            opened_at: when it was begun.
            maker: makes basket and payments on demand.
        """
        self.merchant = merchant
        self.shop = shop
        self.number = number
        self.recipe = recipe
        self.kind: Kind = "sale"
        self.state: State = "completed"
        self.opened_at = opened_at
        self.closed_at: Instant | None = opened_at
        self.updated_at = opened_at
        self.available_at = opened_at
        self.version = 1
        self.has_version = True
        self.is_refunded = False
        self.revision = 0
        self._maker = maker
        self._body: Body | None = None

    @property
    def key(self) -> str:
        """Name of the sale in the whole world."""
        return f"{self.merchant.key}-{self.number:06d}"

    @property
    def body(self) -> Body:
        """Basket, payments, refunds."""
        if self._body is None:
            self._body = self._maker(self)
        return self._body

    def keep(self, body: Body) -> None:
        """Sets a body that depends on other sales and cannot be made again by itself."""
        self._body = body

    def touch(self, at: Instant) -> None:
        """Notes a change: a new version, a new time of change."""
        self.version += 1
        self.updated_at = at
        self.merchant.revision += 1
        self.revision += 1

    def amounts(self) -> Amounts:
        """The document's money: what it sells less what it takes back."""
        amounts = self.body.basket.amounts()
        for part in self.body.returns:
            amounts = amounts.minus(part.basket.amounts())
        return amounts
