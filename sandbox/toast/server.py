"""The server of Toast's sandbox: books, credentials, settings and the documents of every merchant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.routing import Route

from sandbox.clock import WORLD_END, Clock, Instant
from sandbox.toast import names, webhooks
from sandbox.toast.api import Api
from sandbox.toast.book import Book
from sandbox.toast.documents import day_of
from sandbox.toast.errors import body_for_status
from sandbox.toast.limits import SETTINGS, Limits
from sandbox.toast.names import Json
from sandbox.toast.pages import ConfigPages
from sandbox.toast.rounds import change_one, run_round
from sandbox.toast.shelf import STREAMS, Paid, Shelf
from sandbox.toast.tokens import Tokens
from sandbox.toast.truth import rows_of
from sandbox.webhooks import Hooks
from sandbox.world import Merchant


class ToastServer:
    """Speaks for all merchants that sell with Toast."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock) -> None:
        """Opens the merchants' books and accounts."""
        self.clock = clock
        self.hooks = Hooks("toast", webhooks.HABITS)
        # A page of configuration is short, so that readers meet a second one.
        self.settings = {
            **SETTINGS,
            "config_page_size": 4,
            "kept_texts": 8_000,
            "logins_per_hour": 0,
            "token_seconds": 86_400,
        }
        self.books = {each.key: Book(each, WORLD_END) for each in merchants}
        self.shelves = {key: Shelf(book, self.settings) for key, book in self.books.items()}
        self.tokens = Tokens(merchants, clock, self.settings)
        self.limits = Limits(clock, self.settings)
        self.pages = ConfigPages()

    def routes(self) -> Sequence[Route]:
        """The vendor's routes."""
        return Api(self).routes()

    def account_id(self, merchant: Merchant) -> str:
        """Management group of the merchant's restaurants."""
        return names.group_guid(merchant)

    def account(self, merchant: Merchant) -> dict[str, Any]:
        """How to register an account; a partner's restaurants are found by asking."""
        credentials: dict[str, Any] = {
            "client_id": names.client_id(merchant),
            "client_secret": names.client_secret(merchant),
        }
        guids = [names.restaurant_guid(merchant, shop) for shop in merchant.shops]
        if not self.tokens.is_partner(merchant):
            credentials["restaurant_guids"] = guids
        return {
            "pos_system": merchant.pos_system,
            "tenant_id": merchant.tenant_id,
            "name": merchant.name,
            "account_id": names.group_guid(merchant),
            "credentials": credentials,
            "country": merchant.market.country,
            "currency": merchant.market.currency,
            "locations": [
                {
                    "id": name,
                    "name": shop.name,
                    "timezone": shop.zone.key,
                    "currency": merchant.market.currency,
                    "is_active": shop.is_active,
                }
                for name, shop in zip(guids, merchant.shops, strict=True)
            ],
            "settings": {},
            "address_variables": ["TOAST_BASE_URL"],
        }

    def transactions(self, merchant: Merchant, now: Instant) -> list[dict[str, Any]]:
        """One row per check and per refund.

        A check that was combined into another one is there as deleted: who read its order before that
        keeps it, who did not cannot know of it.
        """
        return [row for order in self.books[merchant.key].orders for row in rows_of(order)]

    def edit(
        self, merchant: Merchant, number: int, start_at: Instant, end_at: Instant
    ) -> dict[str, list[str]]:
        """Runs a round of edits."""
        book, tell = self.books[merchant.key], webhooks.teller(self.account_id(merchant))
        with self.hooks.watching(lambda: webhooks.look(book), tell):
            edited = run_round(book, number, start_at, end_at)
        return {
            "changed": [order.guid for order in edited.changed],
            "created": [order.guid for order in edited.created],
        }

    def sell(self, merchant: Merchant, count: int, now: Instant) -> list[str]:
        """Sells some more, now."""
        book, tell = self.books[merchant.key], webhooks.teller(self.account_id(merchant))
        first = len(book.orders)
        with self.hooks.watching(lambda: webhooks.look(book, first), tell):
            return [order.guid for order in book.sell(count, now)]

    def change(self, merchant: Merchant, now: Instant) -> str | None:
        """A tip is added to an order that is closed out."""
        book, tell = self.books[merchant.key], webhooks.teller(self.account_id(merchant))
        with self.hooks.watching(lambda: webhooks.look(book), tell):
            changed = change_one(book, now)
        return None if changed is None else changed.guid

    def merchant_of_token(self, authorization: str) -> Merchant | None:
        """Whose access token this header carries, whether it is still good or not."""
        return self.tokens.owner(authorization)

    def set_token(self, merchant: Merchant, state: str) -> None:
        """Sets how the account is answered: an ``expired`` token is one that a new login replaces."""
        self.tokens.set_state(merchant, state)

    def inject(self, merchant: Merchant, stream: str, text: str) -> str:
        """Puts a document verbatim into what a stream answers.

        Raises:
            ValueError: there is no such stream.
        """
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}")
        return self.shelves[merchant.key].inject(stream, text, self.clock.now())

    def set_settings(self, settings: Mapping[str, int]) -> dict[str, int]:
        """Changes settings.

        Raises:
            ValueError: a setting that does not exist.
        """
        unknown = set(settings) - set(self.settings)
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        self.settings.update(settings)
        return dict(self.settings)

    def expire_cursors(self) -> int:
        """Publishes every configuration, so that no page token can be used any more."""
        return self.pages.expire()

    def error_body(self, status: int) -> Json:
        """The vendor's body for an error of this HTTP status."""
        return body_for_status(status)

    def payment_day(self, paid: Paid, name: str) -> int | None:
        """The business date on which a payment was taken, refunded or voided."""
        order, _, payment = paid
        if name == "refundBusinessDate":
            return None if payment.refund is None else day_of(order, payment.refund.at)
        return day_of(order, payment.voided_at if name == "voidBusinessDate" else payment.at)
