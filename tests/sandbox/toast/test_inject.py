"""Documents put verbatim into what the vendor answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from sandbox.clock import WORLD_END
from sandbox.toast.driver import Driver
from sandbox.toast.names import time_text

POISON = [
    '{"guid":"nul","source":"a\\u0000b"}',
    '{"guid":"lone","source":"\\ud800"}',
    '{"guid":"huge","checks":[{"amount":1e400}]}',
    '{"guid": "spaced" ,  "numberOfGuests":1.50}',
    '{"source":"no guid at all"}',
]


def inject(driver: Driver, text: str, stream: str = "orders") -> httpx.Response:
    """Injects a document into the first account."""
    query = {"merchant_id": driver.account_id(), "stream": stream}
    return driver.http.post("/_sandbox/inject", params=query, content=text)


@pytest.mark.parametrize("text", POISON)
def test_a_document_comes_back_verbatim_as_a_change_of_now(fresh: Driver, text: str) -> None:
    key = inject(fresh, text).json()["id"]
    assert fresh.get(f"/orders/v2/orders/{key}").content == text.encode()
    window: dict[str, Any] = {"startDate": time_text(WORLD_END), "endDate": time_text(WORLD_END + 1)}
    assert fresh.get("/orders/v2/ordersBulk", **window).content == b"[" + text.encode() + b"]"


def test_its_own_time_and_day_count(fresh: Driver) -> None:
    document = {"guid": "early", "businessDate": 20_250_601, "modifiedDate": "2025-06-01T12:00:00.000+0000"}
    inject(fresh, json.dumps(document))
    window: dict[str, Any] = {
        "startDate": "2025-06-01T12:00:00.000+0000",
        "endDate": "2025-06-01T12:00:00.001+0000",
    }
    assert fresh.read("/orders/v2/ordersBulk", **window) == [document]
    assert fresh.read("/orders/v2/ordersBulk", businessDate="20250601") == [document]
    assert fresh.read("/orders/v2/ordersBulk", place=1, **window) == []


def test_a_version_of_a_known_order_replaces_older_ones_in_its_restaurant(fresh: Driver) -> None:
    key, order = next(iter(fresh.orders_of(0, 1).items()))
    newer = {"guid": key, "modifiedDate": time_text(WORLD_END), "source": "newer"}
    older = {"guid": key, "modifiedDate": "2020-01-01T00:00:00.000+0000", "source": "older"}
    inject(fresh, json.dumps(newer))
    assert fresh.orders_of(0, 1)[key] == newer
    inject(fresh, json.dumps(older))
    assert fresh.orders_of(0, 1)[key] == order
    assert key not in fresh.orders_of()


def test_a_restaurant_can_be_injected(fresh: Driver) -> None:
    document = {"guid": fresh.restaurant(), "general": None}
    inject(fresh, json.dumps(document), "restaurants")
    assert fresh.read(f"/restaurants/v1/restaurants/{fresh.restaurant()}") == document


def test_unknown_streams_and_merchants_are_refused(fresh: Driver) -> None:
    assert inject(fresh, "{}", "weather").status_code == 400
    answer = fresh.http.post("/_sandbox/inject?merchant_id=nobody", content="{}")
    assert answer.status_code == 400
