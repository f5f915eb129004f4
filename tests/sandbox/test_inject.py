"""Documents put verbatim into what the vendor answers."""

from __future__ import annotations

import json

import httpx
import pytest

from sandbox.square.driver import Driver

POISON = [
    '{"id":"nul","note":"a\\u0000b"}',
    '{"id":"lone","note":"\\ud800"}',
    '{"id":"huge","total_money":{"amount":1e400,"currency":"USD"}}',
    '{"id": "spaced" ,  "id2":1.50}',
    '{"note":"no id at all"}',
]


def inject(driver: Driver, text: str, stream: str = "orders") -> httpx.Response:
    """Injects a document into the first account."""
    query = {"merchant_id": driver.merchant_id(), "stream": stream}
    return driver.http.post("/_sandbox/inject", params=query, content=text)


@pytest.mark.parametrize("text", POISON)
def test_a_document_comes_back_verbatim_as_the_newest_change(fresh: Driver, text: str) -> None:
    key = inject(fresh, text).json()["id"]
    body = fresh.search_body(limit=1)
    body["query"]["sort"]["sort_order"] = "DESC"
    assert fresh.search(body).content.startswith(b'{"orders":[' + text.encode() + b"]")
    batch = fresh.post("/v2/orders/batch-retrieve", {"order_ids": [key]})
    assert batch.content == b'{"orders":[' + text.encode() + b"]}"


def test_its_own_time_and_location_and_state_count(fresh: Driver) -> None:
    one, other = fresh.locations()
    document = {
        "id": "early",
        "location_id": other,
        "state": "OPEN",
        "updated_at": "2025-06-01T00:00:00Z",
    }
    inject(fresh, json.dumps(document))
    first = fresh.search(fresh.search_body(limit=1)).json()["orders"]
    assert first == [document]
    elsewhere = fresh.search(fresh.search_body(limit=1, location_ids=[one])).json()["orders"]
    assert elsewhere != [document]


def test_a_newer_version_of_a_known_order_replaces_it(fresh: Driver) -> None:
    key, order = next(iter(fresh.orders().items()))
    inject(fresh, json.dumps({**order, "version": 99, "updated_at": fresh.now()}))
    orders = fresh.orders()
    assert orders[key]["version"] == 99
    assert len(orders) == len(fresh.truth(0)["transactions"])


@pytest.mark.parametrize(
    ("stream", "path", "name"),
    [
        ("payments", "/v2/payments", "payments"),
        ("refunds", "/v2/refunds", "refunds"),
        ("catalog", "/v2/catalog/list", "objects"),
        ("locations", "/v2/locations", "locations"),
    ],
)
def test_every_stream_can_be_injected(fresh: Driver, stream: str, path: str, name: str) -> None:
    document = {"id": "stranger", "type": "ITEM"}
    inject(fresh, json.dumps(document), stream)
    assert document in fresh.listed(path, name)


def test_unknown_streams_and_merchants_are_refused(fresh: Driver) -> None:
    assert inject(fresh, "{}", "weather").status_code == 400
    answer = fresh.http.post("/_sandbox/inject?merchant_id=nobody", content="{}")
    assert answer.status_code == 400
