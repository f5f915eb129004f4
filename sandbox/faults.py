"""Faults on demand: refusals, slow and cut answers, broken connections, shifting pages, a wrong clock."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.ids import random_for

FaultKind = Literal["status", "reset", "slow", "expire_cursors", "truncate", "shift", "skew"]
_ASIDE = ("expire_cursors", "shift", "skew")  # they leave the answer to the vendor, and to another fault
CONTROL_PREFIX = "/_sandbox"
# Under this key of a request's scope: asks, once a cursor was seen, whether to refuse it.
CURSOR_FAULT = "sandbox.cursor_fault"


@dataclass(slots=True)
class Fault:
    """A standing order to misbehave; ``count`` is how often it may still happen, None for ever.

    ``seconds`` is how long a slow answer takes, or how far a skewed date is ahead. With ``is_empty`` a
    refusal has neither a body nor a content type.
    """

    kind: FaultKind
    path: str
    random: random.Random
    status: int = 503
    retry_after: str | None = None
    seconds: float = 1.0
    rate: float = 1.0
    count: int | None = None
    merchant_id: str | None = None
    is_empty: bool = False
    happened: int = 0

    def strikes(self, path: str, merchant_id: str | None) -> bool:
        """Whether this request is hit; counts it when it is."""
        if not path.startswith(self.path) or self.count == 0:
            return False
        if self.merchant_id is not None and self.merchant_id != merchant_id:
            return False
        if self.random.random() >= self.rate:
            return False
        self.happened += 1
        if self.count is not None:
            self.count -= 1
        return True

    def describe(self) -> dict[str, Any]:
        """The fault as the control route lists it."""
        shown = ("kind", "path", "status", "retry_after", "seconds", "rate", "count")
        names = (*shown, "merchant_id", "is_empty", "happened")
        return {name: getattr(self, name) for name in names}


def make_fault(seed: int, number: int, order: dict[str, Any]) -> Fault:
    """Reads a fault from a control request.

    Args:
        seed: of the world; with ``number`` it decides which requests a rate hits.
        number: of the fault, counted from the start.
        order: the request's body.

    Raises:
        ValueError: an unknown kind, or a value that is out of range.
    """
    kinds: dict[object, FaultKind] = {kind: kind for kind in get_args(FaultKind)}
    kind = kinds.get(order.get("kind"))
    if kind is None:
        raise ValueError(f"kind must be one of {', '.join(get_args(FaultKind))}")
    rate, status = float(order.get("rate", 1)), int(order.get("status", 503))
    if not 0 <= rate <= 1 or not 400 <= status <= 599:
        raise ValueError("rate must be within 0 and 1, status within 400 and 599")
    retry_after, count = order.get("retry_after"), order.get("count")
    return Fault(
        kind=kind,
        path=str(order.get("path", "/")),
        random=random_for(seed, "fault", number),
        status=status,
        retry_after=None if retry_after is None else str(retry_after),
        seconds=float(order.get("seconds", 1)),
        rate=rate,
        count=None if count is None else int(count),
        merchant_id=order.get("merchant_id"),
        is_empty=bool(order.get("is_empty", False)),
    )


class Vendor(Protocol):
    """What the fault layer asks about a request's vendor."""

    def caller(self, authorization: str) -> str | None:
        """Account id of a request's token."""
        ...

    def error_body(self, path: str, authorization: str, status: int) -> dict[str, Any]:
        """The vendor's body for a refusal of a path."""
        ...


@dataclass
class FaultLayer:
    """Stands between the network and the vendors: counts calls, stamps the date, applies faults.

    Args:
        http_date: the vendors' time, so many seconds off.
        shift: changes a document of an account, so that it leaves its place in the lists.
    """

    app: ASGIApp
    vendor: Vendor
    http_date: Callable[[float], str]
    shift: Callable[[str], object]
    faults: list[Fault] = field(default_factory=list)
    calls: Counter[tuple[str, str | None, str]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        ahead_seconds = 0.0

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", self.http_date(ahead_seconds).encode())
                message = {**message, "headers": [*message["headers"], date]}
            await send(message)

        path = str(scope["path"])
        if path.startswith(CONTROL_PREFIX):
            await self.app(scope, receive, dated)
            return
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        merchant_id = self.vendor.caller(authorization)
        self.calls[path, merchant_id, str(scope["method"])] += 1
        cursors = [each for each in self.faults if each.kind == "expire_cursors"]
        others = [each for each in self.faults if each.kind not in _ASIDE]
        scope[CURSOR_FAULT] = lambda: any(each.strikes(path, merchant_id) for each in cursors)
        aside = [each for each in self.faults if each.kind in ("shift", "skew")]
        struck = [each for each in aside if each.strikes(path, merchant_id)]
        ahead_seconds = sum(each.seconds for each in struck if each.kind == "skew")
        if merchant_id is not None and any(each.kind == "shift" for each in struck):
            self.shift(merchant_id)
        fault = next((each for each in others if each.strikes(path, merchant_id)), None)
        if fault is None:
            await self.app(scope, receive, dated)
        elif fault.kind == "status":
            body = self.vendor.error_body(path, authorization, fault.status)
            await _refuse(fault, body, dated)
        elif fault.kind in ("reset", "truncate"):
            await self._cut(fault, scope, receive, send, dated)
        else:
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, dated)

    async def _cut(self, fault: Fault, scope: Scope, receive: Receive, send: Send, dated: Send) -> None:
        """Sends half of the answer: as if it were all of it, or with the connection torn off."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        start = messages[0]
        body = b"".join(message.get("body", b"") for message in messages[1:])
        half = body[: len(body) // 2]
        if fault.kind == "truncate":
            rest = [pair for pair in start["headers"] if pair[0] != b"content-length"]
            length = (b"content-length", str(len(half)).encode())
            await dated({**start, "headers": [*rest, length]})
            await dated({"type": "http.response.body", "body": half})
            return
        await dated(start)
        await dated({"type": "http.response.body", "body": half, "more_body": True})
        # uvicorn's own request cycle owns the socket; ASGI has no word for tearing it off.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("connection torn off on demand")
        await asyncio.sleep(0)
        transport.abort()
        await asyncio.sleep(0)


async def _refuse(fault: Fault, body: dict[str, Any], send: Send) -> None:
    content = b"" if fault.is_empty else json.dumps(body).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    if content:
        headers.append((b"content-type", b"application/json"))
    if fault.retry_after is not None:
        headers.append((b"retry-after", fault.retry_after.encode()))
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
