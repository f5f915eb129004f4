"""What holds for the webhooks of every POS: what is forged never verifies, what is personal is never kept."""

import ast
import inspect
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import webhook as shared
from pipelines.registry import connectors
from pipelines.webhook import Delivery, Event, Meaning, listed_secrets, own_secrets, read_secrets
from pos_core.errors import CredentialsError, WebhookError
from tests.pipelines.deliveries import BODIES, POS_SYSTEMS, PROOFS, SECRETS, SIGNED, genuine, saying, webhook

FORGED = "FORGED"
SLOW_IMPORTS = {"dlt", "dagster", "sqlalchemy", "dbt", "httpx"}
quickly = settings(deadline=None, derandomize=True, database=None)
texts = st.text(st.characters(exclude_categories=[]), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.decimals() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=9,
)


def mutated(original: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with some of them replaced, removed or added."""
    places = st.integers(0, len(original))

    def change(edits: list[tuple[int, int, bytes]]) -> bytes:
        found = original
        for at, length, new in edits:
            found = found[:at] + new + found[at + length :]
        return found

    edit = st.tuples(places, st.integers(0, 3), st.binary(max_size=3))
    return st.lists(edit, min_size=1, max_size=3).map(change).filter(lambda found: found != original)


def with_values(content: Any) -> st.SearchStrategy[Any]:
    """The content with anything in the place of any part of it."""
    if not isinstance(content, dict):
        return st.just(content) | values
    parts = st.fixed_dictionaries({key: with_values(value) for key, value in content.items()})
    return parts | parts | values


def outcome(act: Any, delivery: Delivery) -> Any:
    """What reading or keeping gives; only the one error may be raised."""
    try:
        return act(delivery)
    except WebhookError as error:
        return type(error)


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_a_genuine_delivery_verifies_with_the_current_and_the_previous_secret(pos_system: str) -> None:
    verify, secret = webhook(pos_system).verify, SECRETS[pos_system]
    delivery = genuine(pos_system)
    assert verify(delivery, [secret])
    assert verify(delivery, ["another:one", secret])
    assert not verify(delivery, ["another:one"])
    assert not verify(delivery, [f"{secret}x"])
    assert not verify(delivery, [secret[:-1]])
    assert not verify(delivery, [])
    assert not verify(delivery, [""])


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_nothing_verifies_without_a_secret_or_without_a_proof(pos_system: str) -> None:
    verify, (name, _) = webhook(pos_system).verify, PROOFS[pos_system]
    delivery = genuine(pos_system)
    for proof in ("", " ", "=", "Basic", "Basic ", "Basic Og==", "ö" * 44):
        assert not verify(replace(delivery, headers={name: proof}), [SECRETS[pos_system], ""])
    assert not verify(replace(delivery, headers={}), [SECRETS[pos_system]])


@pytest.mark.parametrize("pos_system", SIGNED)
@quickly
@given(st.data())
def test_a_mutated_body_never_verifies(pos_system: str, data: st.DataObject) -> None:
    body = data.draw(mutated(BODIES[pos_system]))
    delivery = replace(genuine(pos_system), body=body)
    assert not webhook(pos_system).verify(delivery, [SECRETS[pos_system], "another"])


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
@quickly
@given(st.data())
def test_a_mutated_proof_never_verifies(pos_system: str, data: st.DataObject) -> None:
    name, proof = PROOFS[pos_system]
    # The name of the scheme may be written in any case, and blanks around it are no part of it.
    scheme, _, secret_part = proof.rpartition(" ")
    changed = data.draw(mutated(secret_part.encode())).decode("latin-1")
    wrong = f"{scheme} {changed}".strip()
    if wrong.split() != proof.split():
        delivery = replace(genuine(pos_system), headers={name: wrong})
        assert not webhook(pos_system).verify(delivery, [SECRETS[pos_system]])


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
@quickly
@given(st.binary(max_size=60) | st.sampled_from(sorted(BODIES.values())).flatmap(mutated))
def test_no_bytes_raise_anything_but_the_one_error(pos_system: str, body: bytes) -> None:
    delivery = saying(pos_system, body)
    assert not webhook(pos_system).verify(delivery, ["another"])
    read, kept = outcome(webhook(pos_system).read, delivery), outcome(webhook(pos_system).keep, delivery)
    assert (read is WebhookError) is (kept is WebhookError)
    assert read is WebhookError or isinstance(read, Event)


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
@quickly
@given(st.data())
def test_what_is_kept_says_what_the_body_said(pos_system: str, data: st.DataObject) -> None:
    content = data.draw(with_values(json.loads(BODIES[pos_system])))
    delivery = saying(pos_system, json.dumps(content, default=str).encode())
    read = outcome(webhook(pos_system).read, delivery)
    if read is WebhookError:
        assert outcome(webhook(pos_system).keep, delivery) is WebhookError
        return
    kept = replace(delivery, body=webhook(pos_system).keep(delivery))
    again = webhook(pos_system).read(kept)
    assert replace(again, event_id=read.event_id) == read
    assert webhook(pos_system).keep(kept) == kept.body
    kept.body.decode("ascii")
    for name in (read.event_id, read.event_type, *read.account_ids, *read.location_ids):
        assert name.isprintable()
        assert len(name) <= 190


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_a_tenant_is_named_by_the_body_in_one_place_alone(pos_system: str) -> None:
    ids = ("merchant_id", "location_id", "restaurantGuid", "businessLocationId", "account_id", "tenant_id")
    content = json.loads(BODIES[pos_system])
    expected = webhook(pos_system).read(genuine(pos_system))

    def spread(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {**dict.fromkeys(ids, FORGED), **{key: spread(each) for key, each in value.items()}}

    forged = {**spread({**content, "more": {}}), **content, "more": spread({})}
    headers = {"toast-restaurant-external-id": FORGED, "x-merchant-id": FORGED, "host": FORGED}
    event = webhook(pos_system).read(saying(pos_system, forged, **headers))
    assert (event.account_ids, event.location_ids) == (expected.account_ids, expected.location_ids)
    assert FORGED not in repr(event)


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 150 + b"1" + b"}" * 150,
    ],
)
def test_what_is_no_object_is_no_event(pos_system: str, body: bytes) -> None:
    delivery = saying(pos_system, body)
    for act in (webhook(pos_system).read, webhook(pos_system).keep):
        with pytest.raises(WebhookError, match="nothing was stored"):
            act(delivery)


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_a_secret_is_in_no_text_that_could_be_shown(pos_system: str) -> None:
    delivery = genuine(pos_system)
    assert PROOFS[pos_system][1] not in repr(delivery)
    assert "details" not in repr(delivery)
    assert "event_id" not in repr(delivery)
    assert SECRETS[pos_system].encode() not in webhook(pos_system).keep(delivery)


@pytest.mark.parametrize("pos_system", sorted(connectors()))
def test_the_record_has_what_the_status_shows(pos_system: str) -> None:
    found = webhook(pos_system)
    assert found.scopes <= {"application", "configuration"}
    assert found.scopes
    assert found.event_types
    assert all(name == name.lower() for name in found.headers)
    if found.instructions is not None:
        address = "https://hooks.example.com/api/v1/webhooks/here"
        assert address in found.instructions(address)


@pytest.mark.parametrize("pos_system", ["", *sorted(connectors())])
def test_nothing_slow_is_imported_and_nothing_is_asked(pos_system: str) -> None:
    module = sys.modules[f"pipelines.{pos_system}.webhook"] if pos_system else shared
    tree = ast.parse(inspect.getsource(module))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert names & SLOW_IMPORTS == set()


def test_a_setting_holds_the_current_and_the_previous_secret() -> None:
    assert listed_secrets("") == ()
    assert listed_secrets(" , ") == ()
    assert listed_secrets("new, old") == ("new", "old")


def test_credentials_hold_one_secret_or_a_list() -> None:
    assert own_secrets({}) == ()
    assert own_secrets({"webhook_secret": "one"}) == ("one",)
    assert own_secrets({"webhook_secret": ["new", "old"]}) == ("new", "old")
    assert read_secrets("Till", " one ") == ["one"]
    assert read_secrets("Till", ["new", "old"]) == ["new", "old"]


@pytest.mark.parametrize(
    "wrong", ["", " ", 5, [], [""], ["a", 5], {"a": "b"}, "two words", ["x"] * 5, "brötchen"]
)
def test_what_is_no_secret_is_refused_without_repeating_it(wrong: Any) -> None:
    with pytest.raises(CredentialsError, match=r"^Till: webhook_secret") as caught:
        read_secrets("Till", wrong)
    assert "brötchen" not in caught.value.message


def test_an_event_says_when_whose_and_what() -> None:
    events = {name: webhook(name).read(genuine(name)) for name in POS_SYSTEMS}
    assert {name: each.event_id for name, each in events.items() if name != "lightspeed"} == {
        "square": "e-1",
        "toast": "e-1",
    }
    assert {name: each.sent_at for name, each in events.items()} == {
        "square": datetime(2026, 4, 12, 18, 0, 0, 123_456, tzinfo=UTC),
        "toast": datetime(2026, 4, 12, 18, tzinfo=UTC),
        "lightspeed": datetime(2026, 4, 12, 18, 0, 0, 250_000, tzinfo=UTC),
    }
    assert {name: (each.account_ids, each.location_ids, each.meaning) for name, each in events.items()} == {
        "square": (("MLCRUMB",), ("L1",), Meaning.LOOK_UP),
        "toast": ((), ("r-1",), Meaning.DOCUMENTS),
        "lightspeed": ((), ("45454565682155",), Meaning.PULL),
    }
