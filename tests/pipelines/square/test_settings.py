"""Square's address and what a customer gives."""

from typing import Any

import pytest

from pipelines.square import settings
from pos_core.errors import CredentialsError, SettingsError


def test_the_address_is_the_vendors_unless_the_operator_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SQUARE_BASE_URL", raising=False)
    assert settings.base_url() == "https://connect.squareup.com"
    monkeypatch.setenv("SQUARE_BASE_URL", "http://127.0.0.1:8010/")
    assert settings.base_url() == "http://127.0.0.1:8010"


@pytest.mark.parametrize("text", ["", "squareup.com", "ftp://squareup.com", "http://", "file:///x"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", text)
    with pytest.raises(SettingsError, match="SQUARE_BASE_URL must be an address"):
        settings.base_url()


def test_only_what_square_gives_is_kept_without_blanks_around_it() -> None:
    given = {"access_token": " token\n", "merchant_id": "M1", "refresh_token": None, "note": "hello"}
    assert settings.read_credentials(given) == {"access_token": "token", "merchant_id": "M1"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"access_token": ""},
        {"access_token": "  "},
        {"access_token": 5},
        {"access_token": None},
        {"access_token": "two words"},
        {"access_token": "line\nbreak"},
        {"access_token": "brötchen"},
        {"access_token": "fine", "refresh_token": ["x"]},
    ],
)
def test_what_is_no_credential_is_refused_without_repeating_it(given: dict[str, Any]) -> None:
    with pytest.raises(CredentialsError) as caught:
        settings.read_credentials(given)
    assert not any(str(value) in caught.value.message for value in given.values() if str(value).strip())
