"""The vendor's routes: authorisation, the version header, and which answer each request gets.

Source: Square API 2025-08-20; headers as answered in 2026-07.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.faults import CURSOR_FAULT
from sandbox.square import listings, order_search, profile
from sandbox.square.errors import VendorError, invalid
from sandbox.square.names import Json, merchant_id
from sandbox.square.paging import Index, Query, Row, invalid_cursor
from sandbox.square.streams import Streams, encode
from sandbox.world import Merchant

if TYPE_CHECKING:
    from sandbox.square.server import SquareServer

DEFAULT_VERSION = "2026-07-15"
_VERSION = re.compile(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
Handler = Callable[[Merchant, Request], Awaitable[bytes]]


class Api:
    """Answers the vendor's routes for a server."""

    def __init__(self, server: SquareServer) -> None:
        """Answers for a server."""
        self.server = server

    def routes(self) -> list[Route]:
        """Every route of the vendor that this sandbox has."""
        table: list[tuple[str, str, Handler]] = [
            ("/v2/locations", "GET", self.locations),
            ("/v2/merchants", "GET", self.merchants),
            ("/v2/orders/search", "POST", self.search_orders),
            ("/v2/orders/batch-retrieve", "POST", self.batch_retrieve),
            ("/v2/orders/{key}", "GET", self.retrieve_order),
            ("/v2/payments", "GET", self.list_payments),
            ("/v2/payments/{key}", "GET", self.get_payment),
            ("/v2/refunds", "GET", self.list_refunds),
            ("/v2/refunds/{key}", "GET", self.get_refund),
            ("/v2/catalog/search", "POST", self.search_catalog),
            ("/v2/catalog/list", "GET", self.list_catalog),
            ("/oauth2/token/status", "POST", self.token_status),
        ]
        routes = [Route(path, self._endpoint(handler), methods=[method]) for path, method, handler in table]
        return [
            *routes,
            Route("/oauth2/authorize", self.authorize, methods=["GET"]),
            Route("/oauth2/token", self.obtain_token, methods=["POST"]),
            Route("/oauth2/revoke", self.revoke_token, methods=["POST"]),
        ]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            version = request.headers.get("square-version", DEFAULT_VERSION)
            headers = {"Square-Version": version}
            try:
                if not _VERSION.fullmatch(version):
                    raise invalid("BAD_REQUEST", f"Unknown Square-Version: {version[:20]}")
                needs_scopes = request.url.path != "/oauth2/token/status"
                authorization = request.headers.get("authorization", "")
                merchant = self.server.authorize(authorization, needs_scopes=needs_scopes)
                content = await handler(merchant, request)
            except VendorError as error:
                body = encode(error.body())
                return Response(body, error.status, headers, "application/json")
            return Response(content, 200, headers, "application/json")

        return answer

    async def authorize(self, request: Request) -> Response:
        """Sends a seller, who always agrees, back with a code."""
        try:
            return RedirectResponse(self.server.tokens.authorize(dict(request.query_params)), 302)
        except VendorError as error:
            return Response(encode(error.body()), error.status, media_type="application/json")

    async def obtain_token(self, request: Request) -> Response:
        """Tokens for a code or a refresh token."""
        try:
            answer = self.server.obtain_tokens(await _json(request))
        except VendorError as error:
            return Response(encode(error.body()), error.status, media_type="application/json")
        return Response(encode(answer), media_type="application/json")

    async def revoke_token(self, request: Request) -> Response:
        """Ends every token of a merchant."""
        authorization = request.headers.get("authorization", "")
        try:
            merchant = self.server.tokens.merchant_to_revoke(authorization, await _json(request))
        except VendorError as error:
            return Response(encode(error.body()), error.status, media_type="application/json")
        self.server.set_token(merchant, "revoked", "APPLICATION")
        return Response(encode({"success": True}), media_type="application/json")

    def _streams(self, merchant: Merchant) -> Streams:
        return self.server.streams[merchant_id(merchant)]

    def _page(
        self, request: Request, index: Index, query: Query, cursor: str | None
    ) -> tuple[list[Row], str | None]:
        is_struck = request.scope.get(CURSOR_FAULT)
        if cursor is not None and is_struck is not None and is_struck():
            raise invalid_cursor()
        return self.server.pager.page(index, query, cursor)

    async def locations(self, merchant: Merchant, request: Request) -> bytes:
        """All locations, inactive ones too, without pages."""
        texts = [encode(profile.location(merchant, shop)) for shop in merchant.shops]
        texts += [row.text() for row in self._streams(merchant).rows("locations")]
        return listings.wrap("locations", texts, None)

    async def merchants(self, merchant: Merchant, request: Request) -> bytes:
        """The one merchant of the token."""
        return encode({"merchant": [profile.merchant_record(merchant)]})

    async def search_orders(self, merchant: Merchant, request: Request) -> bytes:
        """Orders by location, time and state, a page at a time."""
        search = order_search.read_search(merchant, await _json(request))
        streams = self._streams(merchant)
        index = streams.index("orders", search.field)
        rows, cursor = self._page(request, index, search.query, search.cursor)
        if search.wants_entries:
            entries = [encode(order_search.entry(row)) for row in rows]
            return listings.wrap("order_entries", entries, cursor)
        return listings.wrap("orders", [row.text() for row in rows], cursor)

    async def batch_retrieve(self, merchant: Merchant, request: Request) -> bytes:
        """Orders by id; unknown ids are left out."""
        keys, location = order_search.read_batch(await _json(request))
        streams, now = self._streams(merchant), self.server.clock.now()
        found = [streams.read("orders", key, now) for key in dict.fromkeys(keys)]
        rows = [row for row in found if row is not None]
        rows = [row for row in rows if location is None or row.location in (None, location)]
        return listings.wrap("orders", [row.text() for row in rows], None)

    async def retrieve_order(self, merchant: Merchant, request: Request) -> bytes:
        """One order."""
        return self._one(merchant, request, "orders", "order")

    async def list_payments(self, merchant: Merchant, request: Request) -> bytes:
        """Payments of one location, the main one unless asked."""
        return self._listed(merchant, request, "payments")

    async def get_payment(self, merchant: Merchant, request: Request) -> bytes:
        """One payment."""
        return self._one(merchant, request, "payments", "payment")

    async def list_refunds(self, merchant: Merchant, request: Request) -> bytes:
        """Refunds of all locations unless asked for one."""
        return self._listed(merchant, request, "refunds")

    async def get_refund(self, merchant: Merchant, request: Request) -> bytes:
        """One refund."""
        return self._one(merchant, request, "refunds", "refund")

    async def search_catalog(self, merchant: Merchant, request: Request) -> bytes:
        """Catalogue objects, deleted ones on demand."""
        search = listings.read_catalog_search(await _json(request))
        index = self._streams(merchant).index("catalog", "updated_at")
        rows, cursor = self._page(request, index, search.query, search.cursor)
        latest = {"latest_time": listings.latest_time(index)}
        return listings.wrap("objects", [row.text() for row in rows], cursor, latest)

    async def list_catalog(self, merchant: Merchant, request: Request) -> bytes:
        """Catalogue objects that are not deleted."""
        search = listings.read_catalog_list(request.query_params)
        index = self._streams(merchant).index("catalog", "updated_at")
        rows, cursor = self._page(request, index, search.query, search.cursor)
        return listings.wrap("objects", [row.text() for row in rows], cursor)

    async def token_status(self, merchant: Merchant, request: Request) -> bytes:
        """What the token may do."""
        has_scopes = self.server.token_state(merchant) == "valid"
        return encode(profile.token_status(merchant, has_scopes=has_scopes))

    def _listed(self, merchant: Merchant, request: Request, stream: str) -> bytes:
        now = self.server.clock.now()
        search = listings.read_listing(stream, merchant, request.query_params, now)
        index = self._streams(merchant).index(stream, search.field)
        rows, cursor = self._page(request, index, search.query, search.cursor)
        return listings.wrap(stream, [row.text() for row in rows], cursor)

    def _one(self, merchant: Merchant, request: Request, stream: str, name: str) -> bytes:
        key = str(request.path_params["key"])
        row = self._streams(merchant).read(stream, key, self.server.clock.now())
        if row is None:
            raise VendorError(404, "NOT_FOUND", f"No such {name}: {key[:60]}")
        return b'{"' + name.encode() + b'":' + row.text() + b"}"


async def _json(request: Request) -> Json:
    text = await request.body()
    try:
        body: Any = json.loads(text or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("EXPECTED_JSON_BODY", "The request body is no JSON object.")
    return body
