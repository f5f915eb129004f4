"""What is kept of a subscription: sealed keys, accepted for a while; named requests; when to look again."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from pos_core.repositories import subscriptions
from pos_core.repositories.subscriptions import Held, Settled
from pos_core.vault import NOBODY, Vault
from tests.pos_core.given import VAULT, connect

VENDOR, URL, OTHER = "http://127.0.0.1:1", "https://pos.example.com/hook", "https://new.example.com/hook"
FIRST, SECOND, THIRD = "first-key-of-tests", "second-key-of-tests", "third-key-of-tests"


def _begin(connection: Connection, url: str = URL, vault: Vault = VAULT) -> Held:
    return subscriptions.begin(connection, vault, "square", VENDOR, url)


def _settle(connection: Connection, key: str, url: str = URL, is_enabled: bool = True) -> Held:
    """Stores a confirmed subscription; returns the row after it."""
    now = Settled("wbhk_1", url, is_enabled, key)
    subscriptions.settle(connection, VAULT, _begin(connection), now)
    return _begin(connection)


def _accepted(connection: Connection) -> set[tuple[str, str]]:
    """The pairs of address and key that the receiver accepts, as it asks for them."""
    rows: Iterable[Any] = connection.execute(text("select * from pos_webhook_keys('square')"))
    return {(url, str(key)) for id, url, sealed in rows for key in VAULT.open(NOBODY, id, sealed).values()}


def _age(connection: Connection, column: str, age: str) -> None:
    connection.execute(text(f"update pos_webhook_subscriptions set {column} = now() - interval '{age}'"))


def _is_due(connection: Connection, url: str = URL) -> bool:
    return subscriptions.is_due(connection, "square", VENDOR, url)


def test_a_row_is_made_once_and_is_no_subscription_until_the_vendor_has_one(connection: Connection) -> None:
    first = _begin(connection)
    assert (first.external_id, first.keys, first.request_key) == (None, {}, None)
    assert _begin(connection, OTHER).id == first.id
    assert _begin(connection, OTHER).url == OTHER
    assert subscriptions.registered(connection, "square", VENDOR) is None
    _settle(connection, FIRST)
    assert subscriptions.registered(connection, "square", VENDOR) == ("wbhk_1", URL)
    assert _begin(connection, OTHER).url == URL
    assert subscriptions.registered(connection, "square", "http://127.0.0.1:2") is None


def test_a_replaced_key_is_accepted_until_the_overlap_is_over(connection: Connection) -> None:
    assert _settle(connection, FIRST).keys == {"current": FIRST}
    assert _settle(connection, SECOND).keys == {"current": SECOND, "previous": FIRST}
    assert _accepted(connection) == {(URL, FIRST), (URL, SECOND)}
    _age(connection, "rotated_at", "71 hours")
    assert _settle(connection, SECOND).keys == {"current": SECOND, "previous": FIRST}
    _age(connection, "rotated_at", "73 hours")
    assert _settle(connection, SECOND).keys == {"current": SECOND}
    _settle(connection, THIRD)
    assert _settle(connection, FIRST).keys == {"current": FIRST, "previous": THIRD}


def test_an_address_is_accepted_before_the_vendor_has_it_and_a_while_after(connection: Connection) -> None:
    held = _settle(connection, FIRST)
    subscriptions.announce(connection, held.id, OTHER)
    assert _accepted(connection) == {(URL, FIRST), (OTHER, FIRST)}
    after = _settle(connection, FIRST, OTHER)
    assert (after.url, after.other_url) == (OTHER, URL)
    assert _accepted(connection) == {(URL, FIRST), (OTHER, FIRST)}
    _age(connection, "rotated_at", "73 hours")
    assert _settle(connection, FIRST, OTHER).other_url is None
    assert _accepted(connection) == {(OTHER, FIRST)}


def test_going_back_to_the_address_before_leaves_both_accepted(connection: Connection) -> None:
    _settle(connection, FIRST)
    _settle(connection, FIRST, OTHER)
    back = _settle(connection, FIRST, URL)
    assert (back.url, back.other_url) == (URL, OTHER)


def test_a_request_keeps_its_name_until_its_answer_is_stored(connection: Connection) -> None:
    held = _begin(connection)
    name = subscriptions.request_key(connection, held.id)
    assert isinstance(name, UUID)
    assert subscriptions.request_key(connection, held.id) == name
    assert _begin(connection).request_key == name
    assert _settle(connection, FIRST).request_key is None
    again = subscriptions.request_key(connection, held.id)
    assert again != name
    subscriptions.forget_request(connection, held.id)
    assert _begin(connection).request_key is None


def test_keys_are_sealed_and_those_that_do_not_open_are_as_if_lost(connection: Connection) -> None:
    _settle(connection, FIRST)
    held = _settle(connection, SECOND)
    written: str = connection.execute(
        text("select string_agg(s::text, ' ') from pos_webhook_subscriptions as s")
    ).scalar_one()
    assert all(key not in text for key in (FIRST, SECOND) for text in (written, repr(held)))
    assert FIRST not in repr(Settled("wbhk_1", URL, True, FIRST))
    assert _begin(connection, vault=Vault({"other": b"\x01" * 32})).keys == {}


def test_it_is_due_only_where_an_account_is_connected_at_that_vendor_address(connection: Connection) -> None:
    assert not _is_due(connection)
    connect(connection, pos_system="toast")
    connect(connection, base_url="http://127.0.0.1:2", account_id="M2", locations=[])
    assert not _is_due(connection)
    made = connect(connection, account_id="M3", locations=[])
    assert _is_due(connection)
    connection.execute(
        text("update pos_configurations set status = 'disabled' where id = :id"), {"id": made.id}
    )
    assert not _is_due(connection)


def test_a_failure_is_noted_and_tried_again_after_ten_minutes(connection: Connection) -> None:
    connect(connection)
    _begin(connection)
    subscriptions.fail(connection, "square", VENDOR, "The oven is cold.")
    assert not _is_due(connection)
    _age(connection, "tried_at", "11 minutes")
    assert _is_due(connection)


@pytest.mark.parametrize(
    ("change", "is_due"),
    [
        ("tried_at = tried_at", False),
        ("checked_at = now() - interval '25 hours'", True),
        ("is_enabled = false", True),
        ("problem = 'The oven is cold.'", True),
        ("request_key = gen_random_uuid()", True),
        ("external_id = null", True),
        ("url = 'https://old.example.com'", True),
    ],
)
def test_a_settled_subscription_is_due_once_a_day_or_when_something_is_wrong(
    connection: Connection, change: str, is_due: bool
) -> None:
    connect(connection)
    _settle(connection, FIRST)
    _age(connection, "tried_at", "11 minutes")
    connection.execute(text(f"update pos_webhook_subscriptions set {change}"))
    assert _is_due(connection) is is_due


def test_what_is_settled_leaves_no_problem_behind(connection: Connection) -> None:
    _begin(connection)
    subscriptions.fail(connection, "square", VENDOR, "The oven is cold.")
    _settle(connection, FIRST)
    problem: Any = connection.execute(text("select problem from pos_webhook_subscriptions")).scalar_one()
    assert problem is None
