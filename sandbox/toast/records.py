"""Records of what a restaurant did: orders, their checks, what was chosen, paid and given back.

Amounts are cents, quantities thousandths. An ``Order`` knows its times from the start; its checks are
made when somebody asks, from the order's own seed, so that a large world is quick to open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.clock import Instant
from sandbox.toast.names import guid

if TYPE_CHECKING:
    from sandbox.world import Merchant, Shop

GIFT_CARDS = ("TOAST_CARD_SELL", "TOAST_CARD_RELOAD")
HOUSE_ACCOUNT = "HOUSE_ACCOUNT_PAY_BALANCE"
GONE_PAYMENTS = ("VOIDED", "DENIED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax: by rate (thousandths of a percent) or a fixed amount; ``is_remitted`` by a marketplace."""

    key: str
    name: str
    rate: int = 0
    fixed_minor: int = 0
    is_remitted: bool = False

    @property
    def type(self) -> str:
        """The vendor's word for it."""
        if self.is_remitted:
            return "EXTERNAL"
        return "FIXED" if self.fixed_minor else "PERCENT"


@dataclass(slots=True)
class RefundDetails:
    """What of a selection or charge one refund transaction gave back."""

    transaction: str
    amount_minor: int
    tax_minor: int


@dataclass(slots=True)
class AppliedDiscount:
    """A discount on a selection or a check, with what pricing made of it.

    A loyalty discount whose ``state`` is VOID is still listed but takes nothing off.
    """

    key: str
    name: str
    type: str
    rate: int | None = None
    wanted_minor: int = 0
    state: str | None = None
    amount_minor: int = 0
    non_tax_minor: int = 0


@dataclass(slots=True)
class Selection:
    """One line, or a modifier of one; ``pre_minor`` and ``price_minor`` contain the modifiers."""

    key: str
    name: str
    quantity: int
    unit_minor: int
    type: str | None = "NONE"
    product_key: str | None = None
    taxes: tuple[TaxRate, ...] = ()
    is_inclusive: bool = False
    is_deferred: bool = False
    is_weighed: bool = False
    is_waste: bool = False
    modifiers: list[Selection] = field(default_factory=list)
    discounts: list[AppliedDiscount] = field(default_factory=list)
    voided_at: Instant | None = None
    refund: RefundDetails | None = None
    list_minor: int = 0
    pre_minor: int = 0
    price_minor: int = 0
    tax_minor: int = 0
    tax_mills: tuple[int, ...] = ()

    @property
    def is_counted(self) -> bool:
        """Whether it is part of its check's amount."""
        return self.voided_at is None

    @property
    def is_sale(self) -> bool:
        """Whether its price is net sales: no gift card, no house account, not deferred, not voided."""
        is_money = self.type in GIFT_CARDS or self.type == HOUSE_ACCOUNT
        return self.is_counted and not self.is_deferred and not is_money

    def deep(self) -> Iterator[Selection]:
        """Itself and its modifiers of every depth."""
        yield self
        for each in self.modifiers:
            yield from each.deep()


@dataclass(slots=True)
class Charge:
    """A service charge; ``category`` None stands for the vendor's default."""

    key: str
    name: str
    category: str | None = "SERVICE_CHARGE"
    is_gratuity: bool = False
    rate: int | None = None
    amount_minor: int = 0
    taxes: tuple[TaxRate, ...] = ()
    payment_key: str | None = None
    refund: RefundDetails | None = None
    tax_minor: int = 0


@dataclass(slots=True)
class PaymentRefund:
    """Money given back on a payment; older documents name no transaction."""

    amount_minor: int
    tip_minor: int
    at: Instant
    transaction: str | None


@dataclass(slots=True)
class Payment:
    """Money offered for a check; ``amount_minor`` is without the tip and stays when it is refunded."""

    key: str
    type: str
    amount_minor: int
    tip_minor: int
    at: Instant
    status: str = "CAPTURED"
    tendered_minor: int | None = None
    card_type: str | None = None
    voided_at: Instant | None = None
    refund: PaymentRefund | None = None


