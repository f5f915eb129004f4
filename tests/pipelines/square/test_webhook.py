"""Square's events: the vendor's own signature vectors and examples, and what each type leads to."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.square.settings import webhook_signature_keys
from pipelines.square.webhook import EVENT_TYPES, WEBHOOK
from pipelines.webhook import Delivery, Meaning
from pos_core.settings import PROJECT_ROOT
from tests.pipelines.deliveries import BODIES, SECRETS, genuine, saying

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", PROJECT_ROOT.parent / "shared"))
VECTORS = REFERENCE / "vendor_payloads" / "square" / "webhook_signature_vectors.json"
EXAMPLES = REFERENCE / "vendor_payloads" / "square" / "spec_webhook_events.json"
SIGNATURE = "x-square-hmacsha256-signature"
CANARY = "Canary Wren"


def own_vectors() -> list[dict[str, Any]]:
    """Our own vectors in the shape of the vendor's; they stand in where those are not at hand."""
    delivery = genuine("square")
    vector = {
        "name": "ours",
        "body": BODIES["square"].decode(),
        "signature": delivery.headers[SIGNATURE],
        "signature_key": SECRETS["square"],
        "notification_url": delivery.url,
        "valid": True,
    }
    reformatted = json.dumps(json.loads(BODIES["square"]), indent=1)
    wrong = [
        {"notification_url": f"{delivery.url}/"},
        {"notification_url": delivery.url.replace("https", "http")},
        {"signature_key": "another"},
        {"body": reformatted},
        {"signature": "1z2n3DEJJiUPKcPzQo1ftvbxGdw="},
    ]
    return [vector, *({**vector, **each, "valid": False} for each in wrong)]


def vectors() -> list[dict[str, Any]]:
    """The vendor's vectors, where they are at hand, and ours."""
    known = json.loads(VECTORS.read_text(encoding="utf-8")) if VECTORS.exists() else []
    return [*known, *own_vectors()]


@pytest.mark.parametrize("vector", vectors(), ids=lambda each: f"{each['name']}-{each['valid']}")
def test_signatures_are_those_of_the_vendor(vector: dict[str, Any]) -> None:
    headers = {SIGNATURE: vector["signature"]}
    delivery = Delivery(vector["body"].encode(), headers, vector["notification_url"])
    assert WEBHOOK.verify(delivery, [vector["signature_key"]]) is vector["valid"]


def event(event_type: str, **more: Any) -> dict[str, Any]:
    """An event of a type."""
    return {"merchant_id": "MLCRUMB", "type": event_type, "event_id": "e-1", **more}


def of_object(event_type: str, name: str, **content: Any) -> dict[str, Any]:
    """An event with an object in it."""
    return event(event_type, data={"type": name, "id": "D1", "object": {name: content}})


PAYMENT = {
    "id": "P1", "order_id": "O1", "location_id": "L1", "status": "COMPLETED", "note": CANARY,
    "amount_money": {"amount": 100, "currency": "USD"}, "buyer_email_address": "canary@example.com",
    "billing_address": {"first_name": CANARY},
    "card_details": {"status": "CAPTURED", "card": {"last_4": "1111", "cardholder_name": CANARY, "bin": "4"}},
}  # fmt: skip
READINGS = {
    "payment.created": (of_object("payment.created", "payment", **PAYMENT),
                        {"payments": ("P1",), "orders": ("O1",)}),
    "payment.updated": (of_object("payment.updated", "payment", order_id="O1"),
                        {"payments": ("D1",), "orders": ("O1",)}),
    "refund.created": (of_object("refund.created", "refund", id="P1_R1", order_id="O2"),
                       {"refunds": ("P1_R1",), "orders": ("O2",)}),
    "refund.updated": (of_object("refund.updated", "refund", id="P1_R1"), {"refunds": ("P1_R1",)}),
    "order.created": (of_object("order.created", "order_created", order_id="O3"), {"orders": ("O3",)}),
    "order.updated": (of_object("order.updated", "order_updated", order_id="O3"), {"orders": ("O3",)}),
    "order.fulfillment.updated": (of_object("order.fulfillment.updated", "order_fulfillment_updated"),
                                  {"orders": ("D1",)}),
}  # fmt: skip


@pytest.mark.parametrize("event_type", READINGS)
def test_an_event_names_what_to_look_up(event_type: str) -> None:
    content, expected = READINGS[event_type]
    found = WEBHOOK.read(saying("square", content))
    assert (found.meaning, found.references) == (Meaning.LOOK_UP, expected)
    assert found.account_ids == ("MLCRUMB",)


