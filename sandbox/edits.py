"""Rounds of edits: about a day passes, and shops change what they sold before."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sandbox.clock import HOUR, MINUTE, Instant
from sandbox.ids import random_for
from sandbox.pricing import divide_half_even
from sandbox.sales import Sale
from sandbox.trade import NEVER, add_sale, upload
from sandbox.world import Merchant, ProductChange

_NEW_RECIPES = ("plain", "gratuity", "plain", "offline", "surcharge", "plain", "pickup_waiting")
_NEW_RETURNS = ("refund_amount", "refund_items", "exchange_up", "refund_pending", "refund_charges")


@dataclass(slots=True)
class Edited:
    """What one round did to one merchant."""

    changed: list[Sale] = field(default_factory=list)
    created: list[Sale] = field(default_factory=list)


def length_of(seed: int, number: int) -> int:
    """How long a round lasts, in milliseconds: about a day."""
    return random_for(seed, "round", number).randint(20 * 60, 28 * 60) * MINUTE


def run_round(merchant: Merchant, number: int, start_at: Instant, end_at: Instant) -> Edited:
    """Applies one round of edits to one merchant.

    Args:
        merchant: whose sales change.
        number: of the round, from 1.
        start_at: when it begins; nothing changes earlier.
        end_at: when it ends.
    """
    edit = _Round(merchant, number, start_at, end_at)
    edit.upload_offline()
    edit.hand_over_pickups()
    edit.settle_refunds()
    edit.raise_tips()
    edit.write_notes()
    edit.sell()
    edit.give_back()
    edit.rework_catalog()
    unique = {sale.number: sale for sale in edit.edited.changed}
    created = {sale.number for sale in edit.edited.created}
    edit.edited.changed = [sale for key, sale in sorted(unique.items()) if key not in created]
    return edit.edited


def change_one(merchant: Merchant, at: Instant) -> Sale | None:
    """Raises the tip of some sale, among those that can still change."""
    rng = random_for(merchant.seed, "change", merchant.key, merchant.revision)
    sales = (
        sale
        for sale in rng.sample(merchant.sales, len(merchant.sales))
        if sale.recipe == "plain" and not sale.is_refunded and max(sale.updated_at, sale.available_at) < at
    )
    chosen = next((sale for sale in sales if sale.body.tenders[0].method == "card"), None)
    if chosen is not None:
        _raise_tip(chosen, at)
        chosen.touch(at)
    return chosen


def _raise_tip(sale: Sale, at: Instant) -> None:
    """Writes a tip on the slip of a sale that one card has paid."""
    tender = sale.body.tenders[0]
    more = max(1, divide_half_even(tender.amount_minor * 12, 100))
    sale.body.basket.tip_minor += more
    tender.tip_minor += more
    tender.updated_at = at


class _Round:
    def __init__(self, merchant: Merchant, number: int, start_at: Instant, end_at: Instant) -> None:
        self.merchant = merchant
        self.number = number
        self.start_at = start_at
        self.end_at = end_at
        self.random: random.Random = random_for(merchant.seed, "round", number, merchant.key)
        self.edited = Edited()
        self.size = 1 + len(merchant.sales) // 400

    def instant(self) -> Instant:
        """Some time of the round, far enough from its ends."""
        return self.random.randrange(self.start_at + MINUTE, self.end_at - 20 * MINUTE)

    def change(self, sale: Sale, at: Instant) -> None:
        """Notes a change at a time that may be cut down to the second."""
        sale.touch(at // 1_000 * 1_000 if self.random.random() < 0.5 else at)
        self.edited.changed.append(sale)

    def finished(self) -> list[Sale]:
        """Plain sales that are closed, paid by one card and never given back, at random."""
        sales = [
            sale
            for sale in self.merchant.sales
            if sale.recipe == "plain" and not sale.is_refunded and sale.available_at < self.start_at
        ]
        chosen = self.random.sample(sales, min(len(sales), 12 * self.size))
        return [sale for sale in chosen if sale.body.tenders[0].method == "card"]

    def upload_offline(self) -> None:
        """Devices come back and bring what they sold."""
        for sale in self.merchant.sales:
            if sale.available_at == NEVER:
                upload(sale, self.instant())
                self.edited.created.append(sale)

    def hand_over_pickups(self) -> None:
        """Goods paid before are fetched: the sale is completed only now."""
        waiting = [sale for sale in self.merchant.sales if sale.recipe == "pickup_waiting"]
        waiting = [sale for sale in waiting if sale.state == "open"]
        for sale in waiting[: 2 * self.size]:
            at = self.instant()
            pickup = sale.body.pickup
            if pickup is not None:
                pickup.handed_over_at = at
            sale.state, sale.closed_at = "completed", at
            self.change(sale, at + 350)

    def settle_refunds(self) -> None:
        """Pending refunds fail or go through; some returns never hear of it."""
        for sale in self.merchant.sales:
            if sale.recipe not in ("refund_pending", "refund_late_failure"):
                continue
            for refund in sale.body.refunds:
                if refund.state != "pending":
                    continue
                at = self.instant()
                is_told = sale.recipe == "refund_pending"
                refund.state = "completed" if is_told and sale.number % 2 else "failed"
                refund.updated_at = at
                if refund.tender is not None:
                    refund.tender.updated_at = at
                self.merchant.revision += 1
                if is_told:
                    refund.listed_state = refund.state
                    self.change(sale, at + 700)
                else:
                    self.edited.changed.append(sale)

    def raise_tips(self) -> None:
        """Tips written on the slip are added after closing."""
        for sale in self.finished()[: 2 * self.size]:
            at = self.instant()
            _raise_tip(sale, at)
            self.change(sale, at + 1_250)

    def write_notes(self) -> None:
        """Changes that touch no money."""
        for sale in self.finished()[: 2 * self.size]:
            sale.body.note = f"Allergy: hazelnut, ask Kim Example ({self.number})"
            self.change(sale, self.instant())

    def sell(self) -> None:
        """The day's new sales."""
        shops = [shop for shop in self.merchant.shops if shop.is_active]
        for place in range(min(40, 4 + len(self.merchant.sales) // 100)):
            recipe = _NEW_RECIPES[place % len(_NEW_RECIPES)]
            shop = self.random.choice(shops)
            at = self.instant()
            self.edited.created.append(add_sale(self.merchant, shop, recipe, at, self.end_at))

    def give_back(self) -> None:
        """Refunds and exchanges of earlier sales, which change those sales too."""
        shop = self.merchant.shops[0]
        for place in range(2 + 2 * self.size):
            recipe = _NEW_RETURNS[(place + self.number) % len(_NEW_RETURNS)]
            opened_at = self.instant()
            sale = add_sale(self.merchant, shop, recipe, opened_at, self.end_at)
            self.edited.created.append(sale)
            sources = [part.source for part in sale.body.returns]
            self.edited.changed += [source for source in sources if source is not None]

    def rework_catalog(self) -> None:
        """A shop is renamed, one product is renamed, another one deleted."""
        shop = self.merchant.shops[self.number % len(self.merchant.shops)]
        shop.name = f"{shop.name.split(' (')[0]} ({self.number})"
        shop.updated_at = self.instant()
        shelf = self.merchant.on_sale(self.start_at)
        pieces = [product for product in shelf if not product.is_weighed]
        renamed = pieces[self.number % 2]
        at = self.start_at + HOUR + 123
        name = f"{renamed.current.name.split(' No. ')[0]} No. {self.number + 1}"
        self.merchant.change_product(renamed, ProductChange(at, name, renamed.current.sku))
        season = [product for product in pieces if product.category == "season"]
        for product in season[:1]:
            gone = ProductChange(at + 2 * HOUR, product.current.name, product.current.sku, is_deleted=True)
            self.merchant.change_product(product, gone)
