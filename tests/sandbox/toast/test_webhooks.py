"""Toast's events: the order that the API answers, without its guests, in the envelope of the sample."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.toast.documents import strip
from sandbox.hosting import ROOT
from sandbox.toast.driver import Driver
from tests.sandbox.hooked import hooked

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))
SAMPLE = REFERENCE / "vendor_payloads" / "toast" / "15_webhook_order_updated_two_open_checks.json"
# The kinds of the values that each key of the envelope has; of the vendor's sample where it is at hand.
ENVELOPE = {
    "timestamp": "str", "eventCategory": "str", "eventType": "str", "guid": "str",
    "details": {"restaurantGuid": "str", "order": "dict"},
}  # fmt: skip
GUESTS = {"customer", "deliveryInfo", "curbsidePickupInfo", "externalId"}


def differences(told: Any, answered: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Where an order of an event is not that of an answer: the key, and what the event has there."""
    if isinstance(told, dict) and isinstance(answered, dict) and set(told) == set(answered):
        for name, value in told.items():
            yield from differences(value, answered[name], name)
    elif isinstance(told, list) and isinstance(answered, list) and len(told) == len(answered):
        for one, other in zip(told, answered, strict=True):
            yield from differences(one, other, key)
    elif told != answered:
        yield key, told


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """The kinds of an envelope's values."""
    kinds: dict[str, Any] = {key: type(value).__name__ for key, value in event.items()}
    kinds["details"] = {key: type(value).__name__ for key, value in event["details"].items()}
    return kinds


def test_every_change_is_told_with_the_whole_order() -> None:
    with hooked(only="toast") as world:
        world.listen("toast")
        driver = Driver(world.url)
        edited = world.edit()
        sold = world.sell("toast", 3)
        world.journal()
        answered = {key: each for account in range(len(world.accounts))
                    for key, each in driver.orders(account).items()}  # fmt: skip
        requests = world.receiver.requests
        bodies = [json.loads(each.body, parse_float=Decimal) for each in requests]
        restaurants = {place["id"] for each in world.accounts for place in each["locations"]}
        driver.http.close()
    told = {event["details"]["order"]["guid"]: event["details"]["order"] for event in bodies}
    changed = {key for each in edited for key in (*each["changed"], *each["created"])}
    assert set(told) == changed | set(sold)
    found = {pair for key, order in told.items() for pair in differences(order, answered[key])}
    assert {"customer"} <= {key for key, _ in found} <= GUESTS
    assert {value for _, value in found} == {None}
    # Landed from an event or from a read, an order has the same content and is not landed twice.
    assert all(strip("orders", order) == strip("orders", answered[key]) for key, order in told.items())
    assert {shape(event)["details"]["order"] for event in bodies} == {"dict"}
    for request, event in zip(requests, bodies, strict=True):
        assert shape(event) == ENVELOPE
        assert event["eventType"] == event["eventCategory"] == request.headers["toast-event-type"]
        assert request.headers["toast-event-category"] == "order_updated"
        assert request.headers["toast-restaurant-external-id"] == event["details"]["restaurantGuid"]
        assert event["details"]["restaurantGuid"] in restaurants
        assert request.headers["toast-attempt-number"] == "1"
        assert all(value is None for key, value in keys(event) if key in GUESTS)
    assert len({event["guid"] for event in bodies}) == len(bodies)


def keys(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key inside a document with its value."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            for key, inner in each.items():
                yield key, inner
                yield from keys(inner)


@pytest.mark.parametrize("source", ["ours", *(["vendor"] if SAMPLE.exists() else [])])
def test_the_envelope_is_that_of_the_sample(source: str) -> None:
    """Without the vendor's sample our own event stands in."""
    with hooked(only="toast") as world:
        world.listen("toast")
        world.sell("toast")
        world.journal()
        [event] = world.bodies()
    sample = event if source == "ours" else json.loads(SAMPLE.read_text(encoding="utf-8"))
    assert shape(sample) == shape(event) == ENVELOPE
    assert set(sample["details"]["order"]) - set(event["details"]["order"]) <= {"channelGuid"}
