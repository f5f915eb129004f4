"""The server of this vendor's sandbox: accounts, tokens and the book of every merchant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.routing import Route

from sandbox.clock import WORLD_END, Clock, Instant
from sandbox.lightspeed import webhooks
from sandbox.lightspeed.api import Api
from sandbox.lightspeed.book import Book, open_book
from sandbox.lightspeed.chains import generation
from sandbox.lightspeed.errors import body_for_status
from sandbox.lightspeed.names import Json, business_id, location_id
from sandbox.lightspeed.oauth import TokenDesk, client_id, client_secret
from sandbox.lightspeed.rounds import change_one, run_round, sell_now
from sandbox.lightspeed.streams import STREAMS, Streams
from sandbox.lightspeed.token_routes import TokenRoutes
from sandbox.lightspeed.truth_rows import row_of
from sandbox.webhooks import Hooks
from sandbox.world import Merchant


class LightspeedServer:
    """Speaks for all merchants that sell with Lightspeed Restaurant K-Series."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock) -> None:
        """Opens the merchants' books and accounts."""
        self.clock = clock
        self.hooks = Hooks("lightspeed", webhooks.HABITS)
        self.books: dict[str, Book] = {each.key: open_book(each, WORLD_END) for each in merchants}
        self.streams = {key: Streams(book) for key, book in self.books.items()}
        self.desk = TokenDesk(merchants, clock)

    def routes(self) -> Sequence[Route]:
        """The vendor's routes; the token services are at the same address."""
        return [*TokenRoutes(self.desk).routes(), *Api(self).routes()]

    def account_id(self, merchant: Merchant) -> str:
        """Business id."""
        return str(business_id(merchant))

    def account(self, merchant: Merchant) -> dict[str, Any]:
        """How to register an account, with the newest tokens."""
        market = merchant.market
        return {
            "pos_system": merchant.pos_system,
            "tenant_id": merchant.tenant_id,
            "name": merchant.name,
            "account_id": self.account_id(merchant),
            "credentials": {
                "client_id": client_id(merchant),
                "client_secret": client_secret(merchant),
                **self.desk.tokens(merchant),
                "generation": generation(merchant),
            },
            "country": market.country,
            "currency": market.currency,
            "locations": [
                {
                    "id": str(location_id(merchant, shop)),
                    "name": shop.name,
                    "timezone": shop.zone.key,
                    "currency": market.currency,
                    "is_active": shop.is_active,
                }
                for shop in merchant.shops
            ],
            "settings": {},
            "address_variables": ["LIGHTSPEED_BASE_URL", "LIGHTSPEED_AUTH_URL"],
        }

    def transactions(self, merchant: Merchant, now: Instant) -> list[dict[str, Any]]:
        """One row per account that the vendor has by now."""
        accounts = self.books[merchant.key].accounts
        return [row_of(account, now) for account in accounts if account.available_at <= now]

    def edit(
        self, merchant: Merchant, number: int, start_at: Instant, end_at: Instant
    ) -> dict[str, list[str]]:
        """Runs a round of edits."""
        book, tell = self.books[merchant.key], webhooks.teller(self.account_id(merchant))
        times = iter((start_at, end_at))
        with self.hooks.watching(lambda: webhooks.look(book, next(times)), tell):
            edited = run_round(book, number, start_at, end_at)
        return {
            "changed": [account.external_id for account in edited.changed],
            "created": [account.external_id for account in edited.created],
        }

    def sell(self, merchant: Merchant, count: int, now: Instant) -> list[str]:
        """Sells some more, now."""
        book, tell = self.books[merchant.key], webhooks.teller(self.account_id(merchant))
        first = len(book.accounts)
        with self.hooks.watching(lambda: webhooks.look(book, now, first), tell):
            return [account.external_id for account in sell_now(book, count, now)]

    def change(self, merchant: Merchant, now: Instant) -> str | None:
        """The back office cancels an account, of which nobody is told."""
        changed = change_one(self.books[merchant.key], now)
        return None if changed is None else changed.external_id

    def merchant_of_token(self, authorization: str) -> Merchant | None:
        """Whose token, or whose client, this header carries."""
        return self.desk.owner(authorization)

    def set_token(self, merchant: Merchant, state: str) -> None:
        """Sets how the account's tokens are answered from now on."""
        self.desk.set_state(merchant, state)

    def inject(self, merchant: Merchant, stream: str, text: str) -> str:
        """Puts a document verbatim into what the newer sales route answers.

        Raises:
            ValueError: there is no such stream.
        """
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}")
        return self.streams[merchant.key].inject(text, self.clock.now())

    def set_settings(self, settings: Mapping[str, int]) -> dict[str, int]:
        """Answers the settings, of which this vendor has none.

        Raises:
            ValueError: any setting.
        """
        if settings:
            raise ValueError(f"no such setting: {', '.join(sorted(settings))}")
        return {}

    def expire_cursors(self) -> int:
        """None: a page token is a time, which does not grow old."""
        return 0

    def error_body(self, status: int) -> Json:
        """The vendor's body for an error of this HTTP status."""
        return body_for_status(status, self.clock.now())
