"""The financial routes: authorisation, and which answer each request gets.

Source: K-Series Financial API V2 and V1 (OpenAPI 1.0.0, read in 2026-11).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.lightspeed import aggregates, chains, days, listings, query
from sandbox.lightspeed.errors import VendorError, spring
from sandbox.lightspeed.names import Json, encode, location_id
from sandbox.lightspeed.older import older_sale
from sandbox.lightspeed.streams import Row, Streams, unsorted
from sandbox.lightspeed.truth_rows import counts_as_revenue
from sandbox.world import Merchant, Shop

if TYPE_CHECKING:
    from sandbox.lightspeed.server import LightspeedServer

Handler = Callable[[Merchant, Request], Awaitable[bytes]]
Describe = Callable[[Merchant], list[Json]]


class Api:
    """Answers the financial routes for a server."""

    def __init__(self, server: LightspeedServer) -> None:
        """Answers for a server."""
        self.server = server

    def routes(self) -> list[Route]:
        """Every financial route that this sandbox has."""
        newer, older = "/f/v2/business-location/{location}", "/f/finance/{location}"
        table: list[tuple[str, Handler]] = [
            ("/f/data/businesses", self.businesses),
            (f"{newer}/sales", self.sales),
            (f"{newer}/sales-daily", self.sales_daily),
            (f"{older}/financials/{{low}}/{{high}}", self.financials),
            (f"{older}/dailyFinancials", self.daily_financials),
            (f"{older}/saleByExternalReference", self.by_external_reference),
            (f"{older}/aggregatedSales", self.aggregated_sales),
            (f"{older}/paymentMethods", self._listing("paymentMethodList", listings.payment_methods)),
            (f"{older}/tax-rates", self._listing("taxRateList", listings.tax_rates)),
            (f"{older}/accountingGroups", self._listing("accountingGroupList", listings.accounting_groups)),
        ]
        return [Route(path, self._endpoint(handler), methods=["GET"]) for path, handler in table]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                merchant, state = self.server.desk.authorize(request.headers.get("authorization", ""))
                if state == "insufficient_scopes":
                    text = "Access token not relevant for the businessLocation, use authorization-code"
                    raise spring(403, text, request.url.path, self.server.clock.now())
                content = await handler(merchant, request)
            except VendorError as error:
                return Response(encode(error.body), error.status, media_type="application/json")
            return Response(content, 200, media_type="application/json")

        return answer

    def _streams(self, merchant: Merchant) -> Streams:
        return self.server.streams[merchant.key]

    def _shop(self, merchant: Merchant, request: Request) -> Shop:
        """The shop in the path; a stranger's is not forbidden but not there."""
        wanted = str(request.path_params["location"])
        for shop in merchant.shops:
            if str(location_id(merchant, shop)) == wanted:
                return shop
        text = f"Business Location Not found for {wanted}"
        raise spring(404, text, request.url.path, self.server.clock.now())

    async def businesses(self, merchant: Merchant, request: Request) -> bytes:
        """The business of the token, on the first page."""
        number, size = (_number(request, name, least) for name, least in (("page", 0), ("size", 1)))
        found = [listings.business(merchant)][number * size :][:size]
        return encode(listings.embedded("businessList", found, str(request.url)))

    async def sales(self, merchant: Merchant, request: Request) -> bytes:
        """Sales by the time of closing, a page at a time."""
        shop, now = self._shop(merchant, request), self.server.clock.now()
        asked = query.read_range(request.query_params, now, chains.opened_at(merchant, shop))
        rows = self._streams(merchant).between(shop, asked.low, asked.high, now)
        taken, token = query.page(rows, asked)
        # The end of the list is told in three ways: no token, null, and nothing in it.
        ending = {0: b"", 1: b',"nextPageToken":null', 2: b',"nextPageToken":""'}[len(rows) % 3]
        tail = b',"nextPageToken":' + encode(token) if token else ending
        return b'{"sales":' + _array(taken, asked.include) + tail + b"}"

    async def sales_daily(self, merchant: Merchant, request: Request) -> bytes:
        """All sales of a business day, and whether any can be missing."""
        shop, now = self._shop(merchant, request), self.server.clock.now()
        day = query.required_day(request.query_params)
        rows = self._streams(merchant).day(shop, day, now)
        include = query.read_include(request.query_params)
        ending = encode(self._ending(merchant, shop, day))[1:]
        return b'{"sales":' + _array(rows, include) + b"," + ending

    def _ending(self, merchant: Merchant, shop: Shop, day: date) -> Json:
        now = self.server.clock.now()
        return {
            "nextStartOfDayAsIso8601": days.next_start_text(shop, day),
            "dataComplete": self._streams(merchant).is_complete(shop, day, now),
        }

    async def financials(self, merchant: Merchant, request: Request) -> bytes:
        """Sales by their original date, a page at a time, in no order."""
        shop, now = self._shop(merchant, request), self.server.clock.now()
        texts = (str(request.path_params["low"]), str(request.path_params["high"]))
        asked = query.read_older_range(request.query_params, texts, now)
        rows = unsorted(self._streams(merchant).between(shop, asked.low, asked.high, now, is_older=True))
        places = [place for place, row in enumerate(rows) if row.key == asked.token]
        left = rows[places[0] :] if places else rows
        following = left[asked.page_size].key if len(left) > asked.page_size else ""
        links = {"self": _link(str(request.url))}
        if following:
            links["nextPage"] = _link(str(request.url.include_query_params(nextPageToken=following)))
        day = days.business_date(shop, max(asked.high - 1, asked.low))
        ending = self._ending(merchant, shop, day) | {"_links": links, "nextPageToken": following or None}
        return self._older(merchant, shop, left[: asked.page_size], asked.include, ending)

    async def daily_financials(self, merchant: Merchant, request: Request) -> bytes:
        """Sales of a business day by their original date; of the one going on unless asked."""
        shop, now = self._shop(merchant, request), self.server.clock.now()
        text = request.query_params.get("date")
        day = query.read_day(text) if text else days.business_date(shop, now)
        rows = unsorted(self._streams(merchant).day(shop, day, now, is_older=True))
        include = set(query.read_include(request.query_params))
        if request.query_params.get("includeConsumers") == "true":
            include.add("consumer")
        ending = self._ending(merchant, shop, day) | {"_links": {"self": _link(str(request.url))}}
        return self._older(merchant, shop, rows, frozenset(include), ending)

    def _older(
        self,
        merchant: Merchant,
        shop: Shop,
        rows: Sequence[Row],
        include: frozenset[str],
        ending: Json,
    ) -> bytes:
        head = {"businessName": merchant.name, "businessLocationId": location_id(merchant, shop)}
        return encode(head)[:-1] + b',"sales":' + _array(rows, include) + b"," + encode(ending)[1:]

    async def by_external_reference(self, merchant: Merchant, request: Request) -> bytes:
        """The one sale of an online order."""
        shop, now = self._shop(merchant, request), self.server.clock.now()
        wanted = request.query_params.get("externalReferenceId", "")
        prefix = f"TASK:OO-{location_id(merchant, shop)}-"
        for account in self.server.books[merchant.key].accounts:
            reference = account.body.external_reference
            is_wanted = bool(reference) and wanted == prefix + reference
            if account.shop is shop and account.available_at <= now and is_wanted:
                return encode(older_sale(account, query.read_include(request.query_params)))
        raise spring(404, f"No sale found for {wanted[:80]}", request.url.path, now)

    async def aggregated_sales(self, merchant: Merchant, request: Request) -> bytes:
        """Control totals of a business day or a range, by original dates."""
        given, now = request.query_params, self.server.clock.now()
        shop, grouping = self._shop(merchant, request), aggregates.read_grouping(given.get("groupBy", ""))
        if given.get("from") and given.get("to"):
            asked = query.read_older_range({}, (given["from"], given["to"]), now)
            low, high = asked.low, asked.high
            day = days.business_date(shop, max(high - 1, low))
        else:
            day = query.read_day(given["date"]) if given.get("date") else days.business_date(shop, now)
            low, high = days.day_begins(shop, day), days.day_ends(shop, day)
        accounts = [
            account
            for account in self.server.books[merchant.key].accounts
            if account.shop is shop
            and low <= account.dated_at < high
            and account.available_at <= now
            and counts_as_revenue(account)
        ]
        totals = aggregates.aggregated(accounts, grouping)
        return encode(totals | self._ending(merchant, shop, day) | {"businessName": merchant.name})

    def _listing(self, name: str, describe: Describe) -> Handler:
        async def answer(merchant: Merchant, request: Request) -> bytes:
            self._shop(merchant, request)
            return encode(listings.embedded(name, describe(merchant), str(request.url)))

        return answer


def _array(rows: Sequence[Row], include: frozenset[str]) -> bytes:
    return b"[" + b",".join(row.text(include) for row in rows) + b"]"


def _link(address: str) -> Json:
    return {"href": address, "templated": True}


def _number(request: Request, name: str, least: int) -> int:
    text = request.query_params.get(name, "")
    return max(least, int(text)) if text.isascii() and text.isdecimal() else (0 if least == 0 else 1_000)
