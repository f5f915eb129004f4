"""The credentials a customer brings, and the operator's addresses."""

from typing import Any

import pytest

from pipelines.lightspeed import settings
from pos_core.errors import CredentialsError, SettingsError

WHOLE = {
    "client_id": "devp-example",
    "client_secret": "made-up-secret",
    "access_token": "made-up-access",
    "refresh_token": "made-up-refresh",
    "generation": "V1",
}


@pytest.fixture(autouse=True)
def _no_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "AUTH_URL", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"LIGHTSPEED_{name}", raising=False)


@pytest.mark.parametrize("key", WHOLE)
def test_a_file_that_lacks_a_value_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(CredentialsError, match=f"{key} is missing"):
        settings.read_credentials({name: value for name, value in WHOLE.items() if name != key})


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize("value", ["", "  ", 5, ["x"], "with\nbreak", "with space"])
def test_a_value_of_the_wrong_kind_is_refused_without_being_repeated(key: str, value: Any) -> None:
    with pytest.raises(CredentialsError, match=key) as refused:
        settings.read_credentials({**WHOLE, key: value})
    assert "with" not in refused.value.message.replace("without", "")


def test_the_operators_application_stands_in_for_a_file_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    file = {name: value for name, value in WHOLE.items() if not name.startswith("client")}
    monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", "devp-operator")
    with pytest.raises(CredentialsError, match="client_id is missing"):
        settings.read_credentials(file)
    monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", "made-up-secret")
    assert settings.read_credentials(file) == file
    with pytest.raises(CredentialsError, match="client_secret is missing"):
        settings.read_credentials(file | {"client_id": "devp-half"})
    assert "made-up-secret" not in repr(settings.LightspeedSettings())


def test_generations_and_locations_are_read_in_any_usual_spelling() -> None:
    read = settings.read_credentials(
        {**WHOLE, "generation": "v2", "business_location_ids": [45454565682155, "31", 31], "other": "x"}
    )
    assert read["generation"] == "V2"
    assert read["business_location_ids"] == ["31", "45454565682155"]
    assert "other" not in read


@pytest.mark.parametrize("ids", [[], "31", ["31a"], [True], [None], {"31": 1}])
def test_locations_that_are_no_list_of_numbers_are_refused(ids: Any) -> None:
    with pytest.raises(CredentialsError, match="business_location_ids"):
        settings.read_credentials({**WHOLE, "business_location_ids": ids})


def test_an_unknown_generation_is_refused() -> None:
    with pytest.raises(CredentialsError, match="V1 or V2"):
        settings.read_credentials({**WHOLE, "generation": "V3"})


def test_each_generation_has_its_own_token_server_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.auth_url("V1") == settings.base_url() == "https://api.lsk.lightspeed.app"
    assert settings.auth_url("V2") == "https://auth.lsk-prod.app"
    monkeypatch.setenv("LIGHTSPEED_BASE_URL", "https://api.trial.lsk.lightspeed.app/")
    assert settings.auth_url("V1") == "https://api.trial.lsk.lightspeed.app"
    assert settings.auth_url("V2") == "https://auth.lsk-demo.app"


def test_tokens_of_another_address_never_go_to_the_vendors_own_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIGHTSPEED_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(SettingsError, match="LIGHTSPEED_AUTH_URL"):
        settings.auth_url("V2")
    monkeypatch.setenv("LIGHTSPEED_AUTH_URL", "http://127.0.0.1:9/")
    assert settings.auth_url("V1") == settings.auth_url("V2") == "http://127.0.0.1:9"


@pytest.mark.parametrize("name", ["BASE_URL", "AUTH_URL"])
@pytest.mark.parametrize("address", ["api.lsk.lightspeed.app", "ftp://x", "http://", "https:"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    monkeypatch.setenv(f"LIGHTSPEED_{name}", address)
    with pytest.raises(SettingsError, match=f"LIGHTSPEED_{name}"):
        settings.auth_url("V1")