@dataclass(slots=True)
class Check:
    """One bill of an order; ``is_removed`` when its order does not list it any more."""

    key: str
    opened_at: Instant
    selections: list[Selection]
    discounts: list[AppliedDiscount] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    payment_status: str = "OPEN"
    paid_at: Instant | None = None
    closed_at: Instant | None = None
    voided_at: Instant | None = None
    deleted_at: Instant | None = None
    changed_at: Instant = 0
    is_removed: bool = False
    is_tax_exempt: bool = False
    has_exact_taxes: bool = False
    customer: int | None = None
    tab: str | None = None

    @property
    def amount_minor(self) -> int:
        """Goods and service charges; no tax, no gratuity, no tip."""
        goods = sum(each.price_minor for each in self.selections if each.is_counted)
        return goods + sum(each.amount_minor for each in self.charges if not each.is_gratuity)

    @property
    def tax_minor(self) -> int:
        """All tax."""
        goods = sum(each.tax_minor for each in self.selections if each.is_counted)
        return goods + sum(each.tax_minor for each in self.charges)

    @property
    def due_minor(self) -> int:
        """What the guest has to pay before any tip."""
        gratuity = sum(each.amount_minor for each in self.charges if each.is_gratuity)
        return self.amount_minor + self.tax_minor + gratuity

    @property
    def tip_minor(self) -> int:
        """Tips of payments that stand."""
        return sum(each.tip_minor for each in self.payments if each.status not in GONE_PAYMENTS)

    @property
    def open_minor(self) -> int:
        """What no standing payment covers yet."""
        paid = sum(each.amount_minor for each in self.payments if each.status not in GONE_PAYMENTS)
        return self.due_minor - paid


@dataclass(slots=True)
class Body:
    """What an order says beyond its times; ``approval`` None when the document has no such word."""

    checks: list[Check]
    source: str = "In Store"
    approval: str | None = "APPROVED"
    dining: str = "counter"
    is_test: bool = False
    is_waste: bool = False
    is_old_shape: bool = False
    voided_at: Instant | None = None
    deleted_at: Instant | None = None
    promised_at: Instant | None = None
    person: int | None = None


class Order:
    """One order of one restaurant."""

    __slots__ = (
        "_body", "_maker", "closeout_at", "event_at", "guid", "is_card", "late_at", "merchant",
        "modified_at", "number", "opened_at", "paid_at", "recipe", "revision", "shop",
    )  # fmt: skip

    def __init__(
        self,
        merchant: Merchant,
        shop: Shop,
        number: int,
        recipe: str,
        opened_at: Instant,
        maker: Callable[[Order], Body],
    ) -> None:
        """Makes an order that nobody has looked into yet.

        Args:
            merchant: whose it is.
            shop: where it was made.
            number: its place in the merchant's book, from 0.
            recipe: what sort of order it is.
            opened_at: when it was begun.
            maker: makes its checks on demand.
        """
        self.merchant = merchant
        self.shop = shop
        self.number = number
        self.recipe = recipe
        self.opened_at = opened_at
        self.paid_at = self.event_at = self.late_at = self.modified_at = opened_at
        self.closeout_at: Instant | None = None
        self.is_card = False
        self.revision = 0
        self.guid = guid(merchant, "order", number)
        self._maker = maker
        self._body: Body | None = None

    @property
    def key(self) -> str:
        """Name of the order in the whole world."""
        return f"{self.merchant.key}-order-{self.number:06d}"

    @property
    def body(self) -> Body:
        """Checks and flags."""
        if self._body is None:
            self._body = self._maker(self)
        return self._body

    def touch(self, at: Instant) -> None:
        """Notes a change at a time."""
        self.modified_at = max(self.modified_at + 1, at)
        self.revision += 1
