"""Subscriptions at the sandbox: made once, kept as they should be, found again after any crash."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from pipelines.connector import Connector
from pipelines.registration import NAME
from pipelines.registration import test as send_test
from pipelines.registry import get_connector
from pipelines.square.webhook import EVENT_TYPES
from pos_core.errors import (
    ConfigurationError,
    PosError,
    SettingsError,
    VendorAuthError,
    VendorFaultError,
    VendorRequestError,
)
from pos_core.repositories import subscriptions
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.conftest import Project
from tests.pipelines.scripted import Reply, ScriptedVendor
from tests.pipelines.square.registered import Registry, forgetful, owner_client, with_api
from tests.sandbox.hooked import hooked

ELSEWHERE = "https://other.example.com/api/v1/webhooks/square"
APIS = pytest.mark.parametrize("connector", [lambda: get_connector("square"), forgetful])


@pytest.fixture
def registry(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The operator's token and address are set; nothing is registered yet."""
    with hooked(only="square") as world, owner_client(world.url) as owner:
        world.order({"minute_seconds": 0})
        monkeypatch.setenv("SQUARE_BASE_URL", world.url)
        monkeypatch.setenv("SQUARE_ACCESS_TOKEN", OWNER_ACCESS_TOKEN)
        found = Registry(project, world, monkeypatch, owner)
        found.address(world.receiver.url)
        yield found


def _die(*_given: object) -> None:
    raise KeyboardInterrupt


def _killed_before_the_commit(registry: Registry, act: Callable[[], Any]) -> None:
    """The vendor has answered; this process ends before it has stored what."""
    with registry.patch.context() as patch:
        patch.setattr(subscriptions, "settle", _die)
        with pytest.raises(KeyboardInterrupt):
            act()


def test_a_subscription_is_made_and_what_it_sends_verifies(registry: Registry) -> None:
    done = registry.register()
    made = registry.subscription()
    assert (done.action, done.external_id, done.is_key_new) == ("created", made["id"], True)
    assert (made["name"], made["enabled"], made["api_version"]) == (NAME, True, "2026-07-15")
    assert set(made["event_types"]) == set(EVENT_TYPES)
    assert made["notification_url"] == done.url == registry.world.address("square")
    sent = registry.deliveries()
    assert sent
    assert all(map(registry.accepts, sent))


@APIS
def test_a_repetition_changes_nothing(registry: Registry, connector: Callable[[], Connector]) -> None:
    registry.register()
    before, keys = registry.subscription(), registry.keys()
    again = registry.register(connector())
    assert (again.action, again.is_key_new, again.removed) == ("unchanged", False, 0)
    assert (registry.subscription(), registry.keys()) == (before, keys)


