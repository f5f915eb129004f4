"""Records of what a shop booked: accounts with their lines and payments, in exact integers.

The vendor calls every closed bill an account. A correction never changes one: it is a further account
that names the first one and the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sandbox.clock import Instant
from sandbox.lightspeed.names import PER_MINOR, device_id, reference
from sandbox.pricing import Tax, divide_half_even
from sandbox.world import Merchant, Shop


@dataclass(frozen=True, slots=True)
class TaxShare:
    """One tax of one line, in millionths of the currency."""

    tax: Tax
    micro: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an account.

    Args:
        number: within the account, from 1.
        parent: number of the line that this one belongs to.
        quantity: thousandths.
        menu_minor: listed price of one piece, in hundredths; never negative.
        net_micro: goods after discounts, without tax and service charge, in millionths.
        charge_micro: service charge without tax, in millionths.
        charge_rate: thousandths of a percent.
        has_tax_lines: whether the taxes are told one by one, or as one amount of four places.
    """

    number: int
    parent: int | None
    sku: str | None
    name: str
    category: str
    quantity: int
    menu_minor: int
    net_micro: int
    taxes: tuple[TaxShare, ...]
    name_override: str = ""
    charge_micro: int = 0
    charge_type: str = "NO_SERVICE_CHARGE"
    charge_rate: int = 0
    line_discount: str = ""
    line_discount_minor: int = 0
    account_discount: str = ""
    account_discount_minor: int = 0
    has_tax_lines: bool = True
    void_reason: str = ""

    @property
    def tax_micro(self) -> int:
        """All tax."""
        return sum(share.micro for share in self.taxes)

    @property
    def total_micro(self) -> int:
        """What the line adds to the bill."""
        return self.net_micro + self.tax_micro + self.charge_micro

    @property
    def discount_minor(self) -> int:
        """What was taken off, of the line and of the whole account."""
        return self.line_discount_minor + self.account_discount_minor

    def reversed(self) -> Line:
        """The line that takes this one back."""
        return replace(
            self,
            quantity=-self.quantity,
            net_micro=-self.net_micro,
            taxes=tuple(TaxShare(share.tax, -share.micro) for share in self.taxes),
            charge_micro=-self.charge_micro,
            line_discount_minor=-self.line_discount_minor,
            account_discount_minor=-self.account_discount_minor,
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """Money for an account, in hundredths.

    Args:
        number: within the account, from 1.
        method: the vendor's code; None for a bill that is only carried over.
        amount_minor: after cash rounding, without tip and surcharge.
    """

    number: int
    method: str | None
    amount_minor: int
    tip_minor: int = 0
    surcharge_minor: int = 0
    rounding_minor: int = 0
    is_receivable: bool = False
    person: int | None = None

    @property
    def paid_minor(self) -> int:
        """All that was paid."""
        return self.amount_minor + self.tip_minor + self.surcharge_minor

    def reversed(self) -> Payment:
        """The payment that gives this one back."""
        return replace(
            self,
            amount_minor=-self.amount_minor,
            tip_minor=-self.tip_minor,
            surcharge_minor=-self.surcharge_minor,
            rounding_minor=-self.rounding_minor,
        )


@dataclass(frozen=True, slots=True)
class Body:
    """What an account holds."""

    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    covers: int = 1
    is_dine_in: bool = False
    external_reference: str = ""

    def reversed(self) -> Body:
        """The body that takes this one back."""
        return replace(
            self,
            lines=tuple(line.reversed() for line in self.lines),
            payments=tuple(payment.reversed() for payment in self.payments),
            covers=-self.covers,
        )


def due_minor(lines: tuple[Line, ...]) -> int:
    """What lines come to, in hundredths, halves to the even one."""
    return divide_half_even(sum(line.total_micro for line in lines), PER_MINOR)


BodyMaker: TypeAlias = Callable[["Account"], Body]


@dataclass(slots=True, eq=False)
class Account:
    """One closed bill of one shop; its body is made when somebody asks.

    Args:
        number: its place in the merchant's book, from 0.
        place: of the till in the shop.
        recipe: what sort of account it is.
        kind: the vendor's account type.
        closed_at: as the newer API tells it; moves when the back office changes the account.
        dated_at: as the older API tells it, the original time.
        available_at: from when on the vendor has it.
        initial: the account that a correction goes back to.
        previous: the account just before it.
    """

    merchant: Merchant
    shop: Shop
    number: int
    place: int
    recipe: str
    kind: str
    opened_at: Instant
    closed_at: Instant
    dated_at: Instant
    available_at: Instant
    maker: BodyMaker
    initial: Account | None = None
    previous: Account | None = None
    is_cancelled: bool = False
    is_corrected: bool = False
    _body: Body | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """Name of the account in the whole world."""
        return f"{self.merchant.key}-{self.number:06d}"

    @property
    def body(self) -> Body:
        """Lines and payments."""
        if self._body is None:
            self._body = self.maker(self)
        return self._body

    @property
    def device(self) -> int:
        """Number of the till."""
        return device_id(self.merchant, self.shop, self.place)

    @property
    def fiscal_id(self) -> str:
        """The id that people see, and that corrections name."""
        return f"A{self.device}.{self.number + 1}"

    @property
    def reference(self) -> str | None:
        """The vendor's stable id; some accounts have none."""
        if self.recipe == "no_reference":
            return None
        return reference(self.merchant.seed, "account", self.key)

    @property
    def external_id(self) -> str:
        """What names the account: its reference, else its fiscal id."""
        return self.reference or self.fiscal_id
