"""A merchant's book: four weeks of orders with their times, and what is sold on demand."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.clock import HOUR, MINUTE, SECOND, Instant
from sandbox.ids import random_for
from sandbox.toast.config import Configuration
from sandbox.toast.corrected import RECIPES, fill
from sandbox.toast.names import closeout_after, closeout_hour
from sandbox.toast.records import Order
from sandbox.world import WORLD_DAYS, Merchant, Shop

_SOLD = ("plain", "modifiers", "plain", "split_payments", "plain", "check_discounts", "plain", "gratuity")
_SPECIALS = tuple(name for name in RECIPES if name != "plain")
_CARD_RATE = 0.65
# The world's last day is a busy one, so that its closeout is a burst.
_TODAY_RATE = 0.06


class Book:
    """Everything a merchant has sold; ``revision`` rises with every change."""

    def __init__(self, merchant: Merchant, end_at: Instant) -> None:
        """Writes four weeks of orders, some of them not plain.

        Args:
            merchant: whose book.
            end_at: the world's present; nothing is begun later.
        """
        self.merchant = merchant
        self.configuration = Configuration(merchant)
        self.orders: list[Order] = []
        self.revision = 0
        count = merchant.order_count
        specials = min(max(count // 6, min(count * 3 // 4, len(_SPECIALS))), 4_000)
        rng = random_for(merchant.seed, "book", merchant.key)
        slots = sorted(_slot(merchant, rng, end_at) for _ in range(count))
        # A small merchant meets only some of the recipes; the next one goes on where it stopped.
        turn = int(merchant.key.rpartition("-")[2]) * specials
        for number, (opened_at, place) in enumerate(slots):
            recipe = "plain"
            if number * specials // count != (number + 1) * specials // count:
                recipe = _SPECIALS[turn % len(_SPECIALS)]
                turn += 1
            self.add(merchant.shops[place], recipe, opened_at, end_at)

    def add(self, shop: Shop, recipe: str, opened_at: Instant, end_at: Instant) -> Order:
        """Writes one order into the book.

        Args:
            shop: where it was made.
            recipe: of ``RECIPES``.
            opened_at: when it was begun, at least 15 minutes before ``end_at``.
            end_at: nothing happens to it later.
        """
        order = Order(self.merchant, shop, len(self.orders), recipe, opened_at, fill)
        _set_times(order, random_for(self.merchant.seed, "times", order.key), end_at)
        self.orders.append(order)
        self.revision += 1
        return order

    def change(self, order: Order, at: Instant) -> None:
        """Notes a change of an order."""
        order.touch(at)
        self.revision += 1

    def sell(self, count: int, now: Instant) -> list[Order]:
        """Sells some more, a few seconds ago: it is found later than its time of change tells."""
        sold = []
        for _ in range(count):
            number = len(self.orders)
            rng = random_for(self.merchant.seed, "sell", self.merchant.key, number)
            shop = rng.choice([shop for shop in self.merchant.shops if shop.is_active])
            opened_at = now - rng.randint(30, 200) * SECOND
            order = Order(self.merchant, shop, number, _SOLD[number % len(_SOLD)], opened_at, fill)
            order.is_card = rng.random() < _CARD_RATE
            order.paid_at = order.event_at = order.late_at = now - 12 * SECOND
            order.modified_at = now - rng.randrange(6_000, 10_000)
            self.orders.append(order)
            self.revision += 1
            sold.append(order)
        return sold


def next_closeout(order: Order) -> Instant:
    """When the cards of an order are captured: some minutes after its business day has ended."""
    at = closeout_after(order.merchant, order.shop, order.paid_at)
    return at + (order.number * 7_919 % 1_200) * SECOND + 24


def _slot(merchant: Merchant, rng: random.Random, end_at: Instant) -> tuple[Instant, int]:
    place = rng.randrange(len(merchant.shops))
    shop = merchant.shops[place]
    if rng.random() < _TODAY_RATE:
        today = merchant.first_day + timedelta(days=WORLD_DAYS)
        return rng.randrange(shop.local(today, shop.opens_hour), end_at - 15 * MINUTE), place
    day = rng.randrange(WORLD_DAYS + 1)
    # Nights on both sides of the closeout hour, which ends the business day.
    is_night = rng.random() < 0.06
    hours = shop.closes_hour - shop.opens_hour
    into_day = int(rng.triangular(0, hours * 3_600, hours * 1_000))
    if is_night:
        into_day = rng.randrange(300, closeout_hour(merchant, shop) * 3_600 + 3_600)
    milliseconds = rng.randrange(1_000)
    first = 0 if is_night else shop.opens_hour
    for each in (day, day - 1, 0):
        local_day = merchant.first_day + timedelta(days=max(each, 0))
        opened_at = shop.local(local_day, first, into_day) + milliseconds
        if opened_at < end_at - 15 * MINUTE:
            break
    return opened_at, place


def _set_times(order: Order, rng: random.Random, end_at: Instant) -> None:
    """Sets when an order was paid, given back or undone, closed out, and so changed last."""
    recipe = RECIPES[order.recipe]
    order.is_card = recipe.money == "card" or (recipe.money == "either" and rng.random() < _CARD_RATE)
    busy = rng.randint(15, 420) * SECOND + rng.randrange(1_000)
    order.paid_at = min(order.opened_at + busy, end_at - 8 * MINUTE)
    order.modified_at = order.paid_at + rng.randrange(10_000, 14_000)
    if recipe.money == "none":
        order.modified_at = order.opened_at + rng.randrange(160, 4_000)
    order.event_at = order.late_at = order.paid_at
    if recipe.event == "soon":
        order.event_at = min(order.paid_at + rng.randint(2, 40) * MINUTE, end_at - 2 * MINUTE)
    elif recipe.event == "later":
        order.event_at = min(order.paid_at + rng.randint(2, 150) * HOUR, end_at - 5 * MINUTE)
        order.late_at = min(order.event_at + rng.randint(20, 50) * HOUR, end_at - 2 * MINUTE)
    if recipe.event != "none":
        order.modified_at = max(order.event_at, order.late_at) + rng.randrange(4_000, 9_000)
    if order.is_card and next_closeout(order) <= end_at:
        order.closeout_at = next_closeout(order)
        order.modified_at = max(order.modified_at, order.closeout_at)
