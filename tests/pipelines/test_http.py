"""Asking a vendor: what is tried again, what is not, and what must never be told."""

import json
import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from pipelines import http as http_module
from pipelines.credentials import RenewingAuth
from pipelines.http import VendorHttp, hurried
from pos_core.errors import (
    PosError,
    VendorFaultError,
    VendorRateLimitError,
    VendorRequestError,
    VendorUnreachableError,
)
from tests.pipelines.scripted import Reply, ScriptedVendor, scripted

TOKEN = "secret-token-for-a-test"


def refuse(status: int, body: Any) -> PosError:
    """Keeps what a refusal was made from."""
    return VendorRequestError(f"refused: {json.dumps([status, body])}")


def client(url: str, token: str = TOKEN, per_second: int = 1000) -> VendorHttp:
    """A client of the scripted vendor."""
    return VendorHttp("Crumb", url, {"x-version": "1"}, refuse, per_second, RenewingAuth(lambda: token))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again(vendor: ScriptedVendor, status: int) -> None:
    vendor.replies = [Reply(status), Reply(status), Reply(body=b'{"bread": 1.10}')]
    with client(vendor.url) as http:
        answer = http.get("/loaves", {"page": "1"})
    assert str(answer.body["bread"]) == "1.10"
    assert (http.usage.calls, http.usage.retries) == (3, 2)
    assert [each.path for each in vendor.requests] == ["/loaves?page=1"] * 3


@pytest.mark.parametrize(
    "broken",
    [
        Reply(body=b"<html>"),
        Reply(body=b'{"cut": [1, 2'),
        Reply(body=b""),
        Reply(body=b'{"torn": "off in the middle"}', is_cut=True),
        Reply(body=b"no gzip", headers={"content-encoding": "gzip"}),
    ],
    ids=["html", "cut", "empty", "reset in mid-body", "wrong encoding"],
)
def test_an_answer_that_is_broken_is_asked_for_again(vendor: ScriptedVendor, broken: Reply) -> None:
    vendor.replies = [broken, Reply(body=b'{"ok": true}')]
    with client(vendor.url) as http:
        assert http.post("/search", {"limit": 5}).body == {"ok": True}
    assert http.usage.retries == 1
    assert [each.body for each in vendor.requests] == [b'{"limit":5}'] * 2


def test_a_vendor_that_does_not_answer_in_time_is_asked_again(
    vendor: ScriptedVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "_TIMEOUT", httpx.Timeout(30, read=0.1))
    release = threading.Event()
    with client(vendor.url) as http:
        vendor.replies = [Reply(waits_for=release), Reply(waits_for=release)]
        with pytest.raises(VendorUnreachableError, match=r"does not answer \(ReadTimeout\)"):
            http.get("/")
        release.set()
        assert http.usage.calls == 6


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(429), VendorRateLimitError),
        (Reply(503), VendorFaultError),
        (Reply(body=b"nonsense"), VendorFaultError),
    ],
)
def test_after_six_attempts_it_is_given_up(
    vendor: ScriptedVendor, reply: Reply, error: type[PosError]
) -> None:
    vendor.replies = [reply]
    with client(vendor.url) as http, pytest.raises(error):
        http.get("/")
    assert len(vendor.requests) == 6
    assert (http.usage.calls, http.usage.retries) == (6, 5)


def test_nobody_at_the_address_is_an_unreachable_vendor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client(f"http://127.0.0.1:{port}") as http, pytest.raises(VendorUnreachableError):
        http.get("/")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_tried_again(vendor: ScriptedVendor, status: int) -> None:
    vendor.replies = [Reply(status, b'{"why": 1}'), Reply(status, b"plain")]
    with client(vendor.url) as http:
        with pytest.raises(VendorRequestError, match=rf'refused: \[{status}, {{"why": 1}}\]'):
            http.get("/")
        with pytest.raises(VendorRequestError, match=rf"refused: \[{status}, null\]"):
            http.get("/")
    assert len(vendor.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_neither_followed_nor_taken_for_an_answer(vendor: ScriptedVendor, status: int) -> None:
    with scripted() as other:
        vendor.replies = [Reply(status, b'{"orders": []}', {"location": other.url})]
        with client(vendor.url) as http, pytest.raises(VendorFaultError, match="check the address"):
            http.get("/v2/orders")
        assert other.requests == []
    assert len(vendor.requests) == 1


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """How long each retry waited; retries wait as they really do."""
    seconds: list[float] = []

    def note(details: RetryDetails) -> None:
        seconds.append(details.wait_for)

    before = get_on_retry_hooks()
    set_on_retry_hooks([note])
    stamina.set_testing(False)
    yield seconds
    set_on_retry_hooks(before)


def test_a_retry_waits_as_long_as_the_vendor_asks(vendor: ScriptedVendor, waits: list[float]) -> None:
    vendor_now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    told = {
        "date": vendor_now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "retry-after": (vendor_now + timedelta(seconds=1)).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    vendor.replies = [Reply(429, headers={"retry-after": "0"}), Reply(503, headers=told), Reply()]
    with client(vendor.url) as http:
        http.get("/")
    assert waits == [0.0, 1.0]


def test_a_retry_that_nobody_timed_waits_with_jitter(vendor: ScriptedVendor, waits: list[float]) -> None:
    vendor.replies = [Reply(429, headers={"retry-after": "soon"}), Reply()]
    with client(vendor.url) as http:
        http.get("/")
    assert 0.5 <= waits[0] <= 1.0
    assert waits[0] != 0.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 60.0),
        ("7", 7.0),
        ("Fri, 02 Jan 2099 00:00:00 GMT", 60.0),
        ("Fri, 02 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_no_wait_is_longer_than_a_minute(text: str, seconds: float) -> None:
    after = http_module._retry_after(httpx.Headers({"retry-after": text}))
    error = http_module._RetryError(VendorRateLimitError("no"), after)
    assert http_module._wait_for(error) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "\u0665", "Fri, 99 Foo 2099"])
