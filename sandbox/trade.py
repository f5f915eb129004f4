"""Four weeks of trade: when each sale was made, by which recipe, and when it was last changed."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.clock import DAY, HOUR, MINUTE, SECOND, Instant
from sandbox.ids import random_for
from sandbox.recipes import RECIPES, fill
from sandbox.returns import SOURCES, fill_return, find_sources
from sandbox.sales import Sale
from sandbox.world import WORLD_DAYS, Merchant, Shop

_DAY = timedelta(days=1)
NEVER: Instant = 1 << 60

# What a merchant meets besides plain sales, in turn; returns come after what they give back.
_SPECIALS = (
    *(name for name in RECIPES if name != "plain"),
    *SOURCES,
)
_OPEN = ("open_unpaid", "open_authorized", "pickup_waiting", "draft")
_LATE = ("offline", "offline_untold", "offline_partly")
_SOLD = ("plain", "modifiers", "plain", "split", "plain", "order_discount", "plain", "gratuity")


def open_books(merchant: Merchant, end_at: Instant) -> None:
    """Fills a merchant's book with the sales of the world's four weeks, some of them not plain.

    Args:
        merchant: whose book.
        end_at: the world's present; nothing is begun later.
    """
    count = merchant.order_count
    specials = min(max(count // 6, min(count * 3 // 4, 45)), 4_000)
    rng = random_for(merchant.seed, "book", merchant.key)
    slots = sorted(_slot(merchant, rng, end_at) for _ in range(count))
    nights = _clock_changes(merchant) if count >= 40 else []
    slots[: len(nights)] = nights
    slots.sort()
    offset = int(merchant.key.rpartition("-")[2]) * 11 if count < len(_SPECIALS) else 0
    turn = 0
    for number, (opened_at, place) in enumerate(slots):
        recipe = "plain"
        is_special = number * specials // count != (number + 1) * specials // count
        if is_special and (opened_at, place) not in nights:
            recipe = _SPECIALS[(turn + offset) % len(_SPECIALS)]
            turn += 1
        add_sale(merchant, merchant.shops[place], recipe, opened_at, end_at)


def add_sale(merchant: Merchant, shop: Shop, recipe: str, opened_at: Instant, end_at: Instant) -> Sale:
    """Writes one sale into a merchant's book.

    Args:
        merchant: whose book.
        shop: where; a return is made where its source was.
        recipe: of ``RECIPES`` or ``SOURCES``; a return without a source becomes a plain sale.
        opened_at: when it was begun.
        end_at: nothing is closed or changed later, but what is still offline.
    """
    number = len(merchant.sales)
    rng = random_for(merchant.seed, "times", merchant.key, number)
    sources: list[Sale] = []
    if recipe in SOURCES:
        sources = find_sources(recipe, merchant.sales, rng.random(), opened_at)
        if not sources and recipe != "refund_unlinked":
            recipe = "plain"
    sale = Sale(merchant, shop, number, recipe, opened_at, fill)
    sale.has_version = rng.random() > 0.12
    sale.version = rng.randint(2, 8)
    _set_times(sale, rng, end_at)
    if recipe in SOURCES:
        sale.kind = "exchange" if recipe.startswith("exchange") else "return"
        sale.shop = sources[0].shop if sources else shop
        chosen = tuple(sources)
        body = fill_return(sale, chosen)
        sale.keep(body)
    elif recipe == "drawer":
        sale.kind = "other"
    merchant.sales.append(sale)
    merchant.revision += 1
    return sale


def sell(merchant: Merchant, count: int, now: Instant) -> list[Sale]:
    """Sells some more; what is sold now is the newest change, whatever the till's own pace."""
    shops = [shop for shop in merchant.shops if shop.is_active]
    sold = []
    for _ in range(count):
        rng = random_for(merchant.seed, "sell", merchant.key, len(merchant.sales))
        closed_at = now - 12 * SECOND
        recipe = _SOLD[len(merchant.sales) % len(_SOLD)]
        opened_at = closed_at - rng.randint(20, 200) * SECOND
        sale = add_sale(merchant, rng.choice(shops), recipe, opened_at, now)
        sale.closed_at = closed_at
        sale.updated_at = now // SECOND * SECOND if rng.random() < 0.5 else now
        sale.available_at = now
        sold.append(sale)
    return sold


def _clock_changes(merchant: Merchant) -> list[tuple[Instant, int]]:
    """Night sales around the days on which the first shop's clocks change."""
    shop = merchant.shops[0]
    days = [merchant.first_day + timedelta(days=each) for each in range(WORLD_DAYS)]
    changed = [day for day in days if shop.local(day + _DAY, 0) - shop.local(day, 0) != DAY]
    return [
        (instant, 0)
        for day in changed
        for instant in (shop.local(day, 0, 1_500), shop.local(day, 4), shop.local(day, 23, 3_300))
    ]


def _slot(merchant: Merchant, rng: random.Random, end_at: Instant) -> tuple[Instant, int]:
    place = rng.randrange(len(merchant.shops))
    shop = merchant.shops[place]
    last_day = WORLD_DAYS if shop.is_active else 10
    day = rng.randrange(last_day + 1)
    is_night = rng.random() < 0.02
    hours = shop.closes_hour - shop.opens_hour
    into_day = int(rng.triangular(0, hours * 3_600, hours * 1_000))
    if is_night:
        into_day = int(rng.uniform(300, 12_000))
    milliseconds = rng.randrange(1_000)
    first = 0 if is_night else shop.opens_hour
    for each in (day, day - 1, 0):
        local_day = merchant.first_day + timedelta(days=max(each, 0))
        opened_at = shop.local(local_day, first, into_day) + milliseconds
        if opened_at < end_at - 15 * MINUTE:
            break
    return opened_at, place


def _set_times(sale: Sale, rng: random.Random, end_at: Instant) -> None:
    """Sets state and times by recipe; vendors often cut a time of change down to the second."""
    busy = rng.randint(15, 420) * SECOND + rng.randrange(1_000)
    closed_at = min(sale.opened_at + busy, end_at - 8 * SECOND)
    changed_at = closed_at + rng.randrange(40, 6_000)
    sale.closed_at = closed_at
    if sale.recipe in _OPEN:
        sale.state = "draft" if sale.recipe == "draft" else "open"
        sale.closed_at = None
    elif sale.recipe.startswith("canceled"):
        sale.state, changed_at = "canceled", closed_at
    elif sale.recipe == "pickup_done":
        later = sale.opened_at + rng.randint(20, 250) * HOUR
        sale.closed_at = min(later, end_at - rng.randint(1, 9) * MINUTE)
        changed_at = sale.closed_at + rng.randrange(40, 900)
    elif sale.recipe in _LATE:
        upload(sale, min(sale.opened_at + rng.randint(1, 70) * HOUR, end_at - 5 * MINUTE))
        return
    elif sale.recipe == "offline_pending":
        # Sold in the world's last two days, still on the shop's device.
        sale.opened_at = max(sale.opened_at, end_at - DAY - rng.randint(1, 23) * HOUR)
        sale.closed_at, sale.updated_at, sale.available_at = None, NEVER, NEVER
        return
    is_cut = rng.random() < 0.55
    sale.updated_at = changed_at // SECOND * SECOND if is_cut else changed_at
    sale.available_at = changed_at


def upload(sale: Sale, at: Instant) -> None:
    """Brings an offline sale to the vendor, which closes it."""
    sale.closed_at = at
    sale.available_at = at + 900
    sale.updated_at = (at + 900) // SECOND * SECOND
    sale.merchant.revision += 1
