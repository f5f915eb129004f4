"""A merchant's book: every account in the order in which it was written, and how each came about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from sandbox.clock import DAY, HOUR, MINUTE, SECOND, Instant
from sandbox.ids import random_for
from sandbox.lightspeed.accounts import Account, Body, BodyMaker
from sandbox.lightspeed.chains import opened_at, place_of
from sandbox.lightspeed.corrections import CORRECTIONS, Step, is_correctable
from sandbox.lightspeed.days import business_date, day_begins, day_ends
from sandbox.lightspeed.names import BACK_OFFICE
from sandbox.lightspeed.recipes import RECIPES, fill
from sandbox.world import Merchant, Shop

NEVER: Instant = 1 << 60
_TYPES = {"cancel": "CANCEL", "unknown_type": "TASTING", "float_in": "FLOAT", "float_out": "FLOAT",
          "carried": "TRANSITORY"}  # fmt: skip
_BY_OFFICE = ("back_dated",)


class Book:
    """All accounts of a merchant, oldest entry first; ``revision`` counts changes."""

    def __init__(self, merchant: Merchant) -> None:
        """Opens an empty book."""
        self.merchant = merchant
        self.accounts: list[Account] = []
        self.revision = 0

    def write(
        self, shop: Shop, recipe: str, opened: Instant, closed: Instant, maker: BodyMaker = fill
    ) -> Account:
        """Writes one account; the vendor has it at once.

        Args:
            shop: where.
            recipe: of ``RECIPES`` or ``CORRECTIONS``; it decides the account's type.
            opened: when it was begun.
            closed: when it was closed.
            maker: makes its body.
        """
        number = len(self.accounts)
        account = Account(
            merchant=self.merchant,
            shop=shop,
            number=number,
            place=BACK_OFFICE if recipe in _BY_OFFICE else number % 2,
            recipe=recipe,
            kind=_TYPES.get(recipe, "SALE"),
            opened_at=opened,
            closed_at=closed,
            dated_at=closed,
            available_at=closed,
            maker=maker,
        )
        self.accounts.append(account)
        self.revision += 1
        return account

    def sell(self, shop: Shop, recipe: str, at: Instant, end_at: Instant) -> list[Account]:
        """Writes what a recipe books around an instant.

        Args:
            shop: where.
            recipe: of ``RECIPES`` or ``CORRECTIONS``; a correction that finds nothing becomes a plain sale.
            at: when it begins.
            end_at: nothing is closed later, and nothing but what is offline reaches the vendor later.
        """
        rng = random_for(self.merchant.seed, "account-times", self.merchant.key, len(self.accounts))
        if recipe in CORRECTIONS:
            found = self._correct(shop, recipe, at, rng)
            if found:
                return found
            recipe = "plain"
        if recipe == "transitory":
            return self._carry_over(shop, at, end_at)
        closed = min(at + rng.randint(15, 420) * SECOND + rng.randrange(1_000), end_at - 8 * SECOND)
        if recipe in ("before_day_start", "at_day_start"):
            edge = day_begins(shop, business_date(shop, at)) - (recipe == "before_day_start")
            closed = edge if edge > opened_at(self.merchant, shop) else closed
            at = closed - 40 * SECOND
        account = self.write(shop, recipe, at, closed)
        account.available_at = min(closed + rng.randrange(40, 6_000), end_at)
        self._shape(account, rng, end_at)
        if recipe == "twin":
            # The other till closes an account in the same millisecond.
            other = self.write(shop, recipe, at, closed)
            other.available_at = account.available_at
            return [account, other]
        return [account]

    def _shape(self, account: Account, rng: random.Random, end_at: Instant) -> None:
        """Gives an account the times and the state of its recipe."""
        recipe, closed = account.recipe, account.closed_at
        if recipe == "offline_late":
            account.available_at = min(closed + rng.randint(1, 40) * HOUR, end_at - 5 * MINUTE)
        elif recipe == "offline_pending":
            account.closed_at = account.dated_at = max(closed, end_at - DAY - rng.randint(1, 20) * HOUR)
            account.opened_at = account.closed_at - MINUTE
            account.available_at = NEVER
        elif recipe == "cancelled":
            account.is_cancelled = True
        elif recipe == "office_cancelled":
            cancel_by_office(account, min(closed + rng.randint(2, 60) * HOUR, end_at - 3 * MINUTE))
        elif recipe == "back_dated":
            earliest = opened_at(self.merchant, account.shop) + HOUR
            account.dated_at = min(closed, max(earliest, closed - rng.randint(30, 80) * HOUR))

    def _correct(self, shop: Shop, recipe: str, at: Instant, rng: random.Random) -> list[Account]:
        """Corrects an earlier account of the shop; every step is closed in the same millisecond."""
        steps = CORRECTIONS[recipe]
        elsewhere = [each for each in self.merchant.shops if each is not shop]
        elsewhere = [each for each in elsewhere if opened_at(self.merchant, each) < at]
        if any(step.is_elsewhere for step in steps) and not elsewhere:
            return []
        source = self._find_source(shop, at, rng.random())
        if source is None:
            return []
        source.is_corrected = True
        previous = source
        written: list[Account] = []
        for step in steps:
            place = elsewhere[0] if step.is_elsewhere else shop
            account = self.write(place, recipe, at - 30 * SECOND, at, _maker(step, source))
            account.kind, account.place = step.kind, step.place
            account.initial, account.previous = source, previous
            if step.place == BACK_OFFICE:
                account.dated_at = source.dated_at
            previous = account
            written.append(account)
        return written

    def _find_source(self, shop: Shop, at: Instant, random_number: float) -> Account | None:
        recent = self.accounts[-400:]
        start = int(random_number * len(recent))
        for account in (*recent[start:], *recent[:start]):
            is_known = account.shop is shop and max(account.closed_at, account.available_at) < at - MINUTE
            if is_known and is_correctable(account) and account.body.payments:
                return account
        return None

    def _carry_over(self, shop: Shop, at: Instant, end_at: Instant) -> list[Account]:
        """A bill that stays open over night: closed for the day, reversed and sold on the next one."""
        evening = day_ends(shop, business_date(shop, at)) - SECOND
        morning = evening + 3 * HOUR
        if morning > end_at - MINUTE:
            return self.sell(shop, "plain", at, end_at)
        carried = self.write(shop, "carried", at, evening)
        back = self.write(shop, "carried", evening, morning, lambda _: carried.body.reversed())
        sold = self.write(shop, "plain", evening, morning, lambda _: _paid(carried.body))
        for account, previous in ((back, carried), (sold, back)):
            account.initial, account.previous = carried, previous
        return [carried, back, sold]


def _maker(step: Step, source: Account) -> BodyMaker:
    return lambda account: step.fill(source, account)


def _paid(body: Body) -> Body:
    """The carried bill, paid by card."""
    return replace(body, payments=(replace(body.payments[0], method="CARD"),))


def cancel_by_office(account: Account, at: Instant) -> None:
    """Cancels an account in the back office: the newer API lists it on that day, the older on its own."""
    account.closed_at = at
    account.available_at = at
    account.is_cancelled = True


# What a shop books besides plain sales, in turn; corrections come after what they correct.
_FIRST = (
    "children_priced", "refund", "weighed", "recall", "line_discount", "void", "tip", "update",
    "charge_apportioned", "refund_part", "cross_bl", "account_discount", "split", "both_discounts",
    "transfer", "offline_pending", "transitory", "offline_late", "twin", "cancel", "unknown_type",
    "float_out", "at_day_start", "cancelled", "office_cancelled", "back_dated", "no_reference", "void_line",
    "zero_line", "split_payment", "receivable", "charge_untaxed", "tax_amount_only", "before_day_start",
)  # fmt: skip
_SPECIALS = (*_FIRST, *(name for name in RECIPES if name not in {*_FIRST, "plain", "carried"}))


def size_of(recipe: str) -> int:
    """How many accounts a recipe writes."""
    if recipe in CORRECTIONS:
        return len(CORRECTIONS[recipe])
    return {"twin": 2, "transitory": 3}.get(recipe, 1)


def open_book(merchant: Merchant, end_at: Instant) -> Book:
    """A book with the accounts of the world's four weeks, about as many as the merchant has sales.

    Args:
        merchant: whose book.
        end_at: the world's present.
    """
    recipes = _plan(merchant)
    rng = random_for(merchant.seed, "lightspeed-book", merchant.key)
    spans = [_span(merchant, shop, end_at) for shop in merchant.shops]
    slots = sorted(_slot(merchant, spans, rng, end_at) for _ in recipes)
    book = Book(merchant)
    for (at, place), recipe in zip(slots, recipes, strict=True):
        book.sell(merchant.shops[place], recipe, at, end_at)
    return book


def _plan(merchant: Merchant) -> Sequence[str]:
    """The recipes of the book, in order, for as many accounts as there are to be."""
    count = merchant.order_count
    specials = min(max(count // 5, min(count * 3 // 4, 60)), 4_000)
    plan: list[str] = []
    written = turn = 0
    # Small books hold only part of them, so each chain begins elsewhere.
    offset = place_of(merchant) * 20 if count < 2 * len(_SPECIALS) else 0
    while written < count:
        number = len(plan)
        recipe = "plain"
        if number * specials // count != (number + 1) * specials // count:
            recipe = _SPECIALS[(turn + offset) % len(_SPECIALS)]
            turn += 1
        if written + size_of(recipe) > count:
            recipe = "plain"
        plan.append(recipe)
        written += size_of(recipe)
    return plan


def _span(merchant: Merchant, shop: Shop, end_at: Instant) -> tuple[Instant, date, int]:
    """When a shop's first sale can be, its last business day, and how many days lie between."""
    first, last = opened_at(merchant, shop) + 2 * HOUR, business_date(shop, end_at)
    return first, last, (last - business_date(shop, first)).days


def _slot(
    merchant: Merchant, spans: Sequence[tuple[Instant, date, int]], rng: random.Random, end_at: Instant
) -> tuple[Instant, int]:
    """A time and the shop's place; some sales are made in the night, before the business day begins."""
    place = rng.randrange(len(merchant.shops))
    shop, (first, last, days) = merchant.shops[place], spans[place]
    is_night = rng.random() < 0.03
    hours = shop.closes_hour - shop.opens_hour
    into_day = int(rng.uniform(300, 12_000)) if is_night else int(rng.triangular(0, hours * 3_600))
    milliseconds = rng.randrange(1_000)
    for back in (rng.randrange(days + 1), rng.randrange(1, days), 1):
        day = last - timedelta(days=back)
        at = shop.local(day, 0 if is_night else shop.opens_hour, into_day) + milliseconds
        if first < at < end_at - 15 * MINUTE:
            break
    return at, place