def test_a_wait_that_makes_no_sense_is_left_to_the_backoff(text: str) -> None:
    headers = httpx.Headers([(b"retry-after", text.encode("utf-8"))])
    assert http_module._retry_after(headers) is None


def test_only_what_may_pass_is_tried_again() -> None:
    assert http_module._wait_for(ValueError("a mistake of ours")) is False


def test_the_vendors_clock_is_taken_from_its_answer(vendor: ScriptedVendor) -> None:
    vendor.replies = [
        Reply(headers={"date": "Sun, 12 Apr 2026 18:00:00 GMT"}),
        Reply(),
        Reply(headers={"date": "x"}),
    ]
    before = datetime.now(UTC)
    with client(vendor.url) as http:
        told, *untold = (http.get("/") for _ in range(3))
    assert told.vendor_now == datetime(2026, 4, 12, 18, tzinfo=UTC)
    for answer in (told, *untold):
        assert before <= answer.asked_at <= datetime.now(UTC)
    for answer in untold:
        assert before <= answer.vendor_now <= datetime.now(UTC)


def test_bytes_and_calls_are_counted(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(503, b"12345"), Reply(200, b'{"a": 1}')]
    with client(vendor.url) as http:
        http.post_form("/token", {"grant": "x"}, {"q": "1"})
    assert http.usage.received_bytes == 13
    assert vendor.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert (vendor.requests[0].path, vendor.requests[0].body) == ("/token?q=1", b"grant=x")


@pytest.mark.parametrize(
    "reply",
    [Reply(401), Reply(429), Reply(503), Reply(302), Reply(body=b"x"), Reply(is_cut=True, body=b"12345678")],
    ids=["refused", "limited", "fault", "redirect", "no JSON", "reset"],
)
def test_the_token_is_in_no_error_log_or_repr(
    vendor: ScriptedVendor, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.replies = [reply]
    with client(vendor.url) as http, pytest.raises(PosError) as caught:
        http.get("/")
    assert vendor.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    told = [*traceback.format_exception(caught.value), repr(caught.value), repr(http), caplog.text]
    assert all(TOKEN not in text for text in told)


def test_a_client_leaves_no_thread_behind(vendor: ScriptedVendor) -> None:
    with client(vendor.url) as http:
        http.get("/")
        known = {thread.name for thread in threading.enumerate()}
    assert not any("leak" in name.lower() for name in known)


def test_the_rate_is_limited(vendor: ScriptedVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    with client(vendor.url, per_second=2) as http:
        acquired = [http._limiter.try_acquire("vendor", blocking=False) for _ in range(8)]
    assert acquired == [True] * 6 + [False] * 2


def test_who_waits_is_not_kept_waiting_for_six_attempts(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(503)]
    with hurried(60), client(vendor.url) as http, pytest.raises(VendorFaultError):
        http.get("/loaves")
    assert len(vendor.requests) == 2


def test_who_waits_is_told_once_the_time_is_over(vendor: ScriptedVendor) -> None:
    with (
        hurried(0),
        client(vendor.url) as http,
        pytest.raises(VendorUnreachableError, match="takes too long"),
    ):
        http.get("/loaves")
    assert vendor.requests == []


def test_who_waits_does_not_wait_for_what_comes_too_late(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(429, headers={"retry-after": "60"})]
    with hurried(30), client(vendor.url) as http, pytest.raises(VendorRateLimitError):
        http.get("/loaves")
    assert len(vendor.requests) == 1


def test_an_answer_that_is_lost_when_nobody_hears_it_is_waited_for(vendor: ScriptedVendor) -> None:
    with hurried(0), VendorHttp("Crumb", vendor.url, {}, refuse, 10, is_patient=True) as http:
        assert http.get("/loaves").body == {}


def test_a_client_that_is_made_afterwards_has_its_patience_again(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(503)]
    with hurried(0):
        pass
    with client(vendor.url) as http, pytest.raises(VendorFaultError):
        http.get("/loaves")
    assert len(vendor.requests) == 6


def test_parameters_of_addresses_are_not_logged(
    vendor: ScriptedVendor, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "httpx"), client(vendor.url) as http:
        http.get("/loaves", {"refresh_token": TOKEN})
    assert "/loaves" in caplog.text
    assert TOKEN not in caplog.text
