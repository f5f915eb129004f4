"""The vendor's routes: authorisation, the restaurant's header, limits, and which answer each gets.

Source: Toast orders API 2.9.0, configuration API 2.5.0, restaurants API 1.0.0, partners API 1.0.1.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import parse_instant
from sandbox.faults import CURSOR_FAULT
from sandbox.toast import bulk, restaurants
from sandbox.toast.config import KINDS
from sandbox.toast.errors import VendorError
from sandbox.toast.names import Json, group_guid, is_guid, restaurant_guid
from sandbox.toast.shelf import Shelf, encode
from sandbox.world import Merchant, Shop

if TYPE_CHECKING:
    from sandbox.toast.server import ToastServer

RESTAURANT_HEADER = "Toast-Restaurant-External-ID"
TOKEN_HEADER = "Toast-Next-Page-Token"
_MOST_CONFIGURED = 300


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is allowed: who asks, about which restaurant."""

    request: Request
    merchant: Merchant
    shelf: Shelf
    shop: Shop
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The identifier in the path."""
        return str(self.request.path_params["key"])

    @property
    def query(self) -> dict[str, str]:
        """The parameters."""
        return dict(self.request.query_params)


Handler = Callable[[Call], bytes]


class Api:
    """Answers the vendor's routes for a server."""

    def __init__(self, server: ToastServer) -> None:
        """Answers for a server."""
        self.server = server

    def routes(self) -> list[Route]:
        """Every route of the vendor that this sandbox has."""
        table: list[tuple[str, Handler]] = [
            ("/orders/v2/ordersBulk", self.list_orders),
            ("/orders/v2/orders/{key}", self.get_order),
            ("/orders/v2/payments", self.list_payments),
            ("/orders/v2/payments/{key}", self.get_payment),
            ("/restaurants/v1/restaurants/{key}", self.get_restaurant),
            ("/restaurants/v1/groups/{key}/restaurants", self.list_group),
            *((f"/config/v2/{kind}", self._configured(kind)) for kind in KINDS),
            *((f"/config/v2/{kind}/{{key}}", self._configured_one(kind)) for kind in KINDS),
        ]
        return [
            Route("/authentication/v1/authentication/login", self.login, methods=["POST"]),
            Route("/partners/v1/restaurants", self.list_partners, methods=["GET"]),
            *(Route(path, self._endpoint(handler), methods=["GET"]) for path, handler in table),
        ]

    async def login(self, request: Request) -> Response:
        """A token for a credential; the only answer without headers about limits."""
        try:
            body: Any = json.loads(await request.body() or b"{}")
        except ValueError:
            body = {}
        try:
            return _answer(encode(self.server.tokens.login(body)), {})
        except VendorError as error:
            return _refusal(error, {})

    async def list_partners(self, request: Request) -> Response:
        """The restaurants that a partner may read; it needs no restaurant's header."""
        headers: dict[str, str] = {}
        try:
            merchant = self.server.tokens.authorize(request.headers.get("authorization", ""))
            headers = self._count(request, merchant, "")
            if not self.server.tokens.is_partner(merchant):
                raise VendorError(403, "The API client is no partner's.")
            return _answer(encode(restaurants.connections(merchant)), headers)
        except VendorError as error:
            return _refusal(error, headers)

    def _count(self, request: Request, merchant: Merchant, restaurant: str) -> dict[str, str]:
        is_bulk = request.url.path.endswith("/ordersBulk")
        return self.server.limits.count(merchant.key, restaurant, is_bulk=is_bulk)

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                merchant = self.server.tokens.authorize(request.headers.get("authorization", ""))
                restaurant = request.headers.get(RESTAURANT_HEADER, "")
                headers = self._count(request, merchant, restaurant)
                shop = _shop(merchant, restaurant)
                call = Call(request, merchant, self.server.shelves[merchant.key], shop, headers)
                return _answer(handler(call), headers)
            except VendorError as error:
                return _refusal(error, headers)

        return answer

    def list_orders(self, call: Call) -> bytes:
        """Orders of a window or of a business day, a page at a time."""
        listing = bulk.read_listing(call.query)
        url = str(call.request.url.replace(query=""))
        rows, link = bulk.cut(list(call.shelf.orders(call.shop).values()), listing, url, call.query)
        call.headers["Link"] = link
        return _array([row.text() for row in rows])

    def get_order(self, call: Call) -> bytes:
        """One order of the restaurant."""
        row = call.shelf.orders(call.shop).get(call.key)
        if row is None:
            raise _unknown("order", call.key)
        return row.text()

    def list_payments(self, call: Call) -> bytes:
        """Identifiers of the payments taken, refunded or voided on one business day."""
        names = ("paidBusinessDate", "refundBusinessDate", "voidBusinessDate")
        name = next((each for each in names if each in call.query), None)
        if name is None:
            raise VendorError(
                400, "One of paidBusinessDate, refundBusinessDate, voidBusinessDate is required"
            )
        day = bulk.read_day(call.query, name)
        found = [
            key
            for key, paid in call.shelf.payments(call.shop).items()
            if self.server.payment_day(paid, name) == day
        ]
        return encode(sorted(found))

    def get_payment(self, call: Call) -> bytes:
        """One payment of the restaurant."""
        paid = call.shelf.payments(call.shop).get(call.key)
        if paid is None:
            raise _unknown("payment", call.key)
        return call.shelf.payment_text(paid)

    def get_restaurant(self, call: Call) -> bytes:
        """One restaurant of the credential; archived ones on demand."""
        shop = _shop(call.merchant, call.key, otherwise=404)
        if not shop.is_active and call.query.get("includeArchived") != "true":
            raise VendorError(404, "The restaurant is archived.")
        return call.shelf.restaurant_text(shop)

    def list_group(self, call: Call) -> bytes:
        """The restaurants of the credential's management group."""
        if call.key != group_guid(call.merchant):
            raise VendorError(403, "The API client does not have access to the management group.")
        return encode(restaurants.group(call.merchant))

    def _configured(self, kind: str) -> Handler:
        def answer(call: Call) -> bytes:
            since = _since(call.query)
            token = call.query.get("pageToken")
            is_struck = call.request.scope.get(CURSOR_FAULT)
            if token is not None and is_struck is not None and is_struck():
                raise VendorError(409, "The configuration was published while it was read.")
            entries = call.shelf.configured(kind, call.shop)
            entries = [each for each in entries if since is None or each[1] >= since]
            query = f"{kind} {call.shop.key} {call.query.get('lastModified')}"
            start = self.server.pages.start(call.shelf.book, query, token)
            size = min(self.server.settings["config_page_size"], _MOST_CONFIGURED)
            page = entries[start : start + size]
            if start + size < len(entries):
                following = self.server.pages.hand_out(call.shelf.book, query, start + size)
                call.headers[TOKEN_HEADER] = following
            return _array([text for _, _, text in page])

        return answer

    def _configured_one(self, kind: str) -> Handler:
        def answer(call: Call) -> bytes:
            for key, _, text in call.shelf.configured(kind, call.shop):
                if key == call.key:
                    return text
            raise VendorError(404, f"No such {KINDS[kind]}.")

        return answer


def _shop(merchant: Merchant, name: str, otherwise: int = 403) -> Shop:
    """The restaurant of an identifier.

    Raises:
        VendorError: 400 without one, else ``otherwise`` for one that the credential does not have.
    """
    if not name:
        raise VendorError(400, f"The header {RESTAURANT_HEADER} is required.")
    for shop in merchant.shops:
        if restaurant_guid(merchant, shop) == name:
            return shop
    raise VendorError(otherwise, "The API client does not have access to the restaurant.")


def _unknown(name: str, key: str) -> VendorError:
    if not is_guid(key):
        return VendorError(400, "The GUID was malformed.")
    return VendorError(404, f"The {name} was not found.")


def _since(query: Json) -> int | None:
    text = query.get("lastModified")
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise VendorError(400, "lastModified is no date and time.") from error


def _array(texts: list[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def _answer(content: bytes, headers: dict[str, str]) -> Response:
    return Response(content, 200, headers, "application/json")


def _refusal(error: VendorError, headers: dict[str, str]) -> Response:
    return Response(encode(error.body()), error.status, {**headers, **error.headers}, "application/json")