def test_several_at_once_make_one(registry: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = [each.result() for each in [pool.submit(registry.register) for _ in range(4)]]
    assert sorted(each.action for each in done) == ["created", "unchanged", "unchanged", "unchanged"]
    assert {each.external_id for each in done} == {registry.subscription()["id"]}


def test_it_follows_a_changed_address_and_both_are_accepted(registry: Registry) -> None:
    registry.register()
    before = registry.subscription()
    [first, *_] = registry.deliveries()
    registry.address(registry.world.receiver.url.replace("127.0.0.1", "localhost"))
    assert registry.register().action == "updated"
    after = registry.subscription()
    assert after["id"] == before["id"]
    assert after["notification_url"] == before["notification_url"].replace("127.0.0.1", "localhost")
    assert all(map(registry.accepts, [first, *registry.deliveries()]))
    assert registry.register().action == "unchanged"


def test_killed_after_the_vendor_has_the_new_address_nothing_is_refused(registry: Registry) -> None:
    registry.register()
    old = registry.deliveries()
    registry.address(registry.world.receiver.url.replace("127.0.0.1", "localhost"))
    _killed_before_the_commit(registry, registry.register)
    between = registry.deliveries()
    assert all(map(registry.accepts, [*old, *between]))
    done = registry.register()
    assert (done.action, done.is_key_new) == ("unchanged", False)
    assert registry.project.value("select url from pos_webhook_subscriptions") == done.url
    assert all(map(registry.accepts, [*old, *between, *registry.deliveries()]))


def test_what_the_vendor_or_somebody_changed_is_mended(registry: Registry) -> None:
    external_id = registry.register().external_id
    wanted = registry.subscription()
    for change in (
        {"enabled": False},
        {"event_types": ["payment.created"]},
        {"api_version": "2025-08-20"},
        {"name": "somebody's"},
        {"notification_url": ELSEWHERE},
    ):
        registry.change(external_id, **change)
        assert registry.register().action == "updated"
        assert {**registry.subscription(), "updated_at": ""} == {**wanted, "updated_at": ""}


def test_one_that_was_deleted_is_made_again(registry: Registry) -> None:
    external_id = registry.register().external_id
    sent = registry.deliveries()
    registry.owner.delete(f"/v2/webhooks/subscriptions/{external_id}").raise_for_status()
    again = registry.register()
    assert (again.action, again.is_key_new) == ("created", True)
    assert registry.subscription()["id"] == again.external_id != external_id
    assert all(map(registry.accepts, [*sent, *registry.deliveries()]))


@APIS
def test_one_whose_key_is_lost_is_found_again(registry: Registry, connector: Callable[[], Connector]) -> None:
    external_id = registry.register().external_id
    for loss in (
        "delete from pos_webhook_subscriptions",
        "update pos_webhook_subscriptions set keys_sealed = '{}'",
    ):
        registry.project.execute(loss)
        done = registry.register(connector())
        assert (done.action, done.external_id, done.is_key_new) == ("updated", external_id, True)
        assert registry.subscription()["signature_key"] == registry.keys()["current"]
        assert all(map(registry.accepts, registry.deliveries()))


@APIS
def test_killed_after_it_was_made_it_is_found_again(
    registry: Registry, connector: Callable[[], Connector]
) -> None:
    _killed_before_the_commit(registry, lambda: registry.register(connector()))
    made = registry.subscription()
    assert registry.register(connector()).external_id == made["id"]
    assert registry.subscription()["signature_key"] == registry.keys()["current"]
    assert registry.register(connector()).action == "unchanged"


def test_a_lost_answer_is_asked_for_again_even_where_lists_lag(registry: Registry) -> None:
    blind = with_api(lambda api: replace(api, listed=lambda _http: []))
    _killed_before_the_commit(registry, lambda: registry.register(blind))
    made = registry.subscription()
    done = registry.register(blind)
    assert (done.action, done.external_id) == ("created", made["id"])
    assert registry.subscription()["signature_key"] == registry.keys()["current"]


def test_after_a_rotation_what_was_sent_before_and_after_it_verifies(registry: Registry) -> None:
    registry.register()
    before, first = registry.deliveries(), registry.keys()["current"]
    done = registry.rotate()
    assert (done.action, done.is_key_new) == ("rotated", True)
    assert registry.keys() == {"current": registry.subscription()["signature_key"], "previous": first}
    after = registry.deliveries()
    assert after
    assert all(map(registry.accepts, [*before, *after]))
    assert registry.register().action == "unchanged"
    assert registry.rotate().is_key_new
    assert not any(map(registry.accepts, before))
    assert all(map(registry.accepts, after))


def test_a_rotation_before_there_is_anything_makes_it(registry: Registry) -> None:
    assert registry.rotate().action == "created"


@APIS
def test_a_rotation_whose_answer_was_lost_is_made_good(
    registry: Registry, connector: Callable[[], Connector]
) -> None:
    external_id = registry.register().external_id
    before = registry.deliveries()
    path = f"/v2/webhooks/subscriptions/{external_id}/signature-key"
    registry.world.http.post(
        "/faults", json={"kind": "truncate", "path": path, "count": 3}
    ).raise_for_status()
    with pytest.raises(VendorFaultError):
        registry.rotate(connector())
    problem = registry.project.value("select problem from pos_webhook_subscriptions")
    assert "no valid JSON" in problem
    after = registry.deliveries()
    assert not any(map(registry.accepts, after))
    assert registry.register(connector()).is_key_new
    assert registry.keys()["current"] == registry.subscription()["signature_key"]
    assert all(map(registry.accepts, [*before, *after]))
    assert registry.project.value("select problem is null from pos_webhook_subscriptions")


def test_killed_between_a_rotation_and_the_commit_the_same_rotation_is_finished(registry: Registry) -> None:
    registry.register()
    first = registry.keys()["current"]
    _killed_before_the_commit(registry, registry.rotate)
    second = registry.subscription()["signature_key"]
    assert second != first
    registry.rotate()
    assert registry.keys() == {"current": second, "previous": first}


def test_one_made_by_hand_is_taken_over_and_doubles_of_ours_end(registry: Registry) -> None:
    address = registry.world.address("square")
    by_hand = registry.make(name="by hand", notification_url=address)
    double = registry.make(name=NAME, notification_url=address)
    another = registry.make(name=NAME, notification_url=address)
    other = registry.make(name=NAME, notification_url=ELSEWHERE)
    done = registry.register()
    assert done.external_id in (double, another)
    assert (done.removed, done.elsewhere) == (1, (ELSEWHERE,))
    assert {each["id"] for each in registry.subscriptions()} == {by_hand, done.external_id, other}
    registry.owner.delete(f"/v2/webhooks/subscriptions/{done.external_id}")
    taken = registry.register()
    assert (taken.external_id, taken.removed) == (by_hand, 0)
    assert all(map(registry.accepts, registry.deliveries()))


def test_it_is_found_behind_the_first_page(registry: Registry) -> None:
    for number in range(100):
        registry.make(name=f"of others {number}", notification_url=f"{ELSEWHERE}/{number}")
    external_id = registry.register().external_id
    registry.project.execute("delete from pos_webhook_subscriptions")
    assert registry.register().external_id == external_id


def test_a_test_event_is_sent_and_its_answer_told(registry: Registry) -> None:
    connector = get_connector("square")
    with pytest.raises(ConfigurationError, match="pos webhooks register square"):
        send_test(registry.project.engine, connector)
    registry.register()
    result = send_test(registry.project.engine, connector)
    assert (result.status_code, result.is_accepted) == (200, True)
    assert registry.accepts(registry.world.receiver.requests[-1])
    registry.world.receiver.replies = [Reply(401)]
    assert not send_test(registry.project.engine, connector).is_accepted


def _refused(registry: Registry, error: type[PosError]) -> str:
    """What a run that fails says, which is what the status shows too."""
    with pytest.raises(error) as refused:
        registry.register()
    assert registry.project.value("select problem from pos_webhook_subscriptions") == refused.value.message
    assert registry.subscriptions() == []
    return refused.value.message


def test_a_sellers_token_is_refused_in_clear_words(registry: Registry) -> None:
    token = registry.world.accounts[0]["credentials"]["access_token"]
    registry.patch.setenv("SQUARE_ACCESS_TOKEN", token)
    message = _refused(registry, VendorAuthError)
    assert "no seller's" in message
    assert "application's owner" in message
    assert token not in message
    registry.patch.setenv("SQUARE_ACCESS_TOKEN", "canary-token")
    message = _refused(registry, VendorAuthError)
    assert "does not accept" in message
    assert "canary" not in message


@pytest.mark.parametrize("token", ["", "canary token", "canary\u00e9", "canary\x07"])
def test_a_token_that_is_missing_or_none_is_said_to_be_before_anything_is_asked(
    registry: Registry, token: str
) -> None:
    registry.patch.setenv("SQUARE_ACCESS_TOKEN", token)
    message = _refused(registry, SettingsError)
    assert "SQUARE_ACCESS_TOKEN" in message
    assert "canary" not in message


def test_an_address_that_cannot_be_reached_is_refused_before_anything_is_asked(registry: Registry) -> None:
    registry.address("http://pos.example.com")
    assert "WEBHOOK_BASE_URL" in _refused(registry, SettingsError)


def test_what_the_vendor_refuses_is_told_and_the_next_request_is_another(
    registry: Registry, vendor: ScriptedVendor
) -> None:
    listed = Reply(body=b'{"subscriptions": []}')
    refused = Reply(
        400, b'{"errors":[{"code":"INVALID_VALUE","field":"subscription.name","detail":"canary"}]}'
    )
    vendor.replies = [listed, refused, listed, refused]
    registry.patch.setenv("SQUARE_BASE_URL", vendor.url)
    for _ in range(2):
        with pytest.raises(VendorRequestError, match=r"INVALID_VALUE about subscription.name") as told:
            registry.register()
        assert "canary" not in told.value.message
    first, second = (each.body for each in vendor.requests if each.method == "POST")
    assert first != second


@pytest.mark.parametrize(
    "body", [b"[]", b'{"subscription": {}}', b'{"subscription": {"id": "wbhk_1"}}', b'{"subscription": 7}']
)
def test_an_answer_that_is_not_as_documented_is_the_vendors_fault(
    registry: Registry, vendor: ScriptedVendor, body: bytes
) -> None:
    vendor.replies = [Reply(body=b'{"subscriptions": []}'), Reply(body=body)]
    registry.patch.setenv("SQUARE_BASE_URL", vendor.url)
    with pytest.raises(VendorFaultError):
        registry.register()


def test_neither_token_nor_keys_are_logged_or_stored_in_the_clear(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    shown = [repr(registry.register()), repr(registry.rotate()), repr(registry.register())]
    keys = registry.keys().values()
    written = registry.project.value("select string_agg(s::text, '') from pos_webhook_subscriptions as s")
    assert len(set(keys)) == 2
    for secret in (OWNER_ACCESS_TOKEN, *keys):
        assert all(secret not in text for text in (*shown, caplog.text, written))
