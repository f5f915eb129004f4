"""Rate limits in fixed slices of time, and the headers that tell about them.

Source: Toast developer guide, page on rate limiting: 20 a second and 10,000 in 15 minutes per client and
restaurant, ordersBulk 5 a second; headers on every answer but a login's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clock import SECOND, Clock
from sandbox.toast.errors import VendorError

_QUARTER_SECONDS = 900
SETTINGS = {
    "limits": 0,
    "slice_seconds": 1,
    "calls_per_slice": 20,
    "bulk_calls_per_slice": 5,
    "calls_per_quarter_hour": 10_000,
}


@dataclass(frozen=True, slots=True)
class _Limit:
    by: str
    seconds: int
    most: int
    bucket: str


class Limits:
    """Counts calls; refuses only while the setting ``limits`` is not 0."""

    def __init__(self, clock: Clock, settings: Mapping[str, int]) -> None:
        """Makes a counter that has seen nothing.

        Args:
            clock: the sandbox's clock; while it stands still real time moves the slices.
            settings: those of ``SETTINGS``.
        """
        self._clock = clock
        self._settings = settings
        self._started_seconds = time.monotonic()
        self._used: Counter[tuple[str, int]] = Counter()

    def count(self, client: str, restaurant: str, *, is_bulk: bool) -> dict[str, str]:
        """Counts a call and answers the headers of the tightest limit.

        Args:
            client: whose credential, or where the call comes from.
            restaurant: of the request's header, empty when there is none.
            is_bulk: whether it asks for many orders.

        Raises:
            VendorError: 429, with the same headers and ``Retry-After`` in seconds.
        """
        settings = self._settings
        limits = [
            _Limit("GLOBAL", settings["slice_seconds"], settings["calls_per_slice"], "second"),
            _Limit("GLOBAL", _QUARTER_SECONDS, settings["calls_per_quarter_hour"], "quarter"),
        ]
        if is_bulk:
            limits.append(
                _Limit("ENDPOINT", settings["slice_seconds"], settings["bulk_calls_per_slice"], "bulk")
            )
        now = self._seconds()
        told = [(self._left(each, client, restaurant, now), each) for each in limits]
        left, tightest = min(told, key=lambda each: each[0])
        reset = (int(now) // tightest.seconds + 1) * tightest.seconds
        headers = {
            "X-Toast-RateLimit-By": tightest.by,
            "X-Toast-RateLimit-Remaining": str(max(0, left)),
            "X-Toast-RateLimit-Reset": str(reset),
        }
        if left < 0:
            wait = max(1, reset - int(now))
            raise VendorError(429, "Too many requests.", {**headers, "Retry-After": str(wait)})
        return headers

    def _left(self, limit: _Limit, client: str, restaurant: str, now: float) -> int:
        if not self._settings["limits"]:
            return limit.most - 1
        key = (f"{limit.bucket} {client} {restaurant}", int(now) // limit.seconds)
        self._used[key] += 1
        return limit.most - self._used[key]

    def _seconds(self) -> float:
        now = self._clock.now() / SECOND
        return now if self._clock.is_ticking else now + time.monotonic() - self._started_seconds
