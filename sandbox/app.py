"""One ASGI application: every vendor's routes at the root, control routes under ``/_sandbox``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.engine import Journal, World, WorldError
from sandbox.faults import CONTROL_PREFIX, FaultLayer, make_fault
from sandbox.truth import truth_of
from sandbox.webhooks import Faults, Hooks, Sender, Target


class Vendors:
    """Answers the fault layer's questions for whichever vendor a request belongs to."""

    def __init__(self, world: World) -> None:
        """Looks at a world's servers."""
        self._servers = list(world.servers.values())
        self._routes = [(route, server) for server in self._servers for route in server.routes()]

    def caller(self, authorization: str) -> str | None:
        """Account id of a request's token."""
        for server in self._servers:
            merchant = server.merchant_of_token(authorization)
            if merchant is not None:
                return server.account_id(merchant)
        return None

    def error_body(self, path: str, authorization: str, status: int) -> dict[str, Any]:
        """The body for a refusal of the vendor whose path it is, else whose token, else of any."""
        owners = [server for route, server in self._routes if route.path_regex.match(path)]
        owners += [each for each in self._servers if each.merchant_of_token(authorization)]
        return (owners or self._servers)[0].error_body(status)


class Control:
    """The control routes."""

    def __init__(self, world: World, journal: Journal) -> None:
        """Controls a world and notes what changes it."""
        self.world = world
        self.journal = journal
        self.sender = Sender(world.options.seed)
        for server in world.servers.values():
            server.hooks.outlet = self.sender.post
        self.layer: FaultLayer | None = None
        self._fault_number = 0

    def routes(self) -> list[Route]:
        """Every control route."""
        table: list[tuple[str, str, Callable[..., Any]]] = [
            ("/health", "GET", self.health),
            ("/clock", "GET", self.show_clock),
            ("/clock", "POST", self.advance_clock),
            ("/edits", "POST", self.edit),
            ("/sell", "POST", self.sell),
            ("/change", "POST", self.change),
            ("/tokens", "POST", self.set_token),
            ("/settings", "POST", self.set_settings),
            ("/inject", "POST", self.inject),
            ("/accounts", "GET", self.accounts),
            ("/truth", "GET", self.truth),
            ("/faults", "GET", self.list_faults),
            ("/faults", "POST", self.add_fault),
            ("/faults", "DELETE", self.clear_faults),
            ("/webhooks", "GET", self.list_webhooks),
            ("/webhooks", "POST", self.set_webhooks),
            ("/webhooks", "DELETE", self.clear_webhooks),
            ("/calls", "GET", self.list_calls),
            ("/calls", "DELETE", self.clear_calls),
        ]
        return [Route(CONTROL_PREFIX + path, end, methods=[method]) for path, method, end in table]

    def run(self, operation: str, **fields: Any) -> JSONResponse:
        """Carries out a command and notes it for the next start."""
        command = {"op": operation, "now": self.world.clock.now(), **fields}
        try:
            answer = self.world.apply(command)
        except (WorldError, ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)
        self.journal.add(command)
        return JSONResponse(answer)

    async def health(self, request: Request) -> Response:
        """Says that the sandbox is there."""
        return JSONResponse({"ok": True, "pos_systems": list(self.world.servers)})

    async def show_clock(self, request: Request) -> Response:
        """Shows the clock."""
        return JSONResponse(self.world.show_clock())

    async def advance_clock(self, request: Request) -> Response:
        """Moves the clock on by ``advance_seconds``."""
        body = await _object(request)
        return self.run("clock", advance_seconds=body.get("advance_seconds", 0))

    async def edit(self, request: Request) -> Response:
        """Runs a round of edits; a round that was run already answers what it did."""
        body = await _object(request)
        return self.run("edits", round=body.get("round"))

    async def sell(self, request: Request) -> Response:
        """Sells ``count`` times, now."""
        body = await _object(request)
        return self.run("sell", merchant_id=body.get("merchant_id"), count=body.get("count", 1))

    async def change(self, request: Request) -> Response:
        """Changes some document of an account, a second from now."""
        body = await _object(request)
        return self.run("change", merchant_id=body.get("merchant_id"))

    async def set_token(self, request: Request) -> Response:
        """Sets how an account's token is answered."""
        body = await _object(request)
        return self.run("token", merchant_id=body.get("merchant_id"), state=body.get("state"))

    async def set_settings(self, request: Request) -> Response:
        """Changes how the vendors behave."""
        return self.run("settings", settings=await _object(request))

    async def inject(self, request: Request) -> Response:
        """Puts the body, verbatim, into what a stream answers as its newest change."""
        text = (await request.body()).decode("utf-8", "surrogatepass")
        query = request.query_params
        stream = query.get("stream", "orders")
        return self.run("inject", merchant_id=query.get("merchant_id"), stream=stream, text=text)

    async def accounts(self, request: Request) -> Response:
        """Lists what a demo registers."""
        return JSONResponse(self.world.accounts())

    async def truth(self, request: Request) -> Response:
        """Says what was really sold, by all accounts or by ``merchant_id``."""
        wanted = request.query_params.get("merchant_id")
        if wanted is not None and wanted not in self.world.merchants:
            return JSONResponse({"error": f"no such merchant: {wanted}"}, 400)
        merchants = [
            (self.world.servers[merchant.pos_system], merchant)
            for account_id, merchant in self.world.merchants.items()
            if wanted in (None, account_id)
        ]
        return JSONResponse(truth_of(merchants, self.world.clock.now()))

    async def list_faults(self, request: Request) -> Response:
        """Lists the standing faults."""
        faults = self.layer.faults if self.layer else []
        return JSONResponse([fault.describe() for fault in faults])

    async def add_fault(self, request: Request) -> Response:
        """Adds a fault; ``expire_cursors`` without a count or rate acts at once, on all cursors."""
        body = await _object(request)
        if body.get("kind") == "expire_cursors" and not {"count", "rate"} & set(body):
            number = sum(server.expire_cursors() for server in self.world.servers.values())
            return JSONResponse({"expired": number})
        self._fault_number += 1
        try:
            fault = make_fault(self.world.options.seed, self._fault_number, body)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        if self.layer is not None:
            self.layer.faults.append(fault)
        return JSONResponse(fault.describe())

    async def clear_faults(self, request: Request) -> Response:
        """Drops all faults."""
        if self.layer is not None:
            self.layer.faults.clear()
        return JSONResponse([])

    async def list_webhooks(self, request: Request) -> Response:
        """Who is told, and the journal; waits up to ``wait_seconds`` for what is on its way."""
        await self.sender.settle(float(request.query_params.get("wait_seconds", 0)))
        targets = [
            {"pos_system": name, **target.describe()}
            for name, server in self.world.servers.items()
            for target in server.hooks.targets.values()
        ]
        return JSONResponse({"targets": targets, **self.sender.journal()})

    async def set_webhooks(self, request: Request) -> Response:
        """Tells an address, of some accounts or types of events alone where they are given.

        With ``url`` come ``secret``, ``pos_system``, ``merchant_id`` and ``event_types``; the same address
        again replaces its secret. The other values are faults; see ``Faults``.
        """
        body = await _object(request)
        order = {name: body.pop(name, None) for name in ("pos_system", "url", "secret", "merchant_id")}
        types = body.pop("event_types", None)
        try:
            unknown = set(body) - set(Faults.__dataclass_fields__)
            if unknown:
                raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
            self.sender.set_faults(**body)
            if order["url"] is not None:
                self._aim(order, None if types is None else frozenset(map(str, types)))
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"pos_system": order["pos_system"], "url": order["url"]})

    def _aim(self, order: dict[str, Any], types: frozenset[str] | None) -> None:
        """Makes one vendor tell an address.

        Raises:
            ValueError: an unknown vendor or merchant, or no secret.
        """
        hooks = self._hooks(order["pos_system"])
        url, secret, account_id = str(order["url"]), order["secret"], order["merchant_id"]
        if not isinstance(secret, str) or not secret:
            raise ValueError("secret must be text that is not empty")
        if account_id is not None:
            self.world.merchant(account_id)
        hooks.targets[f"{url} {account_id}"] = Target(url, secret, account_id, types)

    def _hooks(self, pos_system: object) -> Hooks:
        servers = self.world.servers
        if pos_system is None and len(servers) == 1:
            return next(iter(servers.values())).hooks
        if str(pos_system) not in servers:
            raise ValueError(f"pos_system must be one of {', '.join(servers)}")
        return servers[str(pos_system)].hooks

    async def clear_webhooks(self, request: Request) -> Response:
        """Tells nobody any more; what is on its way is stopped, and journal and faults are forgotten."""
        for server in self.world.servers.values():
            server.hooks.targets.clear()
        await self.sender.clear()
        return JSONResponse([])

    async def list_calls(self, request: Request) -> Response:
        """Counts of calls per path and account."""
        calls = sorted(self.layer.calls.items(), key=str) if self.layer else []
        return JSONResponse(
            [
                {"path": path, "merchant_id": merchant_id, "method": method, "count": count}
                for (path, merchant_id, method), count in calls
            ]
        )

    async def clear_calls(self, request: Request) -> Response:
        """Sets all counts to 0."""
        if self.layer is not None:
            self.layer.calls.clear()
        return JSONResponse([])


async def _object(request: Request) -> dict[str, Any]:
    text = await request.body()
    try:
        body = json.loads(text or b"{}")
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _nothing_there(world: World) -> Callable[[Request, Exception], Response]:
    vendors = Vendors(world)

    def answer(request: Request, error: Exception) -> Response:
        authorization = request.headers.get("authorization", "")
        return JSONResponse(vendors.error_body(request.url.path, authorization, 404), 404)

    return answer


def build_app(world: World, journal: Journal) -> ASGIApp:
    """Makes the application.

    Args:
        world: what it serves.
        journal: where commands are noted.
    """
    control = Control(world, journal)
    vendor_routes = [route for server in world.servers.values() for route in server.routes()]
    app = Starlette(
        routes=[*control.routes(), *vendor_routes], exception_handlers={404: _nothing_there(world)}
    )
    app.state.sender = control.sender
    control.layer = FaultLayer(
        app,
        Vendors(world),
        world.clock.http_date,
        lambda account_id: control.run("change", merchant_id=account_id),
    )
    return control.layer
