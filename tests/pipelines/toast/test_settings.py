"""Toast's address, and what a customer or the operator must give."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.toast import CONNECTOR
from pipelines.toast.settings import machine_client
from pos_core.errors import CredentialsError, SettingsError

OWN = {"client_id": "machine", "client_secret": "placeholder-secret"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOAST_BASE_URL", "TOAST_CLIENT_ID", "TOAST_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)


def test_an_address_that_is_not_set_is_asked_for_and_never_guessed() -> None:
    with pytest.raises(SettingsError, match="TOAST_BASE_URL is not set, and Toast publishes no address"):
        CONNECTOR.base_url()


@pytest.mark.parametrize("address", ["toast", "ftp://toast.example.com", "https://", "http://[1:bad"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TOAST_BASE_URL", address)
    with pytest.raises(SettingsError, match="TOAST_BASE_URL must be an address"):
        CONNECTOR.base_url()


def test_an_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOAST_BASE_URL", "https://toast.example.com/")
    assert CONNECTOR.base_url() == "https://toast.example.com"


@pytest.mark.parametrize("guids", [["r1", "r2", "r1"], "r1, r2"])
def test_restaurants_are_a_list_or_a_text_with_commas(guids: object) -> None:
    read = CONNECTOR.read_credentials({**OWN, "restaurant_guids": guids, "note": "ours"})
    assert read == {**OWN, "restaurant_guids": ["r1", "r2"]}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "client_id is missing"),
        ({"restaurant_guids": ["r1"]}, "client_id is missing"),
        ({"client_id": "machine"}, "client_secret is missing"),
        ({"client_secret": "placeholder-secret"}, "client_id is missing"),
        ({**OWN, "restaurant_guids": 5}, "restaurant_guids must be a list"),
        ({**OWN, "restaurant_guids": [5]}, "restaurant_guids must be text"),
        ({**OWN, "restaurant_guids": ["a/b"]}, "no GUID"),
        ({**OWN, "group_restaurant_guid": 5}, "must be text"),
        ({**OWN, "client_id": 7}, "client_id must be text"),
        ({**OWN, "client_secret": "placeholder\nsecret"}, "client_secret contains a character"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_repeated(
    given: dict[str, Any], missing: str
) -> None:
    with pytest.raises(CredentialsError, match=missing) as refusal:
        CONNECTOR.read_credentials(given)
    assert "placeholder" not in refusal.value.message


def test_the_operators_credential_serves_who_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOAST_CLIENT_ID", "operator")
    monkeypatch.setenv("TOAST_CLIENT_SECRET", "placeholder-operator")
    read = CONNECTOR.read_credentials({"restaurant_guids": ["r1"]})
    assert read == {"restaurant_guids": ["r1"]}
    assert machine_client(read) == ("operator", "placeholder-operator")
    assert machine_client(OWN) == ("machine", "placeholder-secret")
    with pytest.raises(CredentialsError, match="restaurant_guids is missing"):
        CONNECTOR.read_credentials({})


def test_a_configuration_without_the_operators_credential_says_so() -> None:
    with pytest.raises(CredentialsError, match="TOAST_CLIENT_ID"):
        machine_client({"restaurant_guids": ["r1"]})
