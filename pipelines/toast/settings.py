"""Toast's address, the operator's own credential, and the credentials a customer has."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.webhook import SECRET_KEY, listed_secrets, read_secrets
from pos_core.errors import CredentialsError, SettingsError

_SECRETS = ("client_id", "client_secret")
_LONGEST_GUID = 100
_WHERE = "in Toast Web under Integrations > Toast API access > Manage credentials"


class ToastSettings(BaseSettings):
    """`TOAST_BASE_URL`, and `TOAST_CLIENT_ID` with `TOAST_CLIENT_SECRET` where one credential serves many.

    `TOAST_WEBHOOK_SECRET` belongs to the subscription that Toast has made for that credential.
    """

    model_config = SettingsConfigDict(env_prefix="TOAST_", extra="ignore", frozen=True)

    base_url: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")


def base_url() -> str:
    """The operator's address of Toast, without a slash at the end.

    Raises:
        SettingsError: it is not set, or no http(s) URL.

    Source: Toast developer guide, API environments: addresses are told at onboarding and never published.
    """
    text = ToastSettings().base_url.strip().rstrip("/")
    if not text:
        raise SettingsError(
            "TOAST_BASE_URL is not set, and Toast publishes no address that could stand in for it; "
            f"it is behind «Copy API Access URL» {_WHERE}."
        )
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError("TOAST_BASE_URL must be an address that begins with https://.")
    return text


def read_credentials(given: Mapping[str, Any]) -> dict[str, Any]:
    """What Toast gives a customer: `client_id`, `client_secret`, and which restaurants to read.

    Args:
        given: `restaurant_guids`, or `group_restaurant_guid`, one of a management group whose restaurants are
            all read, or neither for all that a partner may read. Without id and secret the operator's
            credential is used, and one of both must be given. `webhook_secret` is that of a subscription of
            the customer's own.

    Raises:
        CredentialsError: something is missing, or of the wrong kind; values are never repeated.
    """
    credentials: dict[str, Any] = {key: _text(key, given[key]) for key in _SECRETS if given.get(key)}
    guids = _guids(given.get("restaurant_guids"))
    if guids:
        credentials["restaurant_guids"] = guids
    if given.get("group_restaurant_guid"):
        (credentials["group_restaurant_guid"],) = _guids([given["group_restaurant_guid"]])
    if given.get(SECRET_KEY) is not None:
        credentials[SECRET_KEY] = read_secrets("Toast", given[SECRET_KEY])
    if not any(key in credentials for key in _SECRETS):
        operator = ToastSettings()
        if not operator.client_id or not operator.client_secret.get_secret_value():
            raise CredentialsError(f"Toast: client_id is missing; it is {_WHERE}.")
        if not guids and "group_restaurant_guid" not in credentials:
            raise CredentialsError(
                "Toast: restaurant_guids is missing; with the operator's credential the restaurants of each "
                "account must be named."
            )
        return credentials
    for key in _SECRETS:
        if key not in credentials:
            raise CredentialsError(f"Toast: {key} is missing; it is {_WHERE}.")
    return credentials


def webhook_secrets() -> tuple[str, ...]:
    """The operator's webhook secrets, the current one first; none where the setting is not there."""
    return listed_secrets(ToastSettings().webhook_secret.get_secret_value())


def leans_on_operator(credentials: Mapping[str, Any]) -> bool:
    """Whether they name restaurants alone: the operator's credential may read other customers' as well."""
    return "client_id" not in credentials


def machine_client(credentials: Mapping[str, Any]) -> tuple[str, str]:
    """Client id and secret of a configuration: its own, else the operator's.

    Raises:
        CredentialsError: there are none.
    """
    if "client_id" in credentials:
        return str(credentials["client_id"]), str(credentials["client_secret"])
    operator = ToastSettings()
    secret = operator.client_secret.get_secret_value()
    if not operator.client_id or not secret:
        raise CredentialsError(
            "The configuration was made for the operator's credential, and TOAST_CLIENT_ID or "
            "TOAST_CLIENT_SECRET is not set."
        )
    return operator.client_id, secret


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CredentialsError(f"Toast: {key} must be text that is not empty.")
    if any(ord(letter) < 33 or ord(letter) > 126 for letter in value.strip()):
        raise CredentialsError(f"Toast: {key} contains a character that no credential has.")
    return value.strip()


def _guids(value: object) -> list[str]:
    """The restaurants of a list, or of one text with commas between; each once, in the order given."""
    parts = value.split(",") if isinstance(value, str) else value
    if parts is None:
        return []
    if not isinstance(parts, list):
        raise CredentialsError("Toast: restaurant_guids must be a list of restaurant GUIDs.")
    guids = [_text("restaurant_guids", part) for part in parts]
    if any(len(guid) > _LONGEST_GUID or "/" in guid for guid in guids):
        raise CredentialsError("Toast: restaurant_guids contains something that is no GUID.")
    return list(dict.fromkeys(guids))
