"""Square's events: valid by the vendor's specification, complete for payments and refunds alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator
from square.utils.webhooks_helper import verify_signature

from sandbox.square.driver import Driver
from tests.sandbox.hooked import SECRETS, Hooked, hooked
from tests.sandbox.test_schema import FUTURE_VALUE, SPECIFICATION, mismatches, unknown_keys

ENVELOPE = {
    "merchant_id": str,
    "type": str,
    "event_id": str,
    "created_at": str,
    "data": {"type": str, "id": str},
}
ORDER_FACTS = {"order_id": str, "version": int, "location_id": str, "state": str, "created_at": str,
               "updated_at": str}  # fmt: skip
OBJECTS: dict[str, dict[str, Any]] = {
    "payment": {"id": str, "order_id": str, "location_id": str, "status": str, "updated_at": str},
    "refund": {"id": str, "order_id": str, "location_id": str, "status": str, "updated_at": str},
    "order_updated": ORDER_FACTS,
    "order_fulfillment_updated": ORDER_FACTS,
    "catalog_version": {"updated_at": str},
    "revocation": {"revoked_at": str, "revoker_type": str},
}
SCHEMAS = {
    "payment.created": "PaymentCreatedEvent",
    "payment.updated": "PaymentUpdatedEvent",
    "refund.created": "RefundCreatedEvent",
    "refund.updated": "RefundUpdatedEvent",
    "order.updated": "OrderUpdatedEvent",
    "order.fulfillment.updated": "OrderFulfillmentUpdatedEvent",
    "catalog.version.updated": "CatalogVersionUpdatedEvent",
    "location.updated": "LocationUpdatedEvent",
    "oauth.authorization.revoked": "OauthAuthorizationRevokedEvent",
}
# In the vendor's own examples, and not in these schemas.
IN_EXAMPLES = {"CatalogVersionUpdatedEventData.id"}
Event = dict[str, Any]


def revoke(world: Hooked) -> None:
    """The first account's seller takes the access away."""
    body = {"merchant_id": world.accounts[0]["account_id"], "state": "revoked"}
    world.http.post("/tokens", json=body).raise_for_status()


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Hooked, list[dict[str, Any]], list[Event]]]:
    """Two rounds of edits, some sales and a revocation, as they were told."""
    with hooked(only="square") as world:
        world.listen("square")
        edited = [each for _ in range(2) for each in world.edit()]
        for number in range(2):
            world.sell("square", 6, number)
        revoke(world)
        world.journal()
        yield world, edited, world.bodies()


def test_events_have_the_shapes_we_expect(told: Any) -> None:
    problems: list[str] = []
    for event in told[2]:
        problems += mismatches(ENVELOPE, event, event["type"])
        objects = event["data"].get("object", {})
        assert len(objects) == (0 if event["type"].startswith("location") else 1)
        for name, content in objects.items():
            problems += mismatches(OBJECTS[name], content, name)
    assert problems == []
    assert {event["type"] for event in told[2]} == set(SCHEMAS)


def test_the_vendors_own_code_verifies_every_signature(told: Any) -> None:
    world = told[0]
    for request in world.receiver.requests:
        given = {
            "request_body": request.body.decode(),
            "signature_header": request.headers["x-square-hmacsha256-signature"],
            "notification_url": world.address("square"),
        }
        assert verify_signature(**given, signature_key=SECRETS["square"])
        assert not verify_signature(**given, signature_key="another")


def test_a_repeated_id_is_a_repeated_event_alone(told: Any) -> None:
    assert max(Counter(event["event_id"] for event in told[2]).values()) == 1


def test_a_sale_by_card_is_told_in_three_steps_and_no_sale_as_an_order(told: Any) -> None:
    first: dict[str, Event] = {}
    steps: dict[str, list[tuple[str, str, bool]]] = {}
    for event in told[2]:
        payment = event["data"].get("object", {}).get("payment")
        if payment is not None:
            first.setdefault(payment["id"], event)
            step = (event["type"], payment["status"], "processing_fee" in payment)
            steps.setdefault(payment["id"], []).append(step)
    cards = [each for key, each in steps.items() if first[key]["type"] == "payment.created" and len(each) > 1]
    expected = [
        ("payment.created", "APPROVED", False),
        ("payment.updated", "COMPLETED", False),
        ("payment.updated", "COMPLETED", True),
    ]
    assert expected in cards
    assert not any(event["type"] == "order.created" for event in told[2])


def test_every_new_payment_and_refund_is_told_with_its_order() -> None:
    with hooked(only="square") as world:
        driver = Driver(world.url)
        world.listen("square")
        before = {each["id"]: each for each in driver.payments()}
        refunds = {each["id"]: each for each in driver.listed("/v2/refunds", "refunds")}
        edited = world.edit()[0]
        changed = [each for each in driver.payments() if before.get(each["id"]) != each]
        given = [each for each in driver.listed("/v2/refunds", "refunds") if refunds.get(each["id"]) != each]
        world.journal()
        newest = {event["data"]["id"]: event["data"].get("object", {}) for event in world.bodies()}
        driver.http.close()
    assert changed
    assert given
    assert [each for each in changed if newest[each["id"]]["payment"] != each] == []
    assert [each for each in given if newest[each["id"]]["refund"] != each] == []
    named = {content.get("order_id") for each in newest.values() for content in each.values()}
    # Notes on old sales move no money and are told by nobody: only a poll finds them.
    assert set(edited["changed"]) - named
    assert named & set(edited["created"])


def test_a_seller_who_has_left_is_told_of_once_and_no_more() -> None:
    with hooked(only="square") as world:
        world.listen("square")
        revoke(world)
        revoke(world)
        world.sell("square")
        events = world.journal()["events"]
    assert [each["event_type"] for each in events] == ["oauth.authorization.revoked"]
    assert events[0]["merchant_id"] == world.accounts[0]["account_id"]


# Without the specification there is nothing to compare with; the tests above compare with our own shapes.
if SPECIFICATION.exists():

    def test_events_are_valid_by_the_vendors_specification(told: Any) -> None:
        components = json.loads(SPECIFICATION.read_text(encoding="utf-8"))["components"]
        problems: set[str] = set()
        for event in told[2]:
            name = SCHEMAS[event["type"]]
            schema = {"$ref": f"#/components/schemas/{name}", "components": components}
            for error in Draft7Validator(schema).iter_errors(event):
                if error.instance != FUTURE_VALUE:
                    problems.add(f"{name} {error.json_path}: {error.message}")
            problems |= set(unknown_keys(components["schemas"], name, event))
        assert problems == IN_EXAMPLES
