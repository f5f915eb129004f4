"""Rounds of edits, in which about a day passes, and sales on demand."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sandbox.clock import HOUR, MINUTE, SECOND, Instant
from sandbox.ids import random_for
from sandbox.lightspeed.accounts import Account
from sandbox.lightspeed.book import NEVER, Book, cancel_by_office
from sandbox.lightspeed.corrections import is_correctable
from sandbox.lightspeed.days import business_date
from sandbox.world import ProductChange, Shop

_NEW = ("plain", "tip", "charge_apportioned", "plain", "offline_pending", "surcharge", "weighed",
        "back_dated", "twin", "unknown_type", "cancel", "float_out")  # fmt: skip
_CORRECTED = ("refund", "recall", "update", "void", "split", "transfer", "cross_bl", "refund_part")
_ON_DEMAND = ("plain", "children_priced", "plain", "weighed", "tip", "plain", "line_discount", "surcharge")


@dataclass(slots=True)
class Edited:
    """What one round did."""

    changed: list[Account] = field(default_factory=list)
    created: list[Account] = field(default_factory=list)


def run_round(book: Book, number: int, start_at: Instant, end_at: Instant) -> Edited:
    """Applies one round of edits to one merchant's book.

    Args:
        book: whose accounts change.
        number: of the round, from 1.
        start_at: when it begins; nothing changes earlier.
        end_at: when it ends.
    """
    edit = _Round(book, number, start_at, end_at)
    edit.sync_tills()
    edit.cancel_today()
    edit.cancel_in_office()
    edit.sell()
    edit.correct()
    edit.rework_shelf()
    return edit.edited


def change_one(book: Book, at: Instant) -> Account | None:
    """The back office cancels some account that nobody has corrected: it is listed as of now."""
    accounts = [
        each for each in book.accounts if is_correctable(each) and max(each.closed_at, each.available_at) < at
    ]
    if not accounts:
        return None
    chosen = random_for(book.merchant.seed, "change", book.merchant.key, book.revision).choice(accounts)
    cancel_by_office(chosen, at)
    book.revision += 1
    return chosen


class _Round:
    def __init__(self, book: Book, number: int, start_at: Instant, end_at: Instant) -> None:
        self.book = book
        self.merchant = book.merchant
        self.number = number
        self.start_at = start_at
        self.end_at = end_at
        self.random: random.Random = random_for(self.merchant.seed, "round", number, self.merchant.key)
        self.edited = Edited()
        self.size = 1 + len(book.accounts) // 400

    def instant(self) -> Instant:
        """Some time of the round, far enough from its ends."""
        return self.random.randrange(self.start_at + 5 * MINUTE, self.end_at - 20 * MINUTE)

    def correctable(self) -> list[Account]:
        """Accounts that the vendor had before the round and that nobody has corrected."""
        return [
            account
            for account in self.book.accounts
            if is_correctable(account) and max(account.closed_at, account.available_at) < self.start_at
        ]

    def sync_tills(self) -> None:
        """Tills come back on line and bring what they sold, with the time at which they sold it."""
        for account in self.book.accounts:
            if account.available_at == NEVER:
                account.available_at = self.instant()
                self.edited.created.append(account)
        self.book.revision += 1

    def cancel_today(self) -> None:
        """A till cancels accounts of the day that is still going on: the flag changes, the time does not."""
        today = [
            account
            for account in self.correctable()
            if business_date(account.shop, account.closed_at) == business_date(account.shop, self.start_at)
        ]
        for account in today[: 2 * self.size]:
            account.is_cancelled = True
            self.edited.changed.append(account)

    def cancel_in_office(self) -> None:
        """The back office cancels older accounts: they are listed under today's date from now on."""
        before = [each for each in self.correctable() if each.closed_at < self.start_at - 48 * HOUR]
        for account in self.random.sample(before, min(len(before), self.size)):
            cancel_by_office(account, self.instant())
            self.edited.changed.append(account)
        self.book.revision += 1

    def sell(self) -> None:
        """The round's new accounts."""
        times = sorted(self.instant() for _ in range(min(40, 6 + len(self.book.accounts) // 60)))
        for place, at in enumerate(times):
            recipe = _NEW[(place + self.number) % len(_NEW)]
            self.write(self.random.choice(self.merchant.shops), recipe, at)

    def correct(self) -> None:
        """Corrections of earlier accounts, some from before the round."""
        times = sorted(self.instant() for _ in range(len(_CORRECTED) // 2 * self.size))
        for place, at in enumerate(times):
            recipe = _CORRECTED[(place + self.number * 4) % len(_CORRECTED)]
            self.write(self.random.choice(self.merchant.shops), recipe, at)

    def write(self, shop: Shop, recipe: str, at: Instant) -> None:
        """Writes accounts; what is still on a till is not created yet."""
        written = self.book.sell(shop, recipe, at, self.end_at)
        self.edited.created += [account for account in written if account.available_at != NEVER]

    def rework_shelf(self) -> None:
        """One product is renamed; what was sold before keeps its name."""
        shelf = [each for each in self.merchant.on_sale(self.start_at) if not each.is_weighed]
        product = shelf[self.number % 2]
        name = f"{product.current.name.split(' No. ')[0]} No. {self.number + 1}"
        self.merchant.change_product(product, ProductChange(self.end_at, name, product.current.sku))


def sell_now(book: Book, count: int, now: Instant) -> list[Account]:
    """Sells some more; closed a few seconds ago, and known to the vendor only now."""
    sold: list[Account] = []
    for _ in range(count):
        number = len(book.accounts)
        rng = random_for(book.merchant.seed, "sell-now", book.merchant.key, number)
        closed = now - 12 * SECOND
        account = book.write(
            rng.choice(book.merchant.shops),
            _ON_DEMAND[number % len(_ON_DEMAND)],
            closed - rng.randint(20, 200) * SECOND,
            closed,
        )
        account.available_at = now
        sold.append(account)
    return sold
