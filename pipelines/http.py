"""One vendor's API over httpx: retries with jitter, `Retry-After`, a rate limit, counters, typed errors."""

import email.utils
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
import stamina
import stamina.instrumentation
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate, SingleBucketFactory

from pipelines import json_text
from pos_core.errors import (
    PosError,
    VendorAnswerError,
    VendorFaultError,
    VendorRateLimitError,
    VendorUnreachableError,
)


def _without_query(record: logging.LogRecord) -> bool:
    """Cuts the parameters off addresses in a line of httpx: some vendors want tokens in them."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            str(each.copy_with(query=None)) if isinstance(each, httpx.URL) else each for each in record.args
        )
    return True


logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpx").addFilter(_without_query)
# With structlog installed, stamina would print every retry on standard output, into the JSON of commands.
# `Usage` counts them.
stamina.instrumentation.set_on_retry_hooks([])

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 60.0
_BURST_SECONDS = 3
_HURRIED_TIMEOUT_SECONDS, _HURRIED_CONNECT_SECONDS = 10.0, 3.0
_HURRIED_ATTEMPTS = 2

_deadline_seconds: ContextVar[float | None] = ContextVar("deadline_seconds", default=None)

ErrorReader = Callable[[int, Any], PosError]
"""Turns a refusal (status, parsed body or None) into the error to raise."""


@dataclass
class Usage:
    """What talking to the vendor took, for the sync log."""

    calls: int = 0
    retries: int = 0
    received_bytes: int = 0


@dataclass(frozen=True)
class Answer:
    """A parsed answer; `asked_at` is our clock at the request, `vendor_now` the vendor's at the answer."""

    body: Any
    asked_at: datetime
    vendor_now: datetime
    headers: Mapping[str, str]


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Somebody waits for the answer: the clients made in this block try twice at most, and give up in time.

    Args:
        seconds: after which no request is sent any more; one that was sent before may take ten seconds. A
            request whose answer cannot be had twice keeps its patience.
    """
    token = _deadline_seconds.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline_seconds.reset(token)


class _RetryError(Exception):
    def __init__(self, error: PosError, after_seconds: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after_seconds = after_seconds


class VendorHttp:
    """A client bound to one vendor address and one credential.

    Args:
        title: the vendor's name, for messages.
        base_url: the operator's address of the vendor.
        headers: sent with every request.
        read_error: turns a refusal into an error.
        per_second: requests a second at most, on the average of a few seconds.
        auth: adds the authorization, and renews it.
        attempts: how often one request is sent at most.
        is_patient: whether it takes its time even where somebody waits, for an answer that is lost for good
            when nobody hears it.
    """

    def __init__(
        self,
        title: str,
        base_url: str,
        headers: Mapping[str, str],
        read_error: ErrorReader,
        per_second: int,
        auth: httpx.Auth | None = None,
        attempts: int = _ATTEMPTS,
        is_patient: bool = False,
    ) -> None:
        self.title = title
        self.base_url = base_url
        self.usage = Usage()
        self._read_error = read_error
        deadline_seconds = _deadline_seconds.get()
        self._attempts = attempts if deadline_seconds is None else min(attempts, _HURRIED_ATTEMPTS)
        self._until = None if is_patient else deadline_seconds
        self._limiter = limiter(per_second, _BURST_SECONDS)
        trust_env = not is_loopback(base_url)
        self._client = httpx.Client(
            base_url=base_url,
            headers={"accept": "application/json", **headers},
            auth=auth,
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=trust_env,
            verify=trusted(trust_env),
        )

    def __repr__(self) -> str:
        return f"VendorHttp({self.title}, {self.base_url})"

    def __enter__(self) -> "VendorHttp":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a GET; see `_ask` for what it raises."""
        return self._ask("GET", path, params=dict(params or {}), headers=dict(headers or {}))

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Sends a POST of JSON that may be repeated; see `_ask` for what it raises.

        It only reads, or the vendor knows a repetition by a key in it.
        """
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Sends a PUT of JSON; see `_ask` for what it raises."""
        return self._ask("PUT", path, json=body)

    def delete(self, path: str) -> Answer:
        """Sends a DELETE; see `_ask` for what it raises."""
        return self._ask("DELETE", path)

    def post_form(
        self, path: str, form: Mapping[str, str], params: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a POST of form fields, as OAuth wants it; see `_ask` for what it raises."""
        return self._ask("POST", path, data=dict(form), params=dict(params or {}))

    def _ask(self, method: str, path: str, **content: Any) -> Answer:
        """One request with its retries.

        Raises:
            VendorUnreachableError: no answer after all attempts.
            VendorRateLimitError: 429 after all attempts.
            VendorFaultError: 5xx after all attempts, or a redirect: the address is wrong then.
            VendorAnswerError: no JSON after all attempts.
            PosError: what `read_error` makes of another refusal.
        """
        try:
            for attempt in stamina.retry_context(
                on=self._wait_for,
                attempts=self._attempts,
                timeout=None,
                wait_initial=0.5,
                wait_max=_LONGEST_WAIT_SECONDS,
                wait_jitter=0.5,
            ):
                with attempt:
                    if attempt.num > 1:
                        self.usage.retries += 1
                    return self._once(method, path, content)
        except _RetryError as last:
            raise last.error from None
        raise AssertionError("the retry loop always returns or raises")

    def _once(self, method: str, path: str, content: Mapping[str, Any]) -> Answer:
        if self._until is not None:
            left_seconds = self._until - time.monotonic()
            if left_seconds <= 0:
                raise VendorUnreachableError(f"{self.title} at {self.base_url} takes too long to answer.")
            total_seconds = min(left_seconds, _HURRIED_TIMEOUT_SECONDS)
            connect_seconds = min(left_seconds, _HURRIED_CONNECT_SECONDS)
            content = {**content, "timeout": httpx.Timeout(total_seconds, connect=connect_seconds)}
        self._limiter.try_acquire("vendor")
        self.usage.calls += 1
        asked_at = datetime.now(UTC)
        try:
            response = self._client.request(method, path, **content)
        except httpx.RequestError as error:
            message = f"{self.title} at {self.base_url} does not answer ({type(error).__name__})."
            raise _RetryError(VendorUnreachableError(message)) from None
        self.usage.received_bytes += len(response.content)
        status = response.status_code
        if status == 429:
            limited = VendorRateLimitError(f"{self.title} keeps answering «too many requests».")
            raise _RetryError(limited, _retry_after(response.headers))
        if status >= 500 or status == 408:
            fault = VendorFaultError(f"{self.title} failed with HTTP {status} on {path}.")
            raise _RetryError(fault, _retry_after(response.headers))
        if status >= 400:
            raise self._read_error(status, _parse_or_none(response.content))
        if status >= 300:
            # A token is never carried to another address, and no redirect is an answer.
            raise VendorFaultError(
                f"{self.title} redirects {path} elsewhere; check the address {self.base_url}."
            )
        try:
            body = json_text.parse(response.content)
        except ValueError:
            raise _RetryError(
                VendorAnswerError(f"{self.title} answered {path} with no valid JSON.")
            ) from None
        vendor_now = _http_date(response.headers.get("date")) or datetime.now(UTC)
        return Answer(body, asked_at, vendor_now, response.headers)

    def _wait_for(self, error: Exception) -> bool | timedelta:
        wait = _wait_for(error)
        if self._until is None or not isinstance(wait, timedelta):
            return wait
        return wait if wait.total_seconds() < self._until - time.monotonic() else False


@lru_cache(maxsize=2)
def trusted(trust_env: bool) -> ssl.SSLContext:
    """Whose certificates count; reading them takes longer than many a sync, so that clients share it.

    Args:
        trust_env: whether variables of the environment may name others.
    """
    return httpx.create_ssl_context(trust_env=trust_env)


def limiter(per_second: int, burst_seconds: int = 1) -> Limiter:
    """A limit on calls, on the average of so many seconds.

    Without the thread that forgets old calls: it would outlive its client, and a sync makes few.
    """
    rate = Rate(per_second * burst_seconds, Duration.SECOND * burst_seconds)
    return Limiter(SingleBucketFactory(InMemoryBucket([rate]), schedule_leak=False))


def _wait_for(error: Exception) -> bool | timedelta:
    if not isinstance(error, _RetryError):
        return False
    if error.after_seconds is None:
        return True
    return timedelta(seconds=min(error.after_seconds, _LONGEST_WAIT_SECONDS))


def _retry_after(headers: httpx.Headers) -> float | None:
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    at = _http_date(text)
    if at is None:
        return None
    # By the vendor's own clock, where it is told: ours may be wrong.
    now = _http_date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _parse_or_none(content: bytes) -> Any:
    try:
        return json_text.parse(content)
    except ValueError:
        return None


def is_loopback(base_url: str) -> bool:
    """Whether an address is on this machine."""
    return httpx.URL(base_url).host in {"127.0.0.1", "localhost", "::1"}
