"""Rounds of edits: about a day passes, its cards are captured, and earlier orders change."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.clock import HOUR, MINUTE, SECOND, Instant
from sandbox.ids import random_for
from sandbox.pricing import divide_half_even
from sandbox.toast.book import Book, next_closeout
from sandbox.toast.corrected import RECIPES
from sandbox.toast.corrections import close_out, combine, give_back, void_order, void_selection
from sandbox.toast.pricing import price
from sandbox.toast.records import Check, Order, Payment

_SPECIALS = tuple(name for name in RECIPES if name not in ("plain", "tables_to_combine"))
_MARGIN = 20 * MINUTE


@dataclass(slots=True)
class Edited:
    """What one round did to one merchant."""

    changed: list[Order] = field(default_factory=list)
    created: list[Order] = field(default_factory=list)


def run_round(book: Book, number: int, start_at: Instant, end_at: Instant) -> Edited:
    """Applies one round of edits to one merchant's book.

    Args:
        book: whose orders change.
        number: of the round, from 1.
        start_at: when it begins; nothing changes earlier.
        end_at: when it ends, more than half an hour later.
    """
    edit = _Round(book, number, start_at, end_at)
    edit.adjust_tips()
    edit.combine_tables()
    edit.settle_tables()
    edit.accept_future_orders()
    edit.give_back()
    edit.undo()
    edit.write_tabs()
    edit.sell()
    edit.close_days()
    edit.publish_configuration()
    unique = {order.number: order for order in edit.edited.changed}
    created = {order.number for order in edit.edited.created}
    edit.edited.changed = [order for key, order in sorted(unique.items()) if key not in created]
    return edit.edited


def _is_settled(order: Order) -> bool:
    """Whether no card of an order waits for its closeout."""
    return not order.is_card or order.closeout_at is not None


def change_one(book: Book, at: Instant) -> Order | None:
    """Raises the tip of some order, among those that can still change."""
    rng = random_for(book.merchant.seed, "change", book.merchant.key, book.revision)
    orders = (
        order
        for order in rng.sample(book.orders, len(book.orders))
        if order.recipe == "plain" and order.closeout_at is not None and order.modified_at < at
    )
    chosen = next((order for order in orders if _is_paid_by_card(order)), None)
    if chosen is not None:
        check = chosen.body.checks[0]
        payment = check.payments[0]
        payment.tip_minor += max(1, divide_half_even(payment.amount_minor * 12, 100))
        check.changed_at = at
        book.change(chosen, at)
    return chosen


def _is_paid_by_card(order: Order) -> bool:
    """Whether one card has paid all of an order, which nobody has given back or undone."""
    body, (check, *more) = order.body, order.body.checks
    is_whole = not more and check.deleted_at is None and body.voided_at is None and body.deleted_at is None
    return is_whole and [(each.status, each.refund) for each in check.payments] == [("CAPTURED", None)]


class _Round:
    def __init__(self, book: Book, number: int, start_at: Instant, end_at: Instant) -> None:
        self.book = book
        self.number = number
        self.start_at = start_at
        self.end_at = end_at
        merchant = book.merchant
        self.random: random.Random = random_for(merchant.seed, "round", number, merchant.key)
        self.edited = Edited()
        self.size = 1 + len(book.orders) // 400
        self.known = [order for order in book.orders if order.modified_at < start_at]
        self.random.shuffle(self.known)

    def instant(self) -> Instant:
        """Some time of the round, far enough from its ends."""
        return self.random.randrange(self.start_at + MINUTE, self.end_at - _MARGIN)

    def change(self, order: Order, at: Instant, check: Check | None = None) -> None:
        """Notes a change of an order, and of one of its checks."""
        if check is not None:
            check.changed_at = max(check.changed_at, at)
        self.book.change(order, at + self.random.randrange(20, 900))
        self.edited.changed.append(order)

    def take(self, count: int, *recipes: str, wanted: Callable[[Order], bool] = _is_settled) -> list[Order]:
        """Orders of some recipes that nobody has changed yet, each given out once in a round.

        Args:
            count: at most so many.
            recipes: of ``RECIPES``.
            wanted: which of them; those whose cards are captured when nothing is said.
        """
        found = [
            order for order in self.known if order.recipe in recipes and order.revision == 0 and wanted(order)
        ]
        chosen = found[:count]
        self.known = [order for order in self.known if order not in chosen]
        return chosen

    def adjust_tips(self) -> None:
        """Tips are written on the slip before the day is closed out."""
        recipes = ("plain", "surcharge", "modifiers")
        for order in self.take(2 * self.size, *recipes, wanted=lambda each: not _is_settled(each)):
            last_at = min(next_closeout(order), self.end_at - _MARGIN)
            check = order.body.checks[0]
            waiting = [each for each in check.payments if each.status == "AUTHORIZED"]
            if waiting and self.start_at + MINUTE < last_at:
                at = self.random.randrange(self.start_at + MINUTE, last_at)
                waiting[0].tip_minor += max(1, divide_half_even(waiting[0].amount_minor * 12, 100))
                self.change(order, at, check)

    def combine_tables(self) -> None:
        """Two checks become one; the order lists the other one no more."""
        for order in self.take(2 * self.size, "tables_to_combine"):
            at, (target, source) = self.instant(), order.body.checks
            combine(order.body, source, target, at)
            price(target)
            self.change(order, at, target)

    def settle_tables(self) -> None:
        """Open checks are paid in cash at last, one after a line was voided; one is paid in part."""
        for place, order in enumerate(self.take(3 * self.size, "open_unpaid")):
            at, check = self.instant(), order.body.checks[0]
            if place % 3 == 1 and len(check.selections) > 1:
                void_selection(check.selections[0], at - 30 * SECOND)
                price(check)
            self.pay(order, check, at, is_partial=place % 3 == 2)

    def pay(self, order: Order, check: Check, at: Instant, *, is_partial: bool = False) -> None:
        """Takes cash for a check."""
        amount = check.open_minor // 2 if is_partial else check.open_minor
        key = f"{check.key}-round-{self.number}"
        check.payments.append(Payment(key, "CASH", amount, 0, at, tendered_minor=amount))
        check.paid_at = at
        if not is_partial:
            check.payment_status, check.closed_at = "CLOSED", at + 30
        self.change(order, at + 40, check)

    def accept_future_orders(self) -> None:
        """Orders for another day are prepared; what was not paid is paid when it is fetched."""
        for order in self.take(2 * self.size, "unpaid_future", "prepaid_future"):
            at, body = self.instant(), order.body
            body.approval = "APPROVED"
            check = body.checks[0]
            if check.payment_status == "OPEN":
                self.pay(order, check, at)
            else:
                self.change(order, at, check)

    def give_back(self) -> None:
        """Refunds of earlier orders: a line, an amount, a tip with a line."""
        for place, order in enumerate(self.take(3 + 3 * self.size, "plain", "online", "modifiers")):
            at, check = self.instant(), order.body.checks[0]
            payment = check.payments[0]
            way = (place + self.number) % 3
            transaction = f"round-{self.number}"
            if way == 0:
                give_back(check, [(payment, at)], transaction, extra_minor=payment.amount_minor // 4 + 1)
            else:
                tip = payment.tip_minor if way == 2 else 0
                lines = check.selections[:1]
                give_back(check, [(payment, at)], transaction, selections=lines, tip_minor=tip)
            self.change(order, at, check)

    def undo(self) -> None:
        """One order is voided, one deleted, one opened again, one check deleted."""
        for order in self.take(1, "plain", wanted=lambda each: not each.is_card):
            at = self.instant()
            void_order(order.body, at)
            self.change(order, at)
        for order in self.take(1, "plain", "weighed", "open_item"):
            order.body.deleted_at = at = self.instant()
            self.change(order, at)
        for order in self.take(1, "plain", "tax_exempt", "tax_fixed"):
            check = order.body.checks[0]
            check.payment_status, check.closed_at = "OPEN", None
            self.change(order, self.instant(), check)
        for order in self.take(1, "split_checks"):
            check = order.body.checks[2]
            check.deleted_at = at = self.instant()
            self.change(order, at, check)

    def write_tabs(self) -> None:
        """Changes that touch no money."""
        for order in self.take(2 * self.size, "plain", "check_discounts"):
            check = order.body.checks[0]
            check.tab = f"Kim Example, table {self.number}"
            self.change(order, self.instant(), check)

    def sell(self) -> None:
        """The day's new orders, every second one not plain."""
        shops = [shop for shop in self.book.merchant.shops if shop.is_active]
        for place in range(min(40, 6 + len(self.book.orders) // 100)):
            recipe = "plain" if place % 2 else _SPECIALS[(self.number * 11 + place // 2) % len(_SPECIALS)]
            order = self.book.add(self.random.choice(shops), recipe, self.instant(), self.end_at)
            self.edited.created.append(order)

    def close_days(self) -> None:
        """The nightly burst: cards are captured after the closeout hour, which changes every order."""
        for order in self.book.orders:
            if _is_settled(order):
                continue
            at = next_closeout(order)
            if at <= self.end_at and close_out(order.body, at):
                order.closeout_at = at
                self.book.change(order, at)
                self.edited.changed.append(order)

    def publish_configuration(self) -> None:
        """Names change: a discount, a category, a restaurant."""
        configuration, merchant = self.book.configuration, self.book.merchant
        at = self.start_at + 2 * HOUR + 123
        configuration.rename("discounts", "staff", f"Staff {self.number}", at)
        configuration.rename("salesCategories", "pastry", f"Pastry No. {self.number}", at + MINUTE)
        shop = merchant.shops[self.number % len(merchant.shops)]
        shop.name = f"{shop.name.split(' (')[0]} ({self.number})"
        shop.updated_at = at
        self.book.revision += 1