@pytest.mark.parametrize(
    ("event_type", "meaning"),
    [
        ("catalog.version.updated", Meaning.PULL),
        ("location.created", Meaning.PULL),
        ("location.updated", Meaning.PULL),
        ("payment.updated", Meaning.PULL),
        ("oauth.authorization.revoked", Meaning.REVOKED),
        ("webhooks.test_notification", Meaning.NOTHING),
        ("bread.baked", Meaning.NOTHING),
    ],
)
def test_other_events_wake_end_or_are_counted(event_type: str, meaning: Meaning) -> None:
    found = WEBHOOK.read(saying("square", event(event_type, location_id="L9")))
    assert (found.meaning, found.references, found.location_ids) == (meaning, {}, ("L9",))


def test_every_type_that_is_subscribed_to_means_something() -> None:
    meanings = {each: WEBHOOK.read(saying("square", event(each))).meaning for each in EVENT_TYPES}
    assert Meaning.NOTHING not in meanings.values()


@pytest.mark.parametrize("wrong", [{}, {"type": None}, {"type": ""}, {"type": "a\nb"}, {"type": ["x"]}])
def test_a_body_without_a_type_is_no_event(wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="names no type of event"):
        WEBHOOK.read(saying("square", wrong))


def test_an_event_without_an_id_is_known_by_its_body() -> None:
    first, second = ({**event("order.updated", number=number), "event_id": None} for number in (1, 2))
    ids = [WEBHOOK.read(saying("square", each)).event_id for each in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]
    assert all(each.startswith("sha256:") for each in ids)


def test_nobody_is_kept_and_the_sale_is() -> None:
    kept = WEBHOOK.keep(saying("square", READINGS["payment.created"][0]))
    payment = json.loads(kept)["data"]["object"]["payment"]
    assert CANARY.encode() not in kept
    assert b"canary" not in kept
    assert (payment["amount_money"], payment["status"]) == ({"amount": 100, "currency": "USD"}, "COMPLETED")
    assert payment["card_details"] == {"status": "CAPTURED", "card": {"last_4": "1111"}}


def test_of_a_shape_that_nobody_knows_only_ids_types_and_times_are_kept() -> None:
    content = {
        **of_object("customer.created", "customer", given_name=CANARY),
        "created_at": "2026-04-12T18:00:00Z",
        "customer": {"name": CANARY},
        "words": CANARY,
    }
    assert json.loads(WEBHOOK.keep(saying("square", content))) == {
        "merchant_id": "MLCRUMB",
        "type": "customer.created",
        "event_id": "e-1",
        "created_at": "2026-04-12T18:00:00Z",
        "data": {"type": "customer", "id": "D1"},
    }
    fact = of_object("order.updated", "order_updated", order_id="O1", words=CANARY)
    assert CANARY.encode() not in WEBHOOK.keep(saying("square", fact))


# Without the vendor's examples there is nothing to read; the tests above read events of our own.
if EXAMPLES.exists():
    KNOWN: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))

    @pytest.mark.parametrize("event_type", KNOWN)
    def test_the_vendors_own_examples_are_understood(event_type: str) -> None:
        delivery = saying("square", KNOWN[event_type])
        found = WEBHOOK.read(delivery)
        assert found.event_type == event_type in EVENT_TYPES
        assert found.sent_at is not None
        assert found.event_id == KNOWN[event_type]["event_id"]
        assert found.account_ids == (KNOWN[event_type]["merchant_id"],)
        assert found.meaning is not Meaning.NOTHING
        if event_type.split(".")[0] in ("payment", "refund", "order"):
            assert found.references["orders"]
        assert WEBHOOK.read(replace(delivery, body=WEBHOOK.keep(delivery))) == found


def test_the_signature_keys_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SQUARE_WEBHOOK_SIGNATURE_KEY", "WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert webhook_signature_keys() == ()
    monkeypatch.setenv("WEBHOOK_SECRET", "by-hand")
    assert WEBHOOK.operator_secrets() == ("by-hand",)
    monkeypatch.setenv("SQUARE_WEBHOOK_SIGNATURE_KEY", "new,old")
    assert webhook_signature_keys() == ("new", "old")
    assert WEBHOOK.configuration_secrets({"webhook_secret": "x"}) == ()
