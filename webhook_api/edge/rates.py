"""How often somebody may ask: by address before it is known who asks, by tenant after.

Counts are kept in this process; several processes let through as many times as much.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from math import ceil
from threading import Lock
from typing import Any
from uuid import UUID

import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pos_core.errors import TooManyRequestsError
from pos_core.settings import get_settings
from webhook_api import problems
from webhook_api.edge.addresses import subscriber

WEBHOOKS = "/api/v1/webhooks/"


def is_unlimited(method: str, path: str) -> bool:
    """Whether anybody may ask for this at any rate: probes, and vendors, who prove themselves."""
    return path.startswith("/health/") or (method == "POST" and path.startswith(WEBHOOKS))


class Windows(MemoryStorage):
    """Moving windows of one length that hold what happened within it and nothing else.

    The library's own keep every key for ever and walk through all of them a hundred times a second: 0.44 of
    a core at 50 requests a second once 10,000 addresses were seen (limits 5.8).

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.hits: dict[str, deque[float]] = {}
        self._lock = Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts a request unless there were as many as may be; keys stay in the order of their last one."""
        now = self._clock()
        with self._lock:
            hits = self.hits.pop(key, deque())
            while hits and hits[0] <= now - expiry:
                hits.popleft()
            if is_allowed := len(hits) + amount <= limit:
                hits.extend([now] * amount)
            if hits:
                self.hits[key] = hits
            # Two for each that may be new: none is left behind.
            for oldest in list(islice(self.hits, 2)):
                if self.hits[oldest][-1] <= now - expiry:
                    del self.hits[oldest]
        return is_allowed

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the window of a key began, and how many requests are in it."""
        now = self._clock()
        with self._lock:
            inside = [each for each in self.hits.get(key, ()) if each > now - expiry]
        return (inside[0], len(inside)) if inside else (now, 0)


@dataclass(frozen=True)
class Standing:
    """How a caller stands with a limit."""

    limit: int
    remaining: int
    reset_seconds: int
    policy_seconds: int

    def headers(self) -> dict[str, str]:
        """As answers say it (draft-ietf-httpapi-ratelimit-headers-07)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
            "RateLimit-Policy": f"{self.limit};w={self.policy_seconds}",
        }


class Rate:
    """One limit, such as 600/minute, for each of many callers.

    Args:
        rule: as in the settings.
        whose: what is limited, for the message.
        clock: seconds that only ever grow.
    """

    def __init__(self, rule: str, whose: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._item = limits.parse(rule)
        self._limiter = MovingWindowRateLimiter(Windows(clock))
        self._clock = clock
        self._rule, self._whose = rule, whose

    def take(self, caller: str, state: dict[str, Any]) -> None:
        """Counts a request.

        Args:
            caller: who is counted.
            state: of the request; the answer's headers tell how the caller stands with the nearest limit.

        Raises:
            TooManyRequestsError: there were too many already.
        """
        is_allowed = self._limiter.hit(self._item, caller)
        reset_at, remaining = self._limiter.get_window_stats(self._item, caller)
        seconds = max(1, ceil(reset_at - self._clock()))
        standing = Standing(self._item.amount, max(0, remaining), seconds, self._item.get_expiry())
        nearest: Standing | None = state.get("rate_limit")
        if nearest is None or standing.remaining <= nearest.remaining:
            state["rate_limit"] = standing
        if not is_allowed:
            raise TooManyRequestsError(
                f"There are more requests {self._whose} than {self._rule}; go on in {seconds} s.", seconds
            )


class RateLimits:
    """Limits requests by the address they come from, so that guessing tokens is slow.

    The limit of tenants is left in the request's state, for `take_for_tenant`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._rates: tuple[Rate, Rate] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and not is_unlimited(scope["method"], scope["path"]):
            if self._rates is None:
                settings = get_settings()
                self._rates = (
                    Rate(settings.rate_limit_per_address, "from this address"),
                    Rate(settings.rate_limit_per_tenant, "of this tenant"),
                )
            by_address, scope["state"]["tenant_rate"] = self._rates
            client = scope.get("client")
            try:
                by_address.take(subscriber(client[0] if client else None), scope["state"])
            except TooManyRequestsError as error:
                await problems.answer_error(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def take_for_tenant(tenant_id: UUID, state: dict[str, Any]) -> None:
    """Counts a request of a tenant, unless its path is one without limits.

    Args:
        tenant_id: whose token it came with.
        state: of the request.

    Raises:
        TooManyRequestsError: it asks too often.
    """
    rate: Rate | None = state.get("tenant_rate")
    if rate is not None:
        rate.take(str(tenant_id), state)
