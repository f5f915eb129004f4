"""The server of Square's sandbox: accounts, tokens, settings and the streams of every merchant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.routing import Route

from sandbox.clock import WORLD_END, Clock, Instant
from sandbox.edits import change_one, run_round
from sandbox.square import names, webhooks
from sandbox.square.api import Api
from sandbox.square.errors import TOKEN_ERRORS, VendorError, body_for_status
from sandbox.square.names import Json
from sandbox.square.oauth import Tokens
from sandbox.square.paging import Pager
from sandbox.square.streams import STREAMS, Streams
from sandbox.square.subscriptions import Subscriptions
from sandbox.trade import open_books, sell
from sandbox.truth import sale_row
from sandbox.webhooks import Hooks
from sandbox.world import Merchant

_BEARER = "Bearer "


class SquareServer:
    """Speaks for all merchants that sell with Square."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock) -> None:
        """Opens the merchants' books and accounts."""
        for merchant in merchants:
            open_books(merchant, WORLD_END)
        self.clock = clock
        self.seed = merchants[0].seed if merchants else 0
        self.hooks = Hooks("square", webhooks.HABITS)
        self.subscriptions = Subscriptions(self)
        self.settings = {
            "cursor_seconds": 300,
            "short_pages": 1,
            "lag_reads": 0,
            "absent_reads": 0,
            "kept_texts": 8_000,
        }
        self.pager = Pager(clock, self.settings)
        self.streams = {names.merchant_id(each): Streams(each, self.settings) for each in merchants}
        self.tokens = Tokens(merchants, clock)
        self._owners = {names.access_token(each): each for each in merchants}
        self._token_states: dict[str, str] = {}

    def routes(self) -> Sequence[Route]:
        """The vendor's routes."""
        return [*self.subscriptions.routes(), *Api(self).routes()]

    def account_id(self, merchant: Merchant) -> str:
        """Merchant id."""
        return names.merchant_id(merchant)

    def account(self, merchant: Merchant) -> dict[str, Any]:
        """How to register an account."""
        account_id = names.merchant_id(merchant)
        market = merchant.market
        return {
            "pos_system": merchant.pos_system,
            "tenant_id": merchant.tenant_id,
            "name": merchant.name,
            "account_id": account_id,
            "credentials": {
                "access_token": names.access_token(merchant),
                "merchant_id": account_id,
            },
            "country": market.country,
            "currency": market.currency,
            "locations": [
                {
                    "id": names.location_id(merchant, shop),
                    "name": shop.name,
                    "timezone": shop.zone.key,
                    "currency": market.currency,
                    "is_active": shop.is_active,
                }
                for shop in merchant.shops
            ],
            "settings": {"day_starts_at": "00:00"},
            "address_variables": ["SQUARE_BASE_URL"],
        }

    def transactions(self, merchant: Merchant, now: Instant) -> list[dict[str, Any]]:
        """One row per order; what is still offline is left out."""
        account_id = names.merchant_id(merchant)
        return [
            sale_row(sale, account_id, names.location_id(merchant, sale.shop), names.order_id)
            for sale in merchant.sales
            if sale.available_at <= now
        ]

    def edit(
        self, merchant: Merchant, number: int, start_at: Instant, end_at: Instant
    ) -> dict[str, list[str]]:
        """Runs a round of edits."""
        with self._watching(merchant):
            edited = run_round(merchant, number, start_at, end_at)
        return {
            "changed": [names.order_id(sale) for sale in edited.changed],
            "created": [names.order_id(sale) for sale in edited.created],
        }

    def sell(self, merchant: Merchant, count: int, now: Instant) -> list[str]:
        """Sells some more, now."""
        with self._watching(merchant, len(merchant.sales)):
            return [names.order_id(sale) for sale in sell(merchant, count, now)]

    def change(self, merchant: Merchant, now: Instant) -> str | None:
        """A tip is added to an order that is closed."""
        with self._watching(merchant):
            changed = change_one(merchant, now)
        return None if changed is None else names.order_id(changed)

    @contextmanager
    def _watching(self, merchant: Merchant, first_sale: int = 0) -> Iterator[None]:
        """Tells what changes inside the block, while the application may know of it."""
        if self.token_state(merchant) == "revoked":
            yield
            return
        with self.hooks.watching(lambda: webhooks.look(merchant, first_sale), webhooks.notices):
            yield

    def merchant_of_token(self, authorization: str) -> Merchant | None:
        """Whose bearer token this header carries."""
        if not authorization.startswith(_BEARER):
            return None
        token = authorization.removeprefix(_BEARER).strip()
        return self._owners.get(token) or self.tokens.owner(token)

    def authorize(self, authorization: str, *, needs_scopes: bool = True) -> Merchant:
        """The merchant of a request.

        Raises:
            VendorError: no token, an unknown one, or one that is not valid any more.
        """
        merchant = self.merchant_of_token(authorization)
        if merchant is None:
            raise VendorError(401, "UNAUTHORIZED", "This request could not be authorized.")
        state = self.token_state(merchant)
        if self.tokens.is_expired(authorization.removeprefix(_BEARER).strip()):
            state = "expired"
        if state == "valid" or (state == "insufficient_scopes" and not needs_scopes):
            return merchant
        raise VendorError(*TOKEN_ERRORS[state])

    def obtain_tokens(self, body: Json) -> Json:
        """New tokens, unless the seller has revoked the application's access.

        Raises:
            VendorError: the request is refused.
        """
        answer = self.tokens.obtain(body)
        merchant = self.tokens.owner(answer["access_token"])
        if merchant is not None and body["grant_type"] == "authorization_code":
            self.set_token(merchant, "valid")
        elif merchant is not None and self.token_state(merchant) == "revoked":
            raise VendorError(*TOKEN_ERRORS["revoked"])
        return answer

    def token_state(self, merchant: Merchant) -> str:
        """How the account's token is answered."""
        return self._token_states.get(merchant.key, "valid")

    def set_token(self, merchant: Merchant, state: str, revoker: str = "MERCHANT") -> None:
        """Sets how the account's token is answered from now on; a revocation is told."""
        is_revoked = state == "revoked" and self.token_state(merchant) != "revoked"
        self._token_states[merchant.key] = state
        if is_revoked:
            self.hooks.tell([webhooks.revoked(merchant, self.clock.now(), revoker)])

    def inject(self, merchant: Merchant, stream: str, text: str) -> str:
        """Puts a document verbatim into a stream.

        Raises:
            ValueError: there is no such stream.
        """
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}")
        return self.streams[names.merchant_id(merchant)].inject(stream, text, self.clock.now())

    def set_settings(self, settings: Mapping[str, int]) -> dict[str, int]:
        """Changes settings; orders made from now on lag when ``lag_reads`` or ``absent_reads`` is given.

        Raises:
            ValueError: a setting that does not exist.
        """
        unknown = set(settings) - set(self.settings)
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        self.settings.update(settings)
        if {"lag_reads", "absent_reads"} & set(settings):
            for streams in self.streams.values():
                streams.lag_from = len(streams.merchant.sales)
        return dict(self.settings)

    def expire_cursors(self) -> int:
        """Forgets every cursor."""
        return self.pager.expire()

    def error_body(self, status: int) -> Json:
        """The vendor's body for an error of this HTTP status."""
        return body_for_status(status)
