"""The Webhook Subscriptions API: the vendor's own SDK drives it, its specification accepts the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator
from square import Square
from square.core.api_error import ApiError

from pipelines.registry import get_connector
from pipelines.webhook import Delivery
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.pipelines.scripted import Reply
from tests.sandbox.hooked import Hooked, hooked
from tests.sandbox.test_schema import SPECIFICATION, unknown_keys

PATH = "/v2/webhooks/subscriptions"
URL = "https://hooks.example.com/api/v1/webhooks/square"
OWNER = {"Authorization": f"Bearer {OWNER_ACCESS_TOKEN}"}
GIVEN = {"name": "ours", "event_types": ["payment.created", "payment.updated"], "notification_url": URL}


@pytest.fixture
def world() -> Iterator[Hooked]:
    """A sandbox that sends to a receiver."""
    with hooked(only="square") as found:
        found.order({"deliver_to": found.receiver.url, "minute_seconds": 0})
        yield found


@pytest.fixture
def client(world: Hooked) -> Iterator[httpx.Client]:
    """The owner of the application."""
    with httpx.Client(base_url=world.url, headers=OWNER, trust_env=False) as found:
        yield found


@pytest.fixture
def sdk(world: Hooked) -> Iterator[Square]:
    """The vendor's SDK with the owner's token."""
    with httpx.Client(trust_env=False) as http:
        yield Square(base_url=world.url, token=OWNER_ACCESS_TOKEN, httpx_client=http)


def create(client: httpx.Client, key: str | None = None, **changes: Any) -> dict[str, Any]:
    """A new subscription."""
    body = {"subscription": {**GIVEN, **changes}, **({"idempotency_key": key} if key else {})}
    created: dict[str, Any] = client.post(PATH, json=body).raise_for_status().json()["subscription"]
    return created


def fits(world: Hooked, key: str, number: int = -1) -> bool:
    """Whether what was received is signed with a key."""
    request = world.receiver.requests[number]
    return get_connector("square").webhook.verify(Delivery(request.body, request.headers, URL), [key])


def test_the_sdk_makes_changes_tests_turns_and_ends_a_subscription(sdk: Square, world: Hooked) -> None:
    subscriptions = sdk.webhooks.subscriptions
    made = subscriptions.create(
        idempotency_key="k-1",
        subscription={"name": "ours", "event_types": ["payment.created"], "notification_url": URL},
    ).subscription
    assert made is not None
    assert made.id is not None
    assert made.signature_key
    assert [each.id for each in subscriptions.list()] == [made.id]
    assert "payment.created" in (sdk.webhooks.event_types.list().event_types or [])
    result = subscriptions.test(made.id, event_type="payment.created").subscription_test_result
    assert result is not None
    assert (result.status_code, result.payload) == (200, world.receiver.requests[-1].body.decode())
    assert fits(world, made.signature_key)
    turned = subscriptions.update_signature_key(made.id, idempotency_key="k-2").signature_key
    assert turned not in (None, made.signature_key)
    subscriptions.test(made.id)
    assert fits(world, str(turned))
    assert not fits(world, made.signature_key)
    subscriptions.update(made.id, subscription={"enabled": False})
    assert list(subscriptions.list()) == []
    assert [each.enabled for each in subscriptions.list(include_disabled=True)] == [False]
    subscriptions.delete(made.id)
    with pytest.raises(ApiError) as caught:
        subscriptions.get(made.id)
    assert caught.value.status_code == 404


def test_a_subscription_is_told_what_it_asks_for_until_it_ends(client: httpx.Client, world: Hooked) -> None:
    made = create(client)
    world.sell("square", 2)
    events = world.journal()["events"]
    assert {each["event_type"] for each in events} == {"payment.created", "payment.updated"}
    assert fits(world, made["signature_key"], 0)
    client.put(f"{PATH}/{made['id']}", json={"subscription": {"event_types": ["refund.created"]}})
    world.sell("square", 2)
    assert len(world.journal()["events"]) == len(events)
    client.put(f"{PATH}/{made['id']}", json={"subscription": {"event_types": ["payment.created"]}})
    world.sell("square")
    assert len(world.journal()["events"]) > len(events)
    client.delete(f"{PATH}/{made['id']}").raise_for_status()
    assert world.journal()["targets"] == []


def test_a_test_says_what_the_address_has_answered(client: httpx.Client, world: Hooked) -> None:
    key = create(client)["id"]
    for reply, status in ((Reply(404), 404), (Reply(204), 204)):
        world.receiver.replies = [reply]
        answer = client.post(f"{PATH}/{key}/test", json={"event_type": "payment.updated"}).json()
        assert answer["subscription_test_result"]["status_code"] == status
    world.order({"deliver_to": "http://127.0.0.1:1"})
    assert client.post(f"{PATH}/{key}/test").json()["subscription_test_result"]["status_code"] == 504
    wrong = client.post(f"{PATH}/{key}/test", json={"event_type": "refund.created"})
    assert wrong.status_code == 400
    assert world.journal()["events"] == []


def test_the_signature_key_is_shown_to_whoever_makes_or_reads_one_subscription(client: httpx.Client) -> None:
    made = create(client)
    one = client.get(f"{PATH}/{made['id']}").json()["subscription"]
    changed = client.put(f"{PATH}/{made['id']}", json={"subscription": {"name": "x"}}).json()["subscription"]
    [listed] = client.get(PATH).json()["subscriptions"]
    assert made["signature_key"] == one["signature_key"]
    assert "signature_key" not in {**listed, **changed}
    assert made["created_at"].endswith(" +0000 UTC")


def test_only_the_owner_of_the_application_may(client: httpx.Client, world: Hooked) -> None:
    seller = world.accounts[0]["credentials"]["access_token"]
    for method, path in (("GET", PATH), ("POST", PATH), ("GET", "/v2/webhooks/event-types")):
        refused = client.request(method, path, headers={"Authorization": f"Bearer {seller}"})
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["code"] == "INSUFFICIENT_SCOPES"
        assert "DEVELOPER_APPLICATION_WEBHOOKS_WRITE" in refused.json()["errors"][0]["detail"]
        assert client.request(method, path, headers={"Authorization": "Bearer x"}).status_code == 401


def test_an_idempotency_key_is_good_for_one_request(client: httpx.Client) -> None:
    assert create(client, "k-1") == create(client, "k-1")
    assert create(client, "k-2")["id"] != create(client, "k-1")["id"]
    again = client.post(PATH, json={"idempotency_key": "k-1", "subscription": {**GIVEN, "name": "x"}})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (400, "IDEMPOTENCY_KEY_REUSED")
    key = create(client, "k-1")["id"]
    turned = [
        client.post(f"{PATH}/{key}/signature-key", json={"idempotency_key": each}).json()["signature_key"]
        for each in ("t-1", "t-1", "t-2")
    ]
    assert turned[0] == turned[1] != turned[2]


def test_subscriptions_are_listed_in_pages(client: httpx.Client) -> None:
    made = [create(client)["id"] for _ in range(5)]
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        answer = client.get(PATH, params=query).json()
        found += [each["id"] for each in answer["subscriptions"]]
        if "cursor" not in answer:
            break
        query["cursor"] = answer["cursor"]
    assert found == made


@pytest.mark.parametrize(
    "changes",
    [
        {"notification_url": None},
        {"notification_url": "http://hooks.example.com"},
        {"event_types": []},
        {"event_types": None},
        {"event_types": ["bread.baked"]},
        {"name": "x" * 65},
        {"name": 5},
    ],
)
def test_what_is_no_subscription_is_refused(client: httpx.Client, changes: dict[str, Any]) -> None:
    assert client.post(PATH, json={"subscription": {**GIVEN, **changes}}).status_code == 400
    assert client.get(PATH, params={"include_disabled": "true"}).json()["subscriptions"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", PATH, {}, 400),
        ("POST", PATH, [], 400),
        ("POST", PATH, {"idempotency_key": "k" * 46, "subscription": GIVEN}, 400),
        ("GET", f"{PATH}?limit=101", None, 400),
        ("GET", f"{PATH}?cursor=x", None, 400),
        ("PUT", f"{PATH}/wbhk_x", {"subscription": {}}, 404),
        ("DELETE", f"{PATH}/wbhk_x", None, 404),
        ("POST", f"{PATH}/wbhk_x/test", {}, 404),
        ("POST", f"{PATH}/wbhk_x/signature-key", {}, 404),
    ],
)
def test_a_wrong_request_is_refused(
    client: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    assert client.request(method, path, json=body).status_code == status


# Without the specification there is nothing to compare with; the SDK's types above accept the answers too.
if SPECIFICATION.exists():

    def test_answers_are_valid_by_the_vendors_specification(client: httpx.Client) -> None:
        components = json.loads(SPECIFICATION.read_text(encoding="utf-8"))["components"]
        made = client.post(PATH, json={"subscription": GIVEN}).json()
        one = f"{PATH}/{made['subscription']['id']}"
        answers = {
            "CreateWebhookSubscriptionResponse": made,
            "ListWebhookSubscriptionsResponse": client.get(PATH).json(),
            "RetrieveWebhookSubscriptionResponse": client.get(one).json(),
            "UpdateWebhookSubscriptionResponse": client.put(one, json={"subscription": {"name": "x"}}).json(),
            "TestWebhookSubscriptionResponse": client.post(f"{one}/test").json(),
            "UpdateWebhookSubscriptionSignatureKeyResponse": client.post(f"{one}/signature-key").json(),
            "ListWebhookEventTypesResponse": client.get("/v2/webhooks/event-types").json(),
            "DeleteWebhookSubscriptionResponse": client.delete(one).json(),
        }
        for name, answer in answers.items():
            schema = {"$ref": f"#/components/schemas/{name}", "components": components}
            assert [error.message for error in Draft7Validator(schema).iter_errors(answer)] == []
            assert list(unknown_keys(components["schemas"], name, answer)) == []
