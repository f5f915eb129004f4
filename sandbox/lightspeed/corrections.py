"""Corrections: further accounts that take back, move or repeat what an earlier account booked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.lightspeed.accounts import Account, Body, Line, Payment, due_minor
from sandbox.lightspeed.names import BACK_OFFICE
from sandbox.lightspeed.register import Register
from sandbox.pricing import round_to_step

# Accounts whose lines and payments are simple enough to be taken back in part.
_SOURCES = ("plain", "tip", "children_priced", "line_discount", "account_discount", "weighed",
            "charge_apportioned")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One account of a correction.

    Args:
        kind: the vendor's account type.
        fill: its body, from the corrected account's.
        place: of the till among those of the shop.
        is_elsewhere: whether another shop of the chain books it.
    """

    kind: str
    fill: Callable[[Account, Account], Body]
    place: int = 0
    is_elsewhere: bool = False


def is_correctable(account: Account) -> bool:
    """Whether an account can still be corrected: a simple one that never was."""
    is_simple = account.kind == "SALE" and account.recipe in _SOURCES
    return is_simple and not account.is_corrected and not account.is_cancelled


def _whole_back(source: Account, account: Account) -> Body:
    return source.body.reversed()


def _again(source: Account, account: Account) -> Body:
    return source.body


def _more(source: Account, account: Account) -> Body:
    """The bill once more, with a further line, paid anew."""
    till = Register(account)
    till.ring()
    first = source.body.lines
    extra = replace(till.lines()[0], number=len(first) + 1)
    lines = (*first, extra)
    return replace(source.body, lines=lines, payments=till.any_payment(lines))


def _other_method(source: Account, account: Account) -> Body:
    """The same bill, paid by voucher: without coins there is no rounding."""
    payment = Payment(1, "VOUCHER", due_minor(source.body.lines))
    return replace(source.body, payments=(payment,))


def _moved(source: Account) -> tuple[Line, ...]:
    """The first line and its extras."""
    first = source.body.lines[0]
    chosen = [line for line in source.body.lines if line is first or line.parent == first.number]
    return tuple(
        replace(line, number=place, parent=None if line.parent is None else 1)
        for place, line in enumerate(chosen, start=1)
    )


def _part(source: Account) -> Body:
    """What the moved lines alone would have been."""
    lines = _moved(source)
    method, due = source.body.payments[0].method, due_minor(lines)
    rounding = round_to_step(due, source.merchant.market.cash_step_minor) if method == "CASH" else 0
    return Body(lines, (Payment(1, method, due + rounding, rounding_minor=rounding),), covers=1)


def _part_back(source: Account, account: Account) -> Body:
    return _part(source).reversed()


def _part_again(source: Account, account: Account) -> Body:
    return _part(source)


CORRECTIONS: dict[str, tuple[Step, ...]] = {
    "refund": (Step("REFUND", _whole_back),),
    "refund_part": (Step("REFUND", _part_back, place=1),),
    "recall": (Step("RECALL", _whole_back), Step("RECALL", _more)),
    "update": (
        Step("UPDATE", _whole_back, place=BACK_OFFICE),
        Step("UPDATE", _other_method, place=BACK_OFFICE),
    ),
    "void": (Step("VOID", _whole_back),),
    "split": (Step("SPLIT", _part_back), Step("SPLIT", _part_again)),
    "transfer": (Step("TRANSFER", _whole_back), Step("TRANSFER", _again, place=1)),
    "cross_bl": (Step("CROSS_BL", _whole_back), Step("CROSS_BL", _again, is_elsewhere=True)),
}
