"""One request from its first byte to its last: its id, its address, its line in the log, its safe headers."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pos_core.settings import get_settings
from webhook_api import logs, problems
from webhook_api.edge.addresses import client_address
from webhook_api.edge.rates import is_unlimited

logger = logging.getLogger("webhook_api.access")

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_SHOWN_PART = re.compile(r"[A-Za-z0-9._-]{1,24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PRIVATE = "/api/"
_SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
# Answers of the API are data of one tenant, and never a page.
_PRIVATE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_CLIENT_LEFT = 499


class Requests:
    """Outermost: whatever happens inside, the answer has an id and the log has a line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or starts and ends the application."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, _in_one_line(send))
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _WELL_FORMED.fullmatch(given) else str(uuid4())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        peer, port = scope.get("client") or (None, 0)
        address = client_address(peer, headers.getlist("x-forwarded-for"), get_settings().trusted_proxies)
        if address is not None:
            scope["client"] = (address, port)
        marker = logs.request_id.set(request_id)
        began = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _mark(scope, message)
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT
        except Exception as error:
            logger.error("The request failed:\n%s", logs.without_values(error))
            if not status:
                failed = problems.answer(Request(scope), 500, problems.FAILED, "internal")
                await failed(scope, receive, send_marked)
        finally:
            _log(scope, status or _CLIENT_LEFT, time.perf_counter() - began)
            logs.request_id.reset(marker)


def _mark(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-ID"] = scope["state"]["request_id"]
    wanted = {**_SAFE_HEADERS, **(_PRIVATE_HEADERS if scope["path"].startswith(_PRIVATE) else {})}
    for name, value in wanted.items():
        headers.setdefault(name, value)
    standing = scope["state"].get("rate_limit")
    if standing is not None:
        headers.update(standing.headers())


def _log(scope: Scope, status: int, seconds: float) -> None:
    """Queries are left out, and parts of a path that could be a secret."""
    client = scope.get("client")
    is_routine = is_unlimited(scope["method"], scope["path"]) and status < 400
    level = logging.DEBUG if is_routine else logging.INFO
    if not logger.isEnabledFor(level):
        return
    path = "/".join(
        part if not part or _SHOWN_PART.fullmatch(part) else "…" for part in scope["path"][:500].split("/")
    )
    logger.log(
        level,
        "%s %s %d %.1f ms from %s tenant %s",
        scope["method"],
        path,
        status,
        seconds * 1000,
        client[0] if client else "-",
        scope["state"].get("tenant_id", "-"),
    )


def _in_one_line(send: Send) -> Send:
    """Tells a start that a wrong setting prevents by its message alone."""

    async def send_line(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            last = message["message"].strip().rpartition("\n")[2]
            name, _, reason = last.partition(": ")
            if name.startswith("pos_core.errors."):
                message = {**message, "message": reason}
        await send(message)

    return send_line
