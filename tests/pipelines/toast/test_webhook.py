"""Toast's events: whole orders with their restaurant, without the people in them."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.toast import settings
from pipelines.toast.webhook import WEBHOOK
from pipelines.webhook import Delivery, Meaning
from pos_core.errors import CredentialsError, WebhookError
from pos_core.settings import PROJECT_ROOT
from tests.pipelines.deliveries import BODIES, SECRETS, genuine, saying

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", PROJECT_ROOT.parent / "shared"))
EXAMPLE = REFERENCE / "vendor_payloads" / "toast" / "15_webhook_order_updated_two_open_checks.json"
CANARY = "Canary Wren"
ORDER = {
    "guid": "o-1", "modifiedDate": "2026-04-12T18:00:00.000+0000", "server": {"guid": "waiter"},
    "checks": [{"guid": "c-1", "amount": Decimal("8.10"), "tabName": CANARY, "customer": {"email": CANARY}}],
}  # fmt: skip


def event(event_type: str, details: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event of a type."""
    return {"eventType": event_type, "eventCategory": event_type, "guid": "e-1", "details": details, **more}


def test_an_order_comes_with_its_restaurant_and_without_people() -> None:
    found = WEBHOOK.read(saying("toast", event("order_updated", {"restaurantGuid": "r-1", "order": ORDER})))
    assert (found.meaning, found.location_ids, found.account_ids) == (Meaning.DOCUMENTS, ("r-1",), ())
    expected = {
        "guid": "o-1",
        "modifiedDate": ORDER["modifiedDate"],
        "checks": [{"guid": "c-1", "amount": Decimal("8.10")}],
        "restaurantGuid": "r-1",
    }
    assert found.documents == {"orders": (expected,)}
    assert str(found.documents["orders"][0]["checks"][0]["amount"]) == "8.10"


def test_the_restaurant_is_never_taken_from_a_header() -> None:
    header = {"toast-restaurant-external-id": "r-2"}
    told = event("order_updated", {"restaurantGuid": "r-1", "order": ORDER})
    assert WEBHOOK.read(saying("toast", told, **header)).location_ids == ("r-1",)
    untold = WEBHOOK.read(saying("toast", event("order_updated", {"order": ORDER}), **header))
    assert untold.location_ids == ()
    assert "restaurantGuid" not in untold.documents["orders"][0]


@pytest.mark.parametrize(
    ("event_type", "meaning"),
    [
        ("partner_removed", Meaning.PULL),
        ("partner_added", Meaning.PULL),
        ("menus_updated", Meaning.NOTHING),
        ("stock_updated", Meaning.NOTHING),
    ],
)
def test_other_events_wake_or_are_counted(event_type: str, meaning: Meaning) -> None:
    content = event(event_type, {"restaurantGuid": "r-1", "order": ORDER, "person": CANARY}, words=CANARY)
    found = WEBHOOK.read(saying("toast", content))
    assert (found.meaning, found.documents, found.location_ids) == (meaning, {}, ("r-1",))
    assert json.loads(WEBHOOK.keep(saying("toast", content))) == {
        "eventType": event_type,
        "eventCategory": event_type,
        "guid": "e-1",
        "details": {"restaurantGuid": "r-1"},
    }


@pytest.mark.parametrize("order", [None, {}, [], "x"])
def test_an_order_event_without_an_order_is_no_event(order: Any) -> None:
    delivery = saying("toast", event("order_updated", {"restaurantGuid": "r-1", "order": order}))
    for act in (WEBHOOK.read, WEBHOOK.keep):
        with pytest.raises(WebhookError, match="has no order in it"):
            act(delivery)


def test_the_time_stamp_is_signed_too() -> None:
    later = BODIES["toast"].replace(b"18:00:00.000Z", b"18:00:01.000Z")
    untimed = BODIES["toast"].replace(b'"timestamp"', b'"timestamp_"')
    for body in (later, untimed):
        assert not WEBHOOK.verify(Delivery(body, genuine("toast").headers), [SECRETS["toast"]])


def test_the_secrets_are_the_operators_or_the_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOAST_WEBHOOK_SECRET", raising=False)
    assert WEBHOOK.operator_secrets() == ()
    monkeypatch.setenv("TOAST_WEBHOOK_SECRET", "new, old")
    assert WEBHOOK.operator_secrets() == ("new", "old")
    given = {"client_id": "c", "client_secret": "s", "restaurant_guids": ["r-1"], "webhook_secret": "own"}
    credentials = settings.read_credentials(given)
    assert WEBHOOK.configuration_secrets(credentials) == ("own",)
    with pytest.raises(CredentialsError, match="webhook_secret"):
        settings.read_credentials({**given, "webhook_secret": "two words"})


# Without the vendor's example there is nothing to read; the tests above read events of our own.
if EXAMPLE.exists():

    def test_the_vendors_own_example_is_understood() -> None:
        content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
        found = WEBHOOK.read(saying("toast", content))
        assert found.event_id == content["guid"]
        assert found.location_ids == (content["details"]["restaurantGuid"],)
        (order,) = found.documents["orders"]
        assert len(order["checks"]) == 2
        assert "createdDevice" not in order
